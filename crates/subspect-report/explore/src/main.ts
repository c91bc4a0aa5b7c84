// Puts the views together and keeps what the reader looks at in the address.

import { chooser } from "./chooser.ts";
import type { Run } from "./data.ts";
import { depth } from "./depth.ts";
import { h } from "./dom.ts";
import { input } from "./input.ts";
import { layers } from "./layers.ts";
import { shownMaps } from "./maps.ts";
import { Page } from "./page.ts";
import { ranking, ranks } from "./ranking.ts";
import { scatter } from "./scatter.ts";
import { measures } from "./series.ts";
import { similarity } from "./similarity.ts";
import { type Bounds, fromHash, type State, Store, toHash } from "./state.ts";
import { strip } from "./strip.ts";
import { table } from "./table.ts";
import { training } from "./training.ts";

/** The deepest layer before the output, and the input most worth a look there. */
function first(run: Run, epoch: number): State {
  const last = run.layers.length - 1;
  const isOutput = run.layers[last].kind === "linear" && last > 0;
  const layer = isOutput ? last - 1 : last;
  const rank = ranks(run, -1).find((r) => ranking(run, r, layer, -1, () => true).length > 0) ?? "all";
  const best = ranking(run, rank, layer, -1, () => true)[0];
  const colour = run.hasLabels ? "class" : "vote";
  return { run: 0, beside: 0, epoch, layer, other: -1, input: best?.input ?? -1, map: 0, measure: measures(run)[0], colour, rank, only: -1 };
}

/** Most that a state may name: of one run, and of the one beside it. */
function bounds(page: Page, run: Run, beside: Run): Bounds {
  const maps = Math.max(shownMaps(run.maps).length, 1);
  return {
    layers: run.layers.length, others: beside.layers.length, inputs: run.n, maps, classes: run.classes.length, scores: run.header.scores.length,
    epochs: page.isTraining ? page.n : 1, runs: page.isTraining ? 1 : page.n, measures: measures(run),
  };
}

/** The views of one run, or of two. */
async function mount(page: Page, place: HTMLElement, wanted: State | null): Promise<void> {
  const k = page.isTraining ? (wanted?.epoch ?? page.n - 1) : (wanted?.run ?? 0);
  const run = page.isTraining ? (await page.run(k)).copy() : await page.run(k);
  const all = page.isTraining ? [] : await Promise.all(Array.from({ length: page.n }, (_, j) => page.run(j)));
  const offered = all.map((other) => other.sharesInputs(run));
  const start = { ...first(run, page.isTraining ? k : 0), run: page.isTraining ? 0 : k };
  const besideAt = wanted && offered[wanted.beside] ? wanted.beside : start.run;
  const beside = page.isTraining || besideAt === start.run ? run : all[besideAt];
  start.beside = besideAt;
  const limits = bounds(page, run, beside);
  const state = wanted ? fromHash(toHash(wanted), start, limits) : start;
  const store = new Store({ ...state, run: start.run, beside: start.beside });
  if (beside !== run && store.state.other < 0) store.set({ other: first(beside, 0).layer });
  await Promise.all([run.need(store.state.layer), beside.need(store.state.other)]);
  place.dataset.pictures = String(page.manifest.pictures[page.isTraining ? page.n - 1 : k]);

  const cards = [depth(run, store, beside), similarity(run, store, beside, page.cross(start.run, start.beside)), layers(run, store, beside)];
  if (run.hasMaps) cards.push(scatter(run, store, "layer"), scatter(beside, store, "other"));
  cards.push(table(run, store, beside), input(run, store, beside, page));
  const grid = h("div", { class: "x-grid" }, ...cards.filter((c) => c !== null));
  const arrange = () => grid.classList.toggle("x-pairs", store.state.other >= 0);
  store.onChange(arrange);
  arrange();
  place.replaceChildren(...[
    page.isTraining ? training(page, store) : null,
    !page.isTraining && page.n > 1 ? chooser(page, store, offered) : null,
    strip(run, store, beside), grid,
  ].filter((node) => node !== null));
  place.dataset.ready = "true";
  follow(page, place, run, beside, store, { start, limits });
}

/** What a change of the state brings about beyond the views: what they need for it, the address, another epoch, other runs. */
function follow(page: Page, place: HTMLElement, run: Run, beside: Run, store: Store, { start, limits }: { start: State; limits: Bounds }): void {
  const listen = new AbortController();
  // What is asked for meanwhile waits, too, so that changes come in their order.
  let waiting: Partial<State> | null = null;
  const wait = (needs: (Promise<unknown> | null)[]) => {
    void Promise.all(needs).then(
      () => store.set(taken()),
      (error) => {
        waiting = null;
        place.replaceChildren(h("p", { class: "note" }, `The viewer does not answer (${String(error)}). Is 'subspect serve' still running?`));
      });
  };
  const taken = () => {
    const change = waiting ?? {};
    waiting = null;
    return change;
  };
  store.before = (change) => {
    if (waiting) {
      Object.assign(waiting, change);
      return false;
    }
    const state = { ...store.state, ...change };
    const epoch = page.isTraining ? page.ready[state.epoch] : run;
    const needs = epoch ? [epoch.need(state.layer), (beside === run ? epoch : beside).need(state.other)] : [page.run(state.epoch)];
    if (needs.some((need) => need !== null)) {
      waiting = change;
      wait(needs);
      return false;
    }
    if (page.isTraining && epoch) run.show(epoch);
    return true;
  };
  store.onChange((state, before) => {
    history.replaceState(null, "", toHash(state));
    if (state.run === before.run && state.beside === before.beside) return;
    listen.abort();
    void mount(page, place, state);
  });
  addEventListener("hashchange", () => {
    if (!location.hash.startsWith("#explore?")) return;
    const state = fromHash(location.hash, start, { ...limits, runs: page.isTraining ? 1 : page.n });
    store.set(state);
  }, { signal: listen.signal });
  if (page.isTraining) void unpackAll(page, store);
}

/** Unpacks the other epochs while the reader looks at the first view. */
async function unpackAll(page: Page, store: Store): Promise<void> {
  for (let k = page.n - 1; k >= 0; k--) {
    await page.run(k);
    await new Promise((done) => setTimeout(done));
  }
  store.set({});
}

async function start(): Promise<void> {
  const place = document.getElementById("explore-app");
  if (!place) return;
  if (typeof DecompressionStream === "undefined") {
    place.replaceChildren(h("p", { class: "note" }, "This browser is too old for the interactive part. Everything else on the page can be read."));
    return;
  }
  try {
    const page = Page.of(document);
    await mount(page, place, wanted(page));
    if (location.hash.startsWith("#explore?")) document.getElementById("explore")?.scrollIntoView();
  } catch (error) {
    place.replaceChildren(h("p", { class: "note" }, `The interactive part could not be shown: ${String(error)}. Write the page again with 'subspect report'.`));
    throw error;
  }
}

/** The state in the address, as far as it can be trusted before a run is unpacked. */
function wanted(page: Page): State | null {
  if (!location.hash.startsWith("#explore?")) return null;
  const any = Number.MAX_SAFE_INTEGER;
  const parts = new URLSearchParams(location.hash.slice("#explore?".length));
  const blank: State = {
    run: 0, beside: 0, epoch: page.isTraining ? page.n - 1 : 0, layer: -1, other: -1, input: -2, map: 0, measure: "", colour: "class", rank: "all", only: -1,
  };
  return fromHash(location.hash, blank, {
    layers: any, others: any, inputs: any, maps: any, classes: any, scores: 100, epochs: page.n, runs: page.n, measures: [parts.get("measure") ?? ""],
  });
}

void start();
