// One input: its picture, its neighbours' pictures as an ego graph with signed coefficients, its class affinity, the
// network's word, and its path through the layers.

import type { Neighbour, Run } from "./data.ts";
import { h, s } from "./dom.ts";
import { epochs } from "./epochs.ts";
import { saveCsv, saves } from "./files.ts";
import { percent } from "./number.ts";
import type { Page } from "./page.ts";
import { path } from "./path.ts";
import { picture } from "./picture.ts";
import type { Store } from "./state.ts";

export function input(run: Run, store: Store, beside: Run, page: Page): HTMLElement {
  const body = h("div");

  function draw(): void {
    const { input: i, layer, other } = store.state;
    if (i < 0) {
      body.replaceChildren(h("p", { class: "note" }, "Choose an input on a map or in the table."));
      return;
    }
    const both: [Run, number][] = other >= 0 ? [[run, layer], [beside, other]] : [[run, layer]];
    body.replaceChildren(
      h("div", { class: both.length > 1 ? "x-one x-beside" : "x-one" }, subject(i, layer), ...both.map(([of, l], k) => view(of, i, l, k))),
      h("h4", {}, "Its path through the layers ",
        h("span", { class: "x-note" }, "share of its affinity on ",
          h("span", { class: "key label" }, run.className(run.label(i))),
          run.prediction(i) >= 0 && run.prediction(i) !== run.label(i)
            ? h("span", {}, " and on ", h("span", { class: "key prediction" }, run.className(run.prediction(i)))) : null,
          "; the row below is the vote")),
      path(run, i, layer, (l) => store.set({ layer: l, other: store.state.other === l && beside === run ? -1 : store.state.other })),
      ...(page.isTraining ? [
        h("h4", {}, "Its path through layers and epochs ", h("span", { class: "x-note" }, "colour: the class that its neighbours name")),
        epochs(page.ready, page.manifest.labels, i, layer, store.state.epoch, (epoch, l) => store.set({ epoch, layer: l }))] : []),
      ...(beside === run ? [] : [
        h("h4", {}, "Its path through ", h("span", { class: "x-name-b" }, beside.header.title)),
        path(beside, i, Math.max(0, other), (l) => store.set({ other: l }))]));
  }

  function subject(i: number, layer: number): HTMLElement {
    const [label, prediction, vote] = [run.label(i), run.prediction(i), run.vote(layer, i)];
    const confidence = run.confidence(i);
    const fact = (name: string, value: string, role = "") => h("p", { class: "x-fact" }, h("span", {}, name), h("b", { class: role }, value));
    return h("div", { class: "x-subject" }, picture(run, i),
      h("p", { class: "meta" }, `input ${run.header.ids[i]}`),
      label >= 0 ? fact("class", run.className(label), "label") : null,
      prediction >= 0 ? fact("network", run.className(prediction) + (confidence === null ? "" : `, ${percent(confidence)}`), prediction === label ? "label" : "prediction") : null,
      fact("vote", run.className(vote), vote === label ? "label" : vote === prediction ? "prediction" : ""));
  }

  function view(of: Run, i: number, layer: number, k: number): HTMLElement {
    const near = of.neighbours(layer, i);
    const head = h("h4", {}, "Neighbours in ", h("span", { class: k === 0 ? "x-name-a" : "x-name-b" }, of.layers[layer].name));
    if (!near) return h("div", {}, head, h("p", { class: "note" }, "Neighbours are not kept for this layer."));
    if (near.length === 0) return h("div", {}, head, h("p", { class: "note" }, h("span", { class: "status" }, "empty_graph"), " This input has no neighbours here."));
    return h("div", { class: "x-view" }, head, ego(of, i, near, (j) => store.set({ input: j })), bars(of, i, layer));
  }

  function bars(of: Run, i: number, layer: number): HTMLElement | null {
    const shares = of.shares(layer, i);
    if (!shares) return null;
    const [label, prediction] = [of.label(i), of.prediction(i)];
    const role = (c: number) => (c === label ? "label" : c === prediction ? "prediction" : "other");
    const order = shares.map((v, c) => [v, c]).filter(([v, c]) => v > 0.004 || c === label || c === prediction)
      .sort((a, b) => b[0] - a[0]).slice(0, 8);
    return h("table", { class: "bars" }, h("tbody", {}, ...order.map(([v, c]) => {
      const bar = h("i");
      bar.style.width = `${(100 * v).toFixed(1)}%`;
      return h("tr", { class: role(c) }, h("th", { scope: "row" }, of.className(c)),
        h("td", {}, h("span", { class: "track" }, bar)), h("td", { class: "num" }, v.toFixed(2)),
        h("td", { class: "vote" }, of.vote(layer, i) === c ? "vote" : ""));
    })));
  }

  function save(): void {
    const { input: i, layer } = store.state;
    if (i < 0) return;
    saveCsv(`neighbours_${run.header.ids[i]}.csv`, [["neighbour", "class", "affinity", "coefficient", "reverse_coefficient"],
      ...(run.neighbours(layer, i) ?? []).map((n) => [run.header.ids[n.input], run.className(run.label(n.input)), n.affinity, n.coefficient, n.reverse])]);
  }

  store.onChange((now, before) => {
    if (now.input !== before.input || (page.isTraining && now !== before && page.ready.length > 0) || now.layer !== before.layer || now.epoch !== before.epoch || now.other !== before.other) draw();
  });
  draw();
  return h("section", { class: "x-card x-wide", "aria-label": "One input" },
    h("h3", {}, "One input"), h("div", { class: "x-head" }, saves({ CSV: save })), body);
}

/** Sign of the input's own coefficient, or an arrow when only the neighbour uses the input. */
export function sign(n: Neighbour): string {
  return n.coefficient > 0 ? "+" : n.coefficient < 0 ? "\u2212" : "\u2190";
}

/** The input in the middle, its neighbours around it: the stronger the affinity, the wider the line. */
function ego(run: Run, i: number, near: Neighbour[], onChoose: (input: number) => void): HTMLElement {
  const top = near[0].affinity;
  const [label, prediction] = [run.label(i), run.prediction(i)];
  const lines: SVGElement[] = [];
  const nodes: HTMLElement[] = [];
  near.forEach((n, k) => {
    const angle = -Math.PI / 2 + (2 * Math.PI * k) / near.length;
    const [x, y] = [50 + 38 * Math.cos(angle), 50 + 38 * Math.sin(angle)];
    const c = run.label(n.input);
    const role = c === label ? "label" : c === prediction ? "prediction" : "other";
    lines.push(s("line", {
      x1: 50, y1: 50, x2: x, y2: y, class: `x-edge ${role}`, "stroke-width": (0.4 + 2.4 * (n.affinity / top)).toFixed(2),
      "stroke-dasharray": n.coefficient < 0 ? "2 1.4" : undefined,
    }));
    const about = `${run.header.ids[n.input]}, ${run.className(c)}: affinity ${n.affinity.toFixed(3)}, coefficient ${n.coefficient.toFixed(3)}, reverse ${n.reverse.toFixed(3)}`;
    const node = h("button", { type: "button", class: `x-node ${role}`, title: about, "aria-label": about, click: () => onChoose(n.input) },
      picture(run, n.input), h("span", {}, h("b", {}, sign(n)), Math.abs(n.coefficient || n.reverse).toFixed(2)));
    node.style.left = `${x}%`;
    node.style.top = `${y}%`;
    nodes.push(node);
  });
  const centre = h("span", { class: "x-node x-centre" }, picture(run, i));
  centre.style.left = centre.style.top = "50%";
  return h("div", { class: "x-ego" }, s("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, ...lines), ...nodes, centre);
}
