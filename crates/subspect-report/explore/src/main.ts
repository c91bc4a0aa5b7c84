// Puts the views together and keeps what the reader looks at in the address.

import { Run, unpack } from "./data.ts";
import { h } from "./dom.ts";
import { input } from "./input.ts";
import { layers } from "./layers.ts";
import { ranking } from "./ranking.ts";
import { scatter } from "./scatter.ts";
import { similarity } from "./similarity.ts";
import { type Bounds, fromHash, type State, Store, toHash } from "./state.ts";
import { measures, strip } from "./strip.ts";
import { table } from "./table.ts";

/** The deepest layer before the output, and the input most worth a look there. */
function first(run: Run): State {
  const last = run.layers.length - 1;
  const isOutput = run.layers[last].kind === "linear" && last > 0;
  const layer = isOutput ? last - 1 : last;
  const all = () => true;
  const mistakes = ranking(run, "mistakes", layer, -1, all);
  const best = mistakes[0] ?? ranking(run, "vote-label", layer, -1, all)[0] ?? { input: run.n > 0 ? 0 : -1 };
  const measure = measures(run)[0] ?? "mean_degree";
  const rank = mistakes.length > 0 ? "mistakes" : run.hasLabels ? "vote-label" : "all";
  return { layer, other: -1, input: best.input, map: 0, measure, colour: run.hasLabels ? "class" : "vote", rank, only: -1 };
}

function show(run: Run, place: HTMLElement): void {
  const bounds: Bounds = {
    layers: run.layers.length, inputs: run.n, maps: run.maps.length, classes: run.classes.length, measures: measures(run),
  };
  const start = first(run);
  const store = new Store(fromHash(location.hash, start, bounds));
  const cards = [similarity(run, store), layers(run, store)];
  if (run.header.mapped.length > 0) cards.push(scatter(run, store, "layer"), scatter(run, store, "other"));
  cards.push(table(run, store), input(run, store));
  const grid = h("div", { class: "x-grid" }, ...cards.filter((c) => c !== null));
  const arrange = () => grid.classList.toggle("x-pairs", store.state.other >= 0);
  store.onChange(arrange);
  arrange();
  place.replaceChildren(strip(run, store), grid);
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
