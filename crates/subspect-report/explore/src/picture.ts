// The picture of an input, or its id where there is none.

import type { Run } from "./data.ts";
import { h } from "./dom.ts";

export function picture(run: Run, i: number): HTMLElement {
  const label = `input ${run.header.ids[i]}`;
  const own = run.picture(i);
  if (own) {
    const image = h("img", { class: "tile", src: own.url, width: own.width, height: own.height, alt: label, draggable: "false" });
    image.addEventListener("error", () => image.replaceWith(blank(run, i)));
    return image;
  }
  const tile = run.tile(i);
  if (!tile) return blank(run, i);
  const node = h("span", { class: "tile", role: "img", "aria-label": label });
  node.style.backgroundPosition = `${tile[0]}% ${tile[1]}%`;
  return node;
}

function blank(run: Run, i: number): HTMLElement {
  return h("span", { class: "blank" }, run.header.ids[i]);
}
