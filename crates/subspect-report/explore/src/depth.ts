// What the layers know by depth: one small chart per measure with its interval and what chance gives, all on the same
// axis of layers. Another network beside is drawn from its first to its last layer, whatever their number.

import type { Run } from "./data.ts";
import { h, s } from "./dom.ts";
import { saveCsv, saveSvg, saves } from "./files.ts";
import { measureTitle, shown } from "./number.ts";
import { measures, type Point, range, series, stretches } from "./series.ts";
import type { Store } from "./state.ts";

const CHARTS = ["modularity", "vote_accuracy", "vote_agreement", "sre", "density"];
/** Measures that are shares: their axis is 0 to 1 in every run. */
const SHARES = ["vote_accuracy", "vote_agreement", "sre"];
const [WIDTH, HEIGHT, LEFT, TOP] = [230, 104, 28, 6];

export function depth(run: Run, store: Store, beside: Run): HTMLElement | null {
  const names = CHARTS.filter((m) => measures(run).includes(m));
  if (names.length === 0 || run.layers.length < 2) return null;
  const body = h("div", { class: "x-depths" });

  function draw(): void {
    const { layer, other } = store.state;
    body.replaceChildren(...names.map((name) => {
      const own: Curve = { run, points: series(run, name), layer, role: "a" };
      const second: Curve | null = beside !== run ? { run: beside, points: series(beside, name), layer: other, role: "b" } : null;
      const value = (points: Point[]) => h("b", { class: "x-name-b" }, " ", shown(points[other]?.value));
      return h("figure", { class: "x-depth" },
        h("figcaption", {}, measureTitle(name), " ", h("b", { class: "x-name-a" }, shown(own.points[layer].value)),
          other >= 0 ? value((second ?? own).points) : null),
        chart(name, second ? [second, own] : [own], second ? -1 : other,
          (l) => store.set({ layer: l, other: store.state.other === l && !second ? -1 : store.state.other })));
    }));
  }

  function save(): void {
    const end = (pair: [number, number] | null) => pair ?? ["", ""];
    saveCsv("depth.csv", [
      ["layer", ...names.flatMap((n) => [n, `${n}_lo`, `${n}_hi`, `${n}_chance_lo`, `${n}_chance_hi`])],
      ...run.layers.map((l, k) => [l.name, ...names.flatMap((n) => {
        const p = series(run, n)[k];
        return [p.value ?? "", ...end(p.interval), ...end(p.chance)];
      })])]);
  }

  store.onChange((now, before) => {
    if (now.layer !== before.layer || now.other !== before.other || now.epoch !== before.epoch) draw();
  });
  draw();
  const key = (kind: string, text: string) => h("span", { class: "x-key" }, h("i", { class: kind }), text);
  const some = (of: (p: Point) => unknown) => names.some((n) => series(run, n).some(of));
  return h("section", { class: "x-card x-wide x-plain", "aria-label": "Measures by depth" },
    h("h3", {}, "What the layers know by depth"),
    h("div", { class: "x-head" }, saves({ CSV: save, SVG: () => saveSvg("depth.svg", together(body)) })), body,
    h("p", { class: "x-legend" },
      some((p) => p.interval) ? key("x-band", "interval over inputs") : null,
      some((p) => p.chance) ? key("x-chance", "permuted labels") : null));
}

interface Curve {
  run: Run;
  points: Point[];
  /** The layer that stands out, -1 for none. */
  layer: number;
  role: "a" | "b";
}

/** The last curve is the one that is explored; `other` is a second layer of it. */
function chart(name: string, curves: Curve[], other: number, onChoose: (l: number) => void): SVGElement {
  const [low, high] = SHARES.includes(name) ? [0, 1] : range(curves.flatMap((c) => c.points));
  const y = (v: number) => TOP + (1 - (Math.min(high, Math.max(low, v)) - low) / (high - low)) * HEIGHT;
  const parts: SVGElement[] = [];
  for (const v of [0, high]) {
    parts.push(s("line", { x1: LEFT, x2: WIDTH, y1: y(v), y2: y(v), class: "s-grid" }),
      s("text", { x: LEFT - 5, y: y(v) + 4, "text-anchor": "end", "font-size": 10.5, class: "f-muted" }, v === 0 ? "0" : tick(v)));
  }
  for (const one of curves) parts.push(...curve(one, y));
  const own = curves[curves.length - 1];
  if (other >= 0) parts.push(...curve({ ...own, points: own.points.map((p, l) => (l === other ? p : NOTHING)), layer: other, role: "b" }, y));
  const step = (WIDTH - LEFT) / own.points.length;
  own.points.forEach((p, l) => {
    const more = [p.interval ? `interval ${p.interval.map((v) => shown(v)).join(" to ")}` : "", p.chance ? `chance ${p.chance.map((v) => shown(v)).join(" to ")}` : ""];
    parts.push(s("rect", { x: LEFT + l * step, y: TOP, width: step, height: HEIGHT, fill: "transparent", class: "x-hit", click: () => onChoose(l) },
      s("title", {}, [`${own.run.layers[l].name}: ${shown(p.value)}`, ...more.filter(Boolean)].join(", "))));
  });
  return s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 2 * TOP}`, role: "img", "aria-label": `${measureTitle(name)} of ${own.points.length} layers in execution order` }, ...parts);
}

const NOTHING: Point = { value: undefined, interval: null, chance: null };

function curve({ points, layer, role }: Curve, y: (v: number) => number): SVGElement[] {
  const step = (WIDTH - LEFT) / points.length;
  const x = (l: number) => LEFT + (l + 0.5) * step;
  const at = (v: number, l: number) => `${x(l).toFixed(1)},${y(v).toFixed(1)}`;
  const parts: SVGElement[] = [];
  if (layer >= 0) parts.push(s("rect", { x: x(layer) - step / 2, y: TOP, width: step, height: HEIGHT, class: `x-mark-${role}` }));
  const band = (of: (p: Point) => [number, number] | null, kind: string) => {
    for (const { start, items } of stretches(points.map(of))) {
      if (items.length === 1) continue; // one layer alone has no area
      const up = items.map((p, k) => at(p[1], start + k));
      const down = items.map((p, k) => at(p[0], start + k)).reverse();
      parts.push(s("polygon", { points: [...up, ...down].join(" "), class: kind }));
    }
  };
  band((p) => p.chance, "x-chance");
  band((p) => p.interval, `x-band x-of-${role}`);
  const values = points.map((p) => (typeof p.value === "number" ? p.value : null));
  for (const { start, items } of stretches(values)) {
    if (items.length > 1) parts.push(s("polyline", { points: items.map((v, k) => at(v, start + k)).join(" "), class: `x-curve x-of-${role}` }));
  }
  const value = layer >= 0 ? values[layer] : null;
  if (value !== null) parts.push(s("circle", { cx: x(layer), cy: y(value), r: 4, class: role === "a" ? "f-blue" : "f-orange" }));
  return parts;
}

function tick(v: number): string {
  return v >= 10 ? v.toFixed(0) : v.toFixed(2).replace(/^0/, "").replace(/^1\.00$/, "1");
}

/** All charts as one SVG file with colours of its own. */
function together(body: HTMLElement): string {
  const paint: Record<string, string> = {
    "s-grid": "stroke:#e3e6ea", "f-muted": "fill:#5b646e", "x-curve": "fill:none;stroke:#0072b2;stroke-width:1.8", "x-band": "fill:#0072b2;fill-opacity:.18",
    "x-chance": "fill:#9aa1a9;fill-opacity:.45", "x-of-b": "stroke:#d55e00", "x-mark-a": "fill:#0072b2;fill-opacity:.08", "x-mark-b": "fill:#d55e00;fill-opacity:.08",
    "f-blue": "fill:#0072b2", "f-orange": "fill:#d55e00",
  };
  const style = Object.entries(paint).map(([name, rule]) => `.${name}{${rule}}`).join("") + "text{font-family:sans-serif}.x-hit{display:none}";
  const svg = s("svg", { xmlns: "http://www.w3.org/2000/svg", width: 3 * (WIDTH + 24), height: 2 * (HEIGHT + 50) });
  svg.append(s("style", {}, style));
  [...body.querySelectorAll("figure")].forEach((figure, k) => {
    const g = s("g", { transform: `translate(${(k % 3) * (WIDTH + 24)} ${Math.floor(k / 3) * (HEIGHT + 50)})` },
      s("text", { x: LEFT, y: 14, "font-size": 12 }, figure.querySelector("figcaption")?.firstChild?.textContent ?? ""));
    const inner = figure.querySelector("svg")?.cloneNode(true) as SVGElement;
    const moved = s("g", { transform: "translate(0 20)" });
    moved.append(...inner.childNodes);
    g.append(moved);
    svg.append(g);
  });
  return new XMLSerializer().serializeToString(svg);
}
