// One input on its way through the layers: how much of its affinity lies on its class and on the network's choice,
// and which class the vote names.

import { classColour } from "./colour.ts";
import type { Run } from "./data.ts";
import { s } from "./dom.ts";

const [LEFT, RIGHT, TOP, HEIGHT, ROW] = [34, 12, 10, 120, 16];

export function path(run: Run, input: number, layer: number, onChoose: (layer: number) => void): SVGElement {
  const n = run.layers.length;
  const width = 1000;
  const step = (width - LEFT - RIGHT) / n;
  const x = (l: number) => LEFT + (l + 0.5) * step;
  const y = (v: number) => TOP + (1 - v) * HEIGHT;
  const [label, prediction] = [run.label(input), run.prediction(input)];
  const parts: SVGElement[] = [];
  for (const v of [0, 0.5, 1]) {
    parts.push(s("line", { x1: LEFT, x2: width - RIGHT, y1: y(v), y2: y(v), class: "s-grid" }));
    parts.push(s("text", { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end", "font-size": 11, class: "f-muted" }, v === 0.5 ? "½" : String(v)));
  }
  parts.push(s("rect", { x: x(layer) - step / 2, y: TOP, width: step, height: HEIGHT + ROW + 8, class: "x-here" }));
  const line = (c: number, role: string) => {
    const points = run.layers.flatMap((_, l) => {
      const share = c >= 0 ? run.share(l, input, c) : null;
      return share === null ? [] : [[x(l), y(share)]];
    });
    if (points.length === 0) return;
    parts.push(s("polyline", { points: points.map((p) => p.join(",")).join(" "), class: `s-${role}`, fill: "none", "stroke-width": 2.2 }));
    for (const [px, py] of points) parts.push(s("circle", { cx: px, cy: py, r: 2.8, class: `f-${role}` }));
  };
  if (prediction >= 0 && prediction !== label) line(prediction, "orange");
  line(label, "blue");
  run.layers.forEach((one, l) => {
    const vote = run.vote(l, input);
    const share = label >= 0 ? run.share(l, input, label) : null;
    const about = `${one.name}: vote ${run.className(vote)}` +
      (share !== null ? `, ${(100 * share).toFixed(0)} % on ${run.className(label)}` : "");
    const cell = s("rect", {
      x: x(l) - step / 2 + 0.5, y: TOP + HEIGHT + 6, width: Math.max(1, step - 1), height: ROW,
      fill: vote < 0 ? "none" : classColour(vote), class: vote < 0 ? "s-line" : "",
    });
    const hit = s("rect", { x: x(l) - step / 2, y: TOP, width: step, height: HEIGHT + ROW + 8, fill: "transparent", class: "x-hit",
      click: () => onChoose(l) }, s("title", {}, about));
    parts.push(cell, hit);
    if (l === 0 || vote !== run.vote(l - 1, input)) {
      parts.push(s("text", { x: x(l) - step / 2 + 2, y: TOP + HEIGHT + ROW + 20 + 11 * (l % 2), "font-size": 10.5, class: "f-muted" }, run.className(vote)));
    }
  });
  const height = TOP + HEIGHT + ROW + 40;
  return s("svg", { viewBox: `0 0 ${width} ${height}`, class: "x-path", role: "img",
    "aria-label": `Path of input ${run.header.ids[input]} through ${n} layers: share of affinity on its class, and votes` }, ...parts);
}
