import assert from "node:assert/strict";
import { test } from "node:test";
import { agreement } from "../src/colour.ts";
import { Run } from "../src/data.ts";
import { changes, margin, moved, ranking, ranks, rankTitle } from "../src/ranking.ts";
import { sample } from "./pack.ts";

const run = new Run(sample());
const all = () => true;

test("mistakes come by confidence, votes by margin", () => {
  assert.deepEqual(ranking(run, "mistakes", 0, -1, all).map((r) => r.input), [2]);
  const [first] = ranking(run, "vote-label", 0, -1, all);
  assert.equal(first.input, 2);
  assert.equal(first.score, 1);
  assert.equal(margin(run, 1, 1, 1), 0); // no vote, no margin
});

test("the change of a neighbourhood is 0 for the same one and 1 without a common neighbour", () => {
  assert.equal(moved(run, 0, 0, 0), 0);
  assert.equal(moved(run, 0, 1, 1), 1);
  const between = moved(run, 0, 1, 0) as number;
  assert.ok(between > 0 && between < 1);
  assert.ok(Math.abs((moved(run, 1, 0, 0) as number) - between) < 1e-12);
});

test("votes that change are counted", () => {
  assert.deepEqual([changes(run, 0), changes(run, 1), changes(run, 2)], [0, 1, 1]);
});

test("equal scores keep the order of the run and filters hold", () => {
  assert.deepEqual(ranking(run, "all", 0, -1, all).map((r) => r.input), [0, 1, 2]);
  assert.deepEqual(ranking(run, "all", 0, -1, (i) => i !== 1).map((r) => r.input), [0, 2]);
});

test("agreement tells the five cases apart", () => {
  assert.deepEqual([agreement(0, 0, 0), agreement(0, 0, 1), agreement(0, 1, 0), agreement(0, 1, 1), agreement(0, 1, 2), agreement(0, 1, -1)], [0, 1, 2, 3, 4, 4]);
});

test("stored scores come first, undefined ones are left out", () => {
  assert.deepEqual(ranking(run, "score-0", 1, -1, all).map((r) => r.input), [0, 2]);
  assert.equal(ranks(run, -1)[0], "score-0");
  assert.match(rankTitle(run, "score-0"), /one/);
});
