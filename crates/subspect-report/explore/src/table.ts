// The inputs in an order that says which to look at first.

import type { Run } from "./data.ts";
import { choice, h } from "./dom.ts";
import { saveCsv, saves } from "./files.ts";
import { picture } from "./picture.ts";
import { type Ranked, ranking, ranks, rankTitle, scoreTitle } from "./ranking.ts";
import type { Store } from "./state.ts";

/** Rows that are shown at first and added by the button. */
const PAGE = 40;

export function table(run: Run, store: Store, beside: Run): HTMLElement {
  let shownRows = PAGE;
  let search = "";
  let rows: Ranked[] = [];
  const head = h("div", { class: "x-head" });
  const body = h("tbody");
  const score = h("th", { scope: "col", class: "num" });
  const foot = h("p", { class: "x-line" });
  const box = h("input", {
    type: "search", placeholder: "id or class", "aria-label": "Search inputs by id or class",
    input: () => {
      search = box.value.trim().toLowerCase();
      rank();
    },
  });

  function within(i: number): boolean {
    const { only } = store.state;
    if (store.selection !== null && !store.selection.has(i)) return false;
    if (only >= 0 && run.label(i) !== only) return false;
    if (search === "") return true;
    return run.header.ids[i].toLowerCase().includes(search) || run.className(run.label(i)).toLowerCase().includes(search);
  }

  function rank(): void {
    const { layer, other } = store.state;
    const usable = ranks(run, other);
    const order = usable.includes(store.state.rank) ? store.state.rank : usable[0];
    rows = ranking(run, order, layer, other, within, beside);
    shownRows = PAGE;
    score.textContent = scoreTitle(order);
    head.replaceChildren(
      choice("Order", usable.map((r) => [r, rankTitle(run, r)] as const), order, (r) => store.set({ rank: r })),
      box,
      saves({ CSV: save }));
    draw();
  }

  function draw(): void {
    const { layer, input } = store.state;
    body.replaceChildren(...rows.slice(0, shownRows).map(({ input: i, text }) => row(i, text, layer, i === input)));
    const left = rows.length - shownRows;
    foot.replaceChildren(`${rows.length} input${rows.length === 1 ? "" : "s"} `,
      left > 0 ? h("button", { type: "button", click: () => { shownRows += 4 * PAGE; draw(); } }, "show more") : "");
  }

  function row(i: number, text: string, layer: number, isChosen: boolean): HTMLElement {
    const look = () => store.set({ input: i });
    const [label, prediction, vote] = [run.label(i), run.prediction(i), run.vote(layer, i)];
    const other = (c: number) => h("td", { class: c === label ? "x-same" : "x-differs" }, run.className(c));
    return h("tr", { class: isChosen ? "x-chosen" : "", click: look },
      h("td", { class: "x-thumb" }, picture(run, i)),
      h("th", { scope: "row" }, h("button", { type: "button", "aria-pressed": String(isChosen), click: look }, run.header.ids[i])),
      h("td", {}, run.className(label)),
      run.hasPredictions ? other(prediction) : null,
      other(vote),
      h("td", { class: "num" }, text));
  }

  function save(): void {
    const { layer } = store.state;
    saveCsv("inputs.csv", [["id", "class", "prediction", "confidence", "vote", "score"],
      ...rows.map(({ input: i, score: value }) => [run.header.ids[i], run.className(run.label(i)), run.className(run.prediction(i)),
        run.confidence(i) ?? "", run.className(run.vote(layer, i)), value])]);
  }

  store.onChange((now, before) => {
    const same = now.layer === before.layer && now.epoch === before.epoch && now.other === before.other && now.rank === before.rank && now.only === before.only;
    if (same && now !== before && now.input !== before.input) draw();
    else rank();
  });
  rank();
  const columns = ["", "Input", "Class", ...(run.hasPredictions ? ["Network"] : []), "Vote"];
  return h("section", { class: "x-card x-ranked", "aria-label": "Inputs, ranked" },
    h("h3", {}, "Inputs to look at first"), head,
    h("div", { class: "x-rows", tabindex: 0, role: "region", "aria-label": "Ranked inputs" },
      h("table", {}, h("thead", {}, h("tr", {}, ...columns.map((c) => h("th", { scope: "col" }, c)), score)), body)),
    foot);
}
