// Puts the views together and keeps what the reader looks at in the address.

import { Run, unpack } from "./data.ts";
import { depth } from "./depth.ts";
import { h } from "./dom.ts";
import { input } from "./input.ts";
import { layers } from "./layers.ts";
import { shownMaps } from "./maps.ts";
import { ranking, ranks } from "./ranking.ts";
import { scatter } from "./scatter.ts";
import { measures } from "./series.ts";
import { similarity } from "./similarity.ts";
import { type Bounds, fromHash, type State, Store, toHash } from "./state.ts";
import { strip } from "./strip.ts";
import { table } from "./table.ts";

/** The deepest layer before the output, and the input most worth a look there. */
function first(run: Run): State {
  const last = run.layers.length - 1;
  const isOutput = run.layers[last].kind === "linear" && last > 0;
  const layer = isOutput ? last - 1 : last;
  const rank = ranks(run, -1).find((r) => ranking(run, r, layer, -1, () => true).length > 0) ?? "all";
  const best = ranking(run, rank, layer, -1, () => true)[0];
  const measure = measures(run)[0];
  return { epoch: 0, layer, other: -1, input: best?.input ?? -1, map: 0, measure, colour: run.hasLabels ? "class" : "vote", rank, only: -1 };
}

function show(run: Run, place: HTMLElement): void {
  const bounds: Bounds = {
    layers: run.layers.length, inputs: run.n, maps: shownMaps(run).length, classes: run.classes.length, scores: run.header.scores.length, epochs: 1, measures: measures(run),
  };
  const start = first(run);
  const store = new Store(fromHash(location.hash, start, bounds));
  const cards = [depth(run, store), similarity(run, store), layers(run, store, run)];
  if (run.header.mapped.length > 0) cards.push(scatter(run, store, "layer"), scatter(run, store, "other"));
  cards.push(table(run, store, run), input(run, store, run));
  const grid = h("div", { class: "x-grid" }, ...cards.filter((c) => c !== null));
  const arrange = () => grid.classList.toggle("x-pairs", store.state.other >= 0);
  store.onChange(arrange);
  arrange();
  place.replaceChildren(strip(run, store, run), grid);
  place.dataset.ready = "true";
  store.onChange((state) => history.replaceState(null, "", toHash(state)));
  addEventListener("hashchange", () => {
    if (location.hash.startsWith("#explore?")) store.set(fromHash(location.hash, start, bounds));
  });
  if (location.hash.startsWith("#explore?")) document.getElementById("explore")?.scrollIntoView();
}

async function start(): Promise<void> {
  const place = document.getElementById("explore-app");
  const data = document.getElementById("explore-data")?.textContent;
  if (!place || !data) return;
  if (typeof DecompressionStream === "undefined") {
    place.replaceChildren(h("p", { class: "note" }, "This browser is too old for the interactive part. Everything else on the page can be read."));
    return;
  }
  try {
    show(new Run(await unpack(data)), place);
  } catch (error) {
    place.replaceChildren(h("p", { class: "note" }, `The interactive part could not be shown: ${String(error)}. Write the page again with 'subspect report'.`));
    throw error;
  }
}

void start();
