// Training: a slider over the epochs that drives every view, and one line per layer on its way through them, labelled
// where it ends.

import type { Value } from "./data.ts";
import { choice, h, s } from "./dom.ts";
import { saveCsv, saves } from "./files.ts";
import { measureTitle, shown } from "./number.ts";
import type { Convergence, Page } from "./page.ts";
import { series, stretches } from "./series.ts";
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
  const known = page.manifest.training?.convergence ?? [];
  const summary = page.manifest.training?.summary ?? [];
  /** Which lines are drawn: a similarity to the final state, or (-1) the measure of the strip. */
  let shownLines = known.length > 0 ? 0 : -1;
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
    const of = known[shownLines] as Convergence | undefined;
    const names = page.ready.find((r) => r)?.layers.map((l) => l.short) ?? [];
    const drawn: Drawn = of
      ? { title: `similarity to the final epoch, ${of.title}`, values: of.values, lo: of.lo, hi: of.hi, threshold: page.manifest.training?.threshold ?? null,
          settled: of.settling?.epochs.map((e) => e[0]) ?? null }
      : { title: measureTitle(measure), values: page.ready.map((r) => (r ? series(r, measure).map((p) => p.value ?? "not_executed") : [])), lo: null, hi: null,
          threshold: null, settled: null };
    chart.replaceChildren(lines(drawn, names, labels, layer, epoch, (e, l) => store.set({ epoch: e, layer: l })));
    const value = drawn.values[epoch]?.[layer];
    foot.replaceChildren(h("b", { class: "x-name-a" }, names[layer] ?? ""), ` ${drawn.title} ${shown(value)}`,
      of?.settling ? ` · ${settledText(of.settling, layer)}` : "",
      of?.settling ? h("span", { class: "x-more" }, of.settling.sentence) : "",
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
    ...summary.map((sentence) => h("p", { class: "x-said" }, sentence)),
    h("div", { class: "x-head" }, play, slider, now,
      known.length > 0 ? choice("Lines show", [...known.map((c, k) => [String(k), `similarity to the end, ${c.title}`] as const), ["-1", "the measure of the bars"] as const],
        String(shownLines), (k) => {
          shownLines = Number(k);
          draw();
        }) : null,
      saves({ CSV: save })), chart, foot);
}

/** When a layer settled, in words; what the recorded epochs only bound is said to be a bound. */
export function settledText(settling: NonNullable<Convergence["settling"]>, layer: number): string {
  const [epoch, lo, hi] = settling.epochs[layer] ?? ["not_executed", "", ""];
  if (typeof epoch !== "number") return `settling: ${epoch}`;
  const when = ({ by_first: "settled by epoch ", at_last: "not settled before epoch ", mixed: "settled about epoch " } as Record<string, string>)[settling.censored[layer]] ?? "settled at epoch ";
  return when + shown(epoch, 1) + (typeof lo === "number" && typeof hi === "number" ? ` (${shown(lo, 1)} to ${shown(hi, 1)})` : "");
}

interface Drawn {
  title: string;
  /** Epochs x layers. */
  values: Value[][];
  lo: Value[][] | null;
  hi: Value[][] | null;
  threshold: number | null;
  /** Settling epoch of every layer, as a number of epochs. */
  settled: Value[] | null;
}

/** The value of every layer in every epoch; the chosen layer stands out. Labels are moved apart where lines end close together. */
export function lines(
  drawn: Drawn, names: string[], labels: string[], layer: number, epoch: number, onChoose: (epoch: number, layer: number) => void,
): SVGElement {
  const n = labels.length;
  const of = drawn.values;
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
  if (drawn.threshold !== null) {
    parts.push(s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(drawn.threshold), y2: y(drawn.threshold), class: "x-now" }),
      s("text", { x: LEFT + 4, y: y(drawn.threshold) - 4, "font-size": 10.5, class: "f-muted" }, `settled from ${shown(drawn.threshold, 2)} on`));
  }
  const [lo, hi] = [drawn.lo, drawn.hi].map((t) => t?.map((row) => row[layer]) ?? []);
  const ranges = of.map((_, e): [number, number] | null => (typeof lo[e] === "number" && typeof hi[e] === "number" ? [lo[e] as number, hi[e] as number] : null));
  for (const { start, items } of stretches(ranges)) {
    const up = items.map((r, k) => `${x(start + k)},${y(r[1])}`);
    const down = items.map((r, k) => `${x(start + k)},${y(r[0])}`).reverse();
    if (items.length > 1) parts.push(s("polygon", { points: [...up, ...down].join(" "), class: "x-band" }));
  }
  const ends: { at: number; layer: number }[] = [];
  const order = names.map((_, l) => l).filter((l) => l !== layer);
  for (const l of [...order, ...(names[layer] === undefined ? [] : [layer])]) {
    const points = of.flatMap((values, e) => (typeof values[l] === "number" ? [[x(e), y(values[l] as number)]] : []));
    if (points.length === 0) continue;
    const line = points.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ");
    parts.push(s("polyline", { points: line, class: l === layer ? "x-curve" : "x-faint" }, s("title", {}, names[l])));
    if (l === layer) for (const [px, py] of points) parts.push(s("circle", { cx: px, cy: py, r: 2.6, class: "f-blue" }));
    ends.push({ at: points[points.length - 1][1], layer: l });
  }
  const numbersOf = labels.map(Number);
  drawn.settled?.forEach((when, l) => {
    const threshold = drawn.threshold;
    if (typeof when !== "number" || threshold === null) return;
    parts.push(s("circle", { cx: x(position(numbersOf, when)), cy: y(threshold), r: l === layer ? 5 : 3, class: l === layer ? "f-blue" : "x-settled" },
      s("title", {}, `${names[l]}: epoch ${shown(when, 1)}`)));
  });
  for (const { place, layer: l, at } of apart(ends, layer)) {
    parts.push(s("line", { x1: WIDTH - RIGHT + 2, x2: WIDTH - RIGHT + 12, y1: at, y2: place, class: l === layer ? "x-leader-a" : "s-grid" }));
    parts.push(s("text", { x: WIDTH - RIGHT + 15, y: place + 4, "font-size": 11, class: l === layer ? "f-blue x-strong" : "f-muted x-label",
      click: () => onChoose(epoch, l) }, names[l]));
  }
  labels.forEach((label, e) => parts.push(s("rect", { x: x(e) - step / 2, y: TOP, width: step, height: HEIGHT - TOP, fill: "transparent", class: "x-hit",
    click: () => onChoose(e, layer) }, s("title", {}, `epoch ${label}`))));
  return s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "x-lines", role: "img",
    "aria-label": `${drawn.title} of every layer in ${n} epochs` }, ...parts);
}

/** Where an epoch lies among the recorded ones, linear between them. */
export function position(epochs: number[], epoch: number): number {
  for (let k = 1; k < epochs.length; k++) {
    if (epoch <= epochs[k]) return k - 1 + Math.max(0, (epoch - epochs[k - 1]) / (epochs[k] - epochs[k - 1]));
  }
  return Math.max(0, epochs.length - 1);
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
