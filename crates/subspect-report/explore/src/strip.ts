// The network as a strip of layers in execution order: one bar each, its height a measure with its interval over inputs
// and what permuted labels give, chosen by click or arrow.

import type { Run } from "./data.ts";
import { choice, h } from "./dom.ts";
import { saveCsv, saves } from "./files.ts";
import { measureTitle, shown } from "./number.ts";
import { DENSITY, measures, type Point, range, series } from "./series.ts";
import type { Store } from "./state.ts";

export function strip(run: Run, store: Store, beside: Run): HTMLElement {
  const isPair = beside !== run;
  const line = h("p", { class: "x-line", "aria-live": "polite" });
  const head = h("div", { class: "x-head" });
  const choose = (l: number, pair: boolean): void => {
    const { layer, other } = store.state;
    if (pair) store.set({ other: (l === layer && !isPair) || l === other ? -1 : l });
    else store.set({ layer: l, other: other === l && !isPair ? -1 : other });
  };
  const rows = [row(run, choose), ...(isPair ? [row(beside, (l) => choose(l, true))] : [])];

  function draw(): void {
    const { measure, layer, other } = store.state;
    rows[0].draw(measure, layer, isPair ? -1 : other);
    rows[1]?.draw(measure, -1, other);
    const about = (of: Run, l: number) => `${of.layers[l].name}, ${measureTitle(measure)} ${known(series(of, measure)[l])}`;
    line.replaceChildren(
      h("b", { class: "x-name-a" }, about(run, layer)),
      ...(other >= 0
        ? [" beside ", h("b", { class: "x-name-b" }, about(beside, other)), " ",
            h("button", { type: "button", click: () => store.set({ other: -1 }) }, "remove")]
        : [h("span", {}, isPair ? " · click a layer of the second network to set it beside"
            : " · shift-click another layer, or click a pair on the map, to set it beside")]));
    head.replaceChildren(
      choice("Bars show", measures(run).map((m) => [m, measureTitle(m)] as const), measure, (m) => store.set({ measure: m })),
      saves({ CSV: () => saveCsv("layers.csv", table(run)) }));
  }

  store.onChange((now, before) => {
    if (now.measure !== before.measure || now.epoch !== before.epoch || now.layer !== before.layer || now.other !== before.other) draw();
  });
  draw();
  const names = (k: number) => (isPair ? h("h4", { class: k === 0 ? "x-name-a" : "x-name-b" }, (k === 0 ? run : beside).header.title) : null);
  return h("div", { class: "x-strip" }, head, ...rows.flatMap((r, k) => [names(k), r.list]), line);
}

/** The bars of one network. */
function row(run: Run, choose: (layer: number, pair: boolean) => void) {
  const bars = run.layers.map((layer, l) =>
    h("button", {
      type: "button", class: "x-bar", "data-layer": l,
      click: (event) => choose(l, (event as MouseEvent).shiftKey),
      keydown: (event) => onKey(event as KeyboardEvent, l),
    }, h("i"), h("u"), h("s"), h("span", { class: "x-hidden" }, layer.name)));

  function onKey(event: KeyboardEvent, l: number): void {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -run.layers.length, End: run.layers.length }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = Math.min(run.layers.length - 1, Math.max(0, l + step));
    choose(to, event.shiftKey);
    bars[to].focus();
  }

  function draw(measure: string, layer: number, other: number): void {
    const points = series(run, measure);
    const [, top] = range(points);
    bars.forEach((bar, l) => {
      const value = points[l].value;
      const share = typeof value === "number" ? Math.max(0, value) / top : 0;
      const [body, chance, whisker] = bar.children as unknown as HTMLElement[];
      body.style.height = `${Math.max(2, 100 * share)}%`;
      place(chance, points[l].chance, top);
      place(whisker, points[l].interval, top);
      bar.title = `${run.layers[l].name}: ${measureTitle(measure)} ${known(points[l])}`;
      bar.setAttribute("aria-pressed", String(l === layer || l === other));
      bar.classList.toggle("x-a", l === layer);
      bar.classList.toggle("x-b", l === other);
      bar.classList.toggle("x-status", typeof value !== "number");
      bar.tabIndex = l === (layer >= 0 ? layer : Math.max(0, other)) ? 0 : -1;
    });
  }

  return { list: h("div", { class: "x-bars", role: "group", "aria-label": `Layers of ${run.header.title} in execution order` }, ...bars), draw };
}

function table(run: Run): (string | number)[][] {
  const names = measures(run).filter((n) => n !== DENSITY);
  return [["layer", "kind", "n_features", "density", ...names],
    ...run.layers.map((l) => [l.name, l.kind, l.n_features, l.density, ...names.map((n) => l.measures[n] ?? "")])];
}

/** A value with its interval, and whether chance gives as much. */
function known({ value, interval, chance }: Point): string {
  const parts = [shown(value)];
  if (interval) parts.push(`(${shown(interval[0])} to ${shown(interval[1])})`);
  if (chance && typeof value === "number" && value >= chance[0] && value <= chance[1]) parts.push("within chance");
  return parts.join(" ");
}

function place(mark: HTMLElement, range: [number, number] | null, top: number): void {
  mark.hidden = range === null || range[1] <= 0;
  if (!range) return;
  const low = Math.max(0, range[0]);
  mark.style.bottom = `${(100 * low) / top}%`;
  mark.style.height = `${(100 * Math.max(0, range[1] - low)) / top}%`;
}
