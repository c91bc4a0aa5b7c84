import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bounds, fromHash, type State, Store, toHash } from "../src/state.ts";

const start: State = { run: 0, beside: 0, epoch: 0, layer: 1, other: -1, input: 0, map: 0, measure: "modularity", colour: "class", rank: "all", only: -1 };
const bounds: Bounds = { layers: 3, others: 3, inputs: 10, maps: 2, scores: 1, epochs: 5, runs: 2, classes: 4, measures: ["modularity", "sre"] };

test("a state survives its way through the address", () => {
  const state: State = { run: 1, beside: 0, epoch: 4, layer: 2, other: 0, input: 9, map: 1, measure: "sre", colour: "vote", rank: "score-0", only: 3 };
  assert.deepEqual(fromHash(toHash(state), start, bounds), state);
});

test("what is out of bounds or foreign leaves the state as it was", () => {
  for (const hash of ["", "#layers", "#explore?layer=3&other=-2&input=1.5&map=&colour=pink&rank=score-1&epoch=5&run=2&only=99&measure=x", "#explore?layer=NaN"]) {
    assert.deepEqual(fromHash(hash, start, bounds), start, hash);
  }
});

test("listeners hear the new and the old state", () => {
  const store = new Store(start);
  const heard: number[][] = [];
  store.onChange((now, before) => heard.push([before.layer, now.layer]));
  store.set({ layer: 2 });
  store.select(new Set([1]));
  assert.deepEqual(heard, [[1, 2], [2, 2]]);
});
