// A canvas that is as sharp as the screen and is drawn again when its size or the page's colours change.

import { h } from "./dom.ts";

export interface Surface {
  canvas: HTMLCanvasElement;
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
}

/** `draw` is called whenever the canvas must be drawn; the returned function asks for it. */
export function surface(
  attributes: Record<string, string | number>, heightOf: (width: number) => number, draw: (surface: Surface) => void,
): { canvas: HTMLCanvasElement; redraw: () => void } {
  const canvas = h("canvas", attributes);
  let asked = false;
  const paint = () => {
    asked = false;
    const width = canvas.clientWidth;
    const context = canvas.getContext("2d");
    if (width === 0 || !context) return;
    const height = Math.round(heightOf(width));
    canvas.style.height = `${height}px`;
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    draw({ canvas, context, width, height });
  };
  const redraw = () => {
    if (!asked) requestAnimationFrame(paint);
    asked = true;
  };
  new ResizeObserver(redraw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return { canvas, redraw };
}
