// The layer x layer map: hover reads a pair, a click sets the two layers beside each other.

import { surface } from "./canvas.ts";
import { inkOn, viridis } from "./colour.ts";
import type { Run, Value } from "./data.ts";
import { choice, colourOf, h } from "./dom.ts";
import { escape, saveCsv, savePng, saveSvg, saves } from "./files.ts";
import { shown } from "./number.ts";
import type { Store } from "./state.ts";

export function similarity(run: Run, store: Store): HTMLElement | null {
  if (run.maps.length === 0) return null;
  const n = run.layers.length;
  let cursor: [number, number] | null = null;
  const readout = h("p", { class: "x-line", "aria-live": "polite" });
  const head = h("div", { class: "x-head" });
  const labels = 92;
  const cellOf = (width: number) => (width - labels) / n;
  const values = (): Value[][] => run.maps[store.state.map].values;

  const { canvas, redraw } = surface(
    { class: "x-map", tabindex: 0, role: "img", "aria-label": "Similarity of every pair of layers; arrow keys read a pair, Enter sets it" },
    (width) => width - labels, ({ context, width }) => {
      const size = cellOf(width);
      const map = values();
      const statusColour = colourOf("--grid");
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          const value = map[i][j];
          context.fillStyle = typeof value === "number" ? viridis(value) : statusColour;
          context.fillRect(labels + j * size, i * size, Math.ceil(size), Math.ceil(size));
        }
      }
      if (size >= 26) numbers(context, map, size);
      axis(context, size);
      const { layer, other } = store.state;
      mark(context, layer, layer, size, colourOf("--blue"));
      if (other >= 0) {
        mark(context, other, other, size, colourOf("--orange"));
        mark(context, Math.max(layer, other), Math.min(layer, other), size, "#ffffff");
      }
      if (cursor) mark(context, cursor[0], cursor[1], size, "#ffffff");
    });

  function numbers(context: CanvasRenderingContext2D, map: Value[][], size: number): void {
    context.font = `${Math.min(12, size * 0.36)}px ${colourOf("--sans")}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    map.forEach((row, i) => row.forEach((value, j) => {
      if (typeof value !== "number") return;
      context.fillStyle = inkOn(value);
      context.fillText(value.toFixed(2).replace("0.", "."), labels + (j + 0.5) * size, (i + 0.5) * size);
    }));
  }

  function axis(context: CanvasRenderingContext2D, size: number): void {
    const every = Math.max(1, Math.ceil(11 / size));
    context.font = `${Math.min(11, Math.max(8, size))}px ${colourOf("--sans")}`;
    context.textAlign = "right";
    context.textBaseline = "middle";
    run.layers.forEach((layer, i) => {
      const { layer: a, other: b } = store.state;
      if (i % every !== 0 && i !== a && i !== b) return;
      context.fillStyle = colourOf(i === a ? "--blue" : i === b ? "--orange" : "--muted");
      context.fillText(layer.short, labels - 6, (i + 0.5) * size, labels - 8);
    });
  }

  function mark(context: CanvasRenderingContext2D, i: number, j: number, size: number, colour: string): void {
    context.lineWidth = 3;
    context.strokeStyle = "#101418";
    context.strokeRect(labels + j * size, i * size, size, size);
    context.lineWidth = 1.6;
    context.strokeStyle = colour;
    context.strokeRect(labels + j * size, i * size, size, size);
  }

  function read(): void {
    const [i, j] = cursor ?? [store.state.layer, store.state.other];
    if (j < 0) {
      readout.replaceChildren("Click a cell to set its two layers beside each other.");
      return;
    }
    const value = values()[i][j];
    readout.replaceChildren(`${run.layers[i].name} × ${run.layers[j].name}  `,
      typeof value === "number" ? h("b", {}, shown(value)) : h("span", { class: "status" }, value));
  }

  function at(event: PointerEvent | MouseEvent): [number, number] | null {
    const box = canvas.getBoundingClientRect();
    const size = cellOf(box.width);
    const [i, j] = [Math.floor((event.clientY - box.top) / size), Math.floor((event.clientX - box.left - labels) / size)];
    return i >= 0 && i < n && j >= 0 && j < n ? [i, j] : null;
  }

  function move(to: [number, number] | null): void {
    cursor = to;
    read();
    redraw();
  }

  function pin([i, j]: [number, number]): void {
    store.set({ layer: i, other: i === j ? -1 : j });
  }

  canvas.addEventListener("pointermove", (event) => move(at(event)));
  canvas.addEventListener("pointerleave", () => move(null));
  canvas.addEventListener("click", (event) => {
    const pair = at(event);
    if (pair) pin(pair);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = ({ ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] } as Record<string, number[]>)[event.key];
    const [i, j] = cursor ?? [store.state.layer, Math.max(0, store.state.other)];
    if (event.key === "Enter") pin([i, j]);
    else if (step) move([Math.min(n - 1, Math.max(0, i + step[0])), Math.min(n - 1, Math.max(0, j + step[1]))]);
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("blur", () => move(null));

  function table(): (string | number)[][] {
    return [["layer", ...run.layers.map((l) => l.name)], ...values().map((row, i) => [run.layers[i].name, ...row])];
  }

  function svg(): string {
    const size = 16;
    const cells = values().flatMap((row, i) => row.map((v, j) =>
      `<rect x="${140 + j * size}" y="${i * size}" width="${size}" height="${size}" fill="${typeof v === "number" ? viridis(v) : "#d5d9de"}"/>`));
    const names = run.layers.map((l, i) =>
      `<text x="134" y="${(i + 0.7) * size}" text-anchor="end" font-size="11" font-family="sans-serif">${escape(l.short)}</text>`);
    const [w, height] = [140 + n * size, n * size];
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${height}" width="${w}" height="${height}">${names.join("")}${cells.join("")}</svg>`;
  }

  function controls(): void {
    const maps = run.maps.map((m, k) => [String(k), `${m.title}, ${m.estimator}`] as const);
    const name = () => `${run.maps[store.state.map].measure}_${run.maps[store.state.map].estimator}`;
    head.replaceChildren(
      choice("Similarity", maps, String(store.state.map), (k) => store.set({ map: Number(k) })),
      saves({
        PNG: () => savePng(`${name()}.png`, canvas),
        SVG: () => saveSvg(`${name()}.svg`, svg()),
        CSV: () => saveCsv(`${name()}.csv`, table()),
      }));
  }

  store.onChange((now, before) => {
    if (now.map !== before.map) controls();
    read();
    redraw();
  });
  controls();
  read();
  return h("section", { class: "x-card", "aria-label": "Similarity between layers" },
    h("h3", {}, "Which layers do the same work"), head, canvas, scale(), readout);
}

/** The fixed scale of colours. */
function scale(): HTMLElement {
  const stops = Array.from({ length: 11 }, (_, k) => viridis(k / 10)).join(",");
  const bar = h("i");
  bar.style.background = `linear-gradient(to right,${stops})`;
  return h("p", { class: "x-scale", "aria-hidden": "true" }, "0", bar, "1");
}
