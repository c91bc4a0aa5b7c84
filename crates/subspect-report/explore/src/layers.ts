// The layer looked at, and the one beside it: numbers in two columns, and where each class's affinity goes.

import { inkOn, viridis } from "./colour.ts";
import type { Run } from "./data.ts";
import { h, s } from "./dom.ts";
import { saveCsv, saves } from "./files.ts";
import { measureTitle, shown } from "./number.ts";
import type { Store } from "./state.ts";
import { measures } from "./strip.ts";

/** Most classes whose affinity is drawn as a map. */
const MAX_CLASSES = 20;

export function layers(run: Run, store: Store): HTMLElement {
  const body = h("div");

  function draw(): void {
    const { layer, other } = store.state;
    const both = other >= 0 ? [layer, other] : [layer];
    body.replaceChildren(numbers(both), ...maps(both));
  }

  function numbers(both: number[]): HTMLElement {
    const row = (title: string, of: (l: number) => string) =>
      h("tr", {}, h("th", { scope: "row" }, title), ...both.map((l) => h("td", { class: "num" }, of(l))));
    const head = both.map((l, k) => h("th", { scope: "col", class: k === 0 ? "num x-name-a" : "num x-name-b" }, run.layers[l].short));
    return h("table", { class: "x-pair" },
      h("thead", {}, h("tr", {}, h("td"), ...head)),
      h("tbody", {},
        row("features", (l) => run.layers[l].n_features.toLocaleString("en")),
        row("non-zeros per input", (l) => run.layers[l].density.toFixed(1)),
        ...measures(run).slice(0, 7).map((m) => row(measureTitle(m), (l) => shown(run.layers[l].measures[m]))),
        row("modularity by chance", (l) => run.layers[l].null.map((v) => shown(v)).join(" to "))));
  }

  function maps(both: number[]): HTMLElement[] {
    const k = run.classes.length;
    if (k === 0 || k > MAX_CLASSES || run.layers[both[0]].class_affinity.length === 0) return [];
    const pair = h("div", { class: both.length > 1 ? "x-two" : "" }, ...both.map((l) => affinity(run, l)));
    return [h("h4", {}, "Where each class’s affinity goes"), pair];
  }

  store.onChange((now, before) => {
    if (now.layer !== before.layer || now.other !== before.other) draw();
  });
  draw();
  const save = () => {
    const { layer } = store.state;
    saveCsv("class_affinity.csv", [["class", ...run.classes],
      ...run.layers[layer].class_affinity.map((row, c) => [run.className(c), ...row])]);
  };
  return h("section", { class: "x-card", "aria-label": "Layers side by side" },
    h("h3", {}, "What the layer knows"), h("div", { class: "x-head" }, saves({ CSV: save })), body);
}

/** Class x class shares of one layer. */
function affinity(run: Run, layer: number): SVGElement {
  const matrix = run.layers[layer].class_affinity;
  const n = matrix.length;
  const [left, size] = [70, 22];
  const cells = matrix.flatMap((row, c) => row.flatMap((v, d) => {
    const title = `${run.className(c)} → ${run.className(d)}: ${(100 * v).toFixed(1)} %`;
    const cell = s("rect", { x: left + d * size, y: c * size, width: size, height: size, fill: viridis(v) }, s("title", {}, title));
    const text = v >= 0.095 ? s("text", { x: left + (d + 0.5) * size, y: (c + 0.66) * size, "text-anchor": "middle", fill: inkOn(v), "font-size": 9.5 }, (100 * v).toFixed(0)) : null;
    return text ? [cell, text] : [cell];
  }));
  const names = matrix.map((_, c) =>
    s("text", { x: left - 6, y: (c + 0.68) * size, "text-anchor": "end", class: "f-muted", "font-size": 10.5 }, run.className(c).slice(0, 12)));
  return s("svg", { viewBox: `0 0 ${left + n * size} ${n * size}`, class: "x-affinity", role: "img",
    "aria-label": `Share of each class's affinity on every class in ${run.layers[layer].name}, in per cent` }, ...names, ...cells);
}
