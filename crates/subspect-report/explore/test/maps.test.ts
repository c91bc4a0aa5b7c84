import assert from "node:assert/strict";
import { test } from "node:test";
import type { SimilarityMap } from "../src/data.ts";
import { Run } from "../src/data.ts";
import { about, blocksOf, cellColour, hatch, shownMaps, unclear } from "../src/maps.ts";
import { sample } from "./pack.ts";

const inference = { level: 0.95, n_permutations: 99, lo: [[1, 0.1], [0.1, 1]], hi: [[1, 0.4], [0.4, 1]], p: [[0.001, 0.3], [0.3, 0.001]] };
const map = (measure: string, estimator: string, v: number | string, tested: boolean): SimilarityMap =>
  ({ measure, title: measure, estimator, values: [[1, v], [v, 1]], inference: tested ? inference : null, blocks: [0, 1] });
const run = new Run(sample((header) => {
  header.maps = [map("ssc_cka", "biased", 0.25, true), map("linear_cka", "biased", 0.75, false), map("linear_cka", "debiased", "not_positive", false)];
}));

test("measures with one estimator have a difference, the first minus the second", () => {
  const maps = shownMaps(run.maps);
  assert.deepEqual(maps.map((m) => m.name), ["ssc_cka_biased", "linear_cka_biased", "linear_cka_debiased", "ssc_cka_minus_linear_cka_biased"]);
  assert.deepEqual(maps[3].values, [[0, -0.5], [-0.5, 0]]);
  assert.equal(about(maps[3], 0, 1), "ssc_cka 0.250, linear_cka 0.750");
});

test("cells that are not told from chance are unclear, in the map and in a difference", () => {
  const maps = shownMaps(run.maps);
  assert.deepEqual([unclear(maps[0], 0, 1), unclear(maps[0], 0, 0), unclear(maps[1], 0, 1), unclear(maps[3], 0, 1)], [true, false, false, true]);
  assert.equal(about(maps[0], 0, 1), "95 % interval 0.100 to 0.400, p = 0.300 for the whole map, not told from chance");
});

test("a status has no colour, a block of one layer no outline", () => {
  assert.equal(cellColour(shownMaps(run.maps)[2], "not_positive"), null);
  assert.deepEqual(blocksOf(shownMaps(run.maps)[0]), []);
});

test("hatching stays within its cell", () => {
  for (const size of [4, 9.5, 30]) for (const line of hatch(size)) assert.ok(line.every((v) => v >= 0 && v <= size));
});
