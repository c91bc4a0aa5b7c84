// The layer looked at, and the one beside it: numbers in two columns, and where each class's affinity goes.

import { inkOn, viridis } from "./colour.ts";
import type { Run } from "./data.ts";
import { h, s } from "./dom.ts";
import { saveCsv, saves } from "./files.ts";
import { measureTitle, shown } from "./number.ts";
import type { Store } from "./state.ts";
import { DENSITY, measures, series } from "./series.ts";

/** Most classes whose affinity is drawn as a map. */
const MAX_CLASSES = 20;

export function layers(run: Run, store: Store, beside: Run): HTMLElement {
  const body = h("div");

  function draw(): void {
    const { layer, other } = store.state;
    const both: [Run, number][] = other >= 0 ? [[run, layer], [beside, other]] : [[run, layer]];
    body.replaceChildren(numbers(both), ...maps(both));
  }

  function numbers(both: [Run, number][]): HTMLElement {
    const row = (title: string, of: (of: Run, l: number) => string) =>
      h("tr", {}, h("th", { scope: "row" }, title), ...both.map((one) => h("td", { class: "num" }, of(...one))));
    const head = both.map(([of, l], k) => h("th", { scope: "col", class: k === 0 ? "num x-name-a" : "num x-name-b" }, of.layers[l].short));
    return h("table", { class: "x-pair" },
      h("thead", {}, h("tr", {}, h("td"), ...head)),
      h("tbody", {},
        row("features", (of, l) => of.layers[l].n_features.toLocaleString("en")),
        row("non-zeros per input", (of, l) => of.layers[l].density.toFixed(1)),
        ...measures(run).filter((m) => m !== DENSITY).slice(0, 7).map((m) => row(measureTitle(m), (of, l) => shown(of.layers[l].measures[m]))),
        row("modularity, interval", (of, l) => between(series(of, "modularity")[l].interval)),
        row("modularity by chance", (of, l) => between(series(of, "modularity")[l].chance))));
  }

  function maps(both: [Run, number][]): HTMLElement[] {
    const k = run.classes.length;
    if (k === 0 || k > MAX_CLASSES || run.layers[both[0][1]].class_affinity.length === 0) return [];
    const pair = h("div", { class: both.length > 1 ? "x-two" : "" }, ...both.map((one) => affinity(...one)));
    return [h("h4", {}, "Where each class’s affinity goes"), pair];
  }

  store.onChange((now, before) => {
    if (now.layer !== before.layer || now.other !== before.other || now.epoch !== before.epoch) draw();
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

function between(pair: [number, number] | null): string {
  return pair ? pair.map((v) => shown(v)).join(" to ") : "";
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
