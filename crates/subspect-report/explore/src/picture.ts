// The picture of an input, or its id where there is none.

import type { Run } from "./data.ts";
import { h } from "./dom.ts";

export function picture(run: Run, i: number): HTMLElement {
  const tile = run.tile(i);
  if (!tile) return h("span", { class: "blank" }, run.header.ids[i]);
  const node = h("span", { class: "tile", role: "img", "aria-label": `input ${run.header.ids[i]}` });
  node.style.backgroundPosition = `${tile[0]}% ${tile[1]}%`;
  return node;
}
