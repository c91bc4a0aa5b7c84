// Training: a slider over the epochs that drives every view, and one line per layer on its way through them, labelled
// where it ends.

import type { Run } from "./data.ts";
import { h, s } from "./dom.ts";
import { saveCsv, saves } from "./files.ts";
import { measureTitle, shown } from "./number.ts";
import type { Page } from "./page.ts";
import { series } from "./series.ts";
import type { Store } from "./state.ts";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [1000, 250, 34, 150, 10, 26];
/** Milliseconds between two epochs when they are played. */
const PACE = 600;

export function training(page: Page, store: Store): HTMLElement {
  const labels = page.manifest.labels;
  const last = labels.length - 1;
  const slider = h("input", {
    type: "range", min: 0, max: last, step: 1, value: store.state.epoch, "aria-label": "Epoch",
    input: () => {
      stop();
      store.set({ epoch: Number(slider.value) });
    },
  });
  const now = h("output", { class: "x-epoch" });
  const play = h("button", { type: "button", click: () => (timer === 0 ? start() : stop()) }, "play");
  const chart = h("div");
  const foot = h("p", { class: "x-line" });
  let timer = 0;

  function start(): void {
    // Who asked for less motion gets the epochs one by one, with the button as a step.
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      store.set({ epoch: store.state.epoch === last ? 0 : store.state.epoch + 1 });
      return;
    }
    if (store.state.epoch === last) store.set({ epoch: 0 });
    play.textContent = "pause";
    timer = window.setInterval(() => {
      if (store.state.epoch >= last) stop();
      else store.set({ epoch: store.state.epoch + 1 });
    }, PACE);
  }

  function stop(): void {
    window.clearInterval(timer);
    timer = 0;
    play.textContent = "play";
  }

  function draw(): void {
    const { epoch, measure, layer } = store.state;
    slider.value = String(epoch);
    slider.setAttribute("aria-valuetext", `epoch ${labels[epoch]}`);
    now.textContent = `epoch ${labels[epoch]}`;
    chart.replaceChildren(lines(page.ready, labels, measure, layer, epoch, (e, l) => store.set({ epoch: e, layer: l })));
    const settled = page.manifest.training?.settled?.[layer];
    const name = page.ready[epoch]?.layers[layer].name ?? "";
    foot.replaceChildren(h("b", { class: "x-name-a" }, name), ` ${measureTitle(measure)}`,
      typeof settled === "number" ? ` · settled at epoch ${labels[settled] ?? settled}` : "",
      page.ready.includes(undefined) ? " · unpacking the other epochs" : "");
  }

  const save = () => {
    const { measure } = store.state;
    const layers = page.ready.find((r) => r)?.layers ?? [];
    saveCsv("training.csv", [["layer", ...labels.map((l) => `epoch_${l}`)],
      ...layers.map((l, k) => [l.name, ...page.ready.map((r) => (r ? (series(r, measure)[k].value ?? "") : ""))])]);
  };

  store.onChange((state, before) => {
    if (state !== before) draw();
  });
  draw();
  return h("section", { class: "x-card x-plain x-training", "aria-label": "Training" },
    h("div", { class: "x-head" }, play, slider, now, saves({ CSV: save })), chart, foot);
}

/** The value of every layer in every epoch; the chosen layer stands out. Labels are moved apart where lines end close together. */
export function lines(
  runs: (Run | undefined)[], labels: string[], measure: string, layer: number, epoch: number, onChoose: (epoch: number, layer: number) => void,
): SVGElement {
  const n = labels.length;
  const layers = runs.find((r) => r)?.layers ?? [];
  const of = runs.map((r) => (r ? series(r, measure).map((p) => p.value) : []));
  const numbers = of.flat().filter((v): v is number => typeof v === "number");
  const [low, high] = [Math.min(0, ...numbers), Math.max(1e-9, ...numbers)];
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, n - 1);
  const x = (e: number) => LEFT + e * step;
  const y = (v: number) => TOP + (1 - (v - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const parts: SVGElement[] = [];
  for (const v of [0, high]) {
    parts.push(s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(v), y2: y(v), class: "s-grid" }),
      s("text", { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end", "font-size": 11, class: "f-muted" }, v === 0 ? "0" : shown(v, 2)));
  }
  const every = Math.ceil(n / 20);
  labels.forEach((label, e) => {
    if (e % every === 0 || e === n - 1) parts.push(s("text", { x: x(e), y: HEIGHT - 8, "text-anchor": "middle", "font-size": 11, class: e === epoch ? "f-blue" : "f-muted" }, label));
  });
  parts.push(s("line", { x1: x(epoch), x2: x(epoch), y1: TOP, y2: HEIGHT - BOTTOM, class: "x-now" }));
  const ends: { at: number; layer: number }[] = [];
  const order = layers.map((_, l) => l).filter((l) => l !== layer);
  for (const l of [...order, ...(layers[layer] ? [layer] : [])]) {
    const points = of.flatMap((values, e) => (typeof values[l] === "number" ? [[x(e), y(values[l] as number)]] : []));
    if (points.length === 0) continue;
    const line = points.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ");
    parts.push(s("polyline", { points: line, class: l === layer ? "x-curve" : "x-faint" }, s("title", {}, layers[l].name)));
    if (l === layer) for (const [px, py] of points) parts.push(s("circle", { cx: px, cy: py, r: 2.6, class: "f-blue" }));
    ends.push({ at: points[points.length - 1][1], layer: l });
  }
  for (const { place, layer: l, at } of apart(ends, layer)) {
    parts.push(s("line", { x1: WIDTH - RIGHT + 2, x2: WIDTH - RIGHT + 12, y1: at, y2: place, class: l === layer ? "x-leader-a" : "s-grid" }));
    parts.push(s("text", { x: WIDTH - RIGHT + 15, y: place + 4, "font-size": 11, class: l === layer ? "f-blue x-strong" : "f-muted x-label",
      click: () => onChoose(epoch, l) }, layers[l].short));
  }
  labels.forEach((label, e) => parts.push(s("rect", { x: x(e) - step / 2, y: TOP, width: step, height: HEIGHT - TOP, fill: "transparent", class: "x-hit",
    click: () => onChoose(e, layer) }, s("title", {}, `epoch ${label}`))));
  return s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "x-lines", role: "img",
    "aria-label": `${measureTitle(measure)} of every layer in ${n} epochs` }, ...parts);
}

/** Places for labels at least 13 apart, as near to their lines as that allows; the chosen layer's is always among them. */
export function apart(ends: { at: number; layer: number }[], chosen: number): { at: number; layer: number; place: number }[] {
  const gap = 13;
  const room = Math.floor((HEIGHT - BOTTOM) / gap);
  let kept = [...ends].sort((a, b) => a.at - b.at);
  if (kept.length > room) {
    const every = kept.length / room;
    const picked = new Set(Array.from({ length: room }, (_, k) => Math.floor(k * every)));
    kept = kept.filter((e, k) => picked.has(k) || e.layer === chosen);
  }
  const out: { at: number; layer: number; place: number }[] = [];
  for (const end of kept) out.push({ ...end, place: Math.max(end.at, (out[out.length - 1]?.place ?? -gap) + gap) });
  let ceiling = HEIGHT - 10;
  for (let k = out.length - 1; k >= 0 && out[k].place > ceiling; k--) {
    out[k].place = ceiling;
    ceiling -= gap;
  }
  return out;
}
