// The network as a strip of layers in execution order: one bar each, its height a measure, chosen by click or arrow.

import type { Run } from "./data.ts";
import { choice, h } from "./dom.ts";
import { saveCsv, saves } from "./files.ts";
import { measureTitle, shown } from "./number.ts";
import type { Store } from "./state.ts";

/** The measures that at least one layer has a number for. */
export function measures(run: Run): string[] {
  const names = Object.keys(run.layers[0]?.measures ?? {});
  const first = ["modularity", "vote_accuracy", "vote_agreement", "sre"].filter((n) => names.includes(n));
  const ordered = [...first, ...names.filter((n) => !first.includes(n))];
  return ordered.filter((name) => run.layers.some((l) => typeof l.measures[name] === "number"));
}

export function strip(run: Run, store: Store): HTMLElement {
  const bars = run.layers.map((layer, l) =>
    h("button", {
      type: "button", class: "x-bar", "data-layer": l,
      click: (event) => choose(l, (event as MouseEvent).shiftKey),
      keydown: (event) => onKey(event as KeyboardEvent, l),
    }, h("i"), h("span", { class: "x-hidden" }, layer.name)));
  const list = h("div", { class: "x-bars", role: "group", "aria-label": "Layers in execution order" }, ...bars);
  const line = h("p", { class: "x-line", "aria-live": "polite" });
  const head = h("div", { class: "x-head" });

  function choose(l: number, beside: boolean): void {
    if (beside) store.set({ other: l === store.state.layer || l === store.state.other ? -1 : l });
    else store.set({ layer: l, other: store.state.other === l ? -1 : store.state.other });
  }

  function onKey(event: KeyboardEvent, l: number): void {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -run.layers.length, End: run.layers.length }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = Math.min(run.layers.length - 1, Math.max(0, l + step));
    choose(to, event.shiftKey);
    bars[to].focus();
  }

  function draw(): void {
    const { measure, layer, other } = store.state;
    const values = run.layers.map((l) => l.measures[measure]);
    const numbers = values.filter((v): v is number => typeof v === "number");
    const top = Math.max(...numbers, 1e-9);
    bars.forEach((bar, l) => {
      const value = values[l];
      const share = typeof value === "number" ? Math.max(0, value) / top : 0;
      (bar.firstChild as HTMLElement).style.height = `${Math.max(2, 100 * share)}%`;
      bar.title = `${run.layers[l].name}: ${measureTitle(measure)} ${shown(value)}`;
      bar.setAttribute("aria-pressed", String(l === layer || l === other));
      bar.classList.toggle("x-a", l === layer);
      bar.classList.toggle("x-b", l === other);
      bar.classList.toggle("x-status", typeof value !== "number");
      bar.tabIndex = l === layer ? 0 : -1;
    });
    const about = (l: number) => `${run.layers[l].name}, ${measureTitle(measure)} ${shown(values[l])}`;
    line.replaceChildren(
      h("b", { class: "x-name-a" }, about(layer)),
      ...(other >= 0
        ? [" beside ", h("b", { class: "x-name-b" }, about(other)), " ",
            h("button", { type: "button", click: () => store.set({ other: -1 }) }, "remove")]
        : [h("span", {}, " · shift-click another layer, or click a pair on the map, to set it beside")]));
    head.replaceChildren(
      choice("Bars show", measures(run).map((m) => [m, measureTitle(m)] as const), measure, (m) => store.set({ measure: m })),
      saves({ CSV: () => saveCsv("layers.csv", table()) }));
  }

  function table(): (string | number)[][] {
    const names = measures(run);
    return [["layer", "kind", "n_features", "density", ...names],
      ...run.layers.map((l) => [l.name, l.kind, l.n_features, l.density, ...names.map((n) => l.measures[n] ?? "")])];
  }

  store.onChange((now, before) => {
    if (now.measure !== before.measure || now.layer !== before.layer || now.other !== before.other) draw();
  });
  draw();
  return h("div", { class: "x-strip" }, head, list, line);
}
