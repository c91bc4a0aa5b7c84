import assert from "node:assert/strict";
import { test } from "node:test";
import { apart, position, settledText } from "../src/training.ts";

test("labels keep apart and the chosen one is always there", () => {
  const ends = Array.from({ length: 60 }, (_, layer) => ({ at: 100 + (layer % 3), layer }));
  const placed = apart(ends, 31);
  assert.ok(placed.some((p) => p.layer === 31));
  for (let k = 1; k < placed.length; k++) assert.ok(placed[k].place - placed[k - 1].place > 12.99);
});

test("an epoch between recorded ones lies between them", () => {
  assert.deepEqual([0, 1, 3, 5, 9].map((e) => position([1, 3, 9], e)), [0, 0, 1, 1 + 1 / 3, 2]);
});

test("what the epochs only bound is said to be a bound", () => {
  const settling = { epochs: [[0, 0, 0], [20, "n_too_small", 20], [7.5, 6, 9], ["not_finite", 0, 0]], censored: ["by_first", "at_last", "no", "no"], sentence: "" };
  const of = (l: number) => settledText(settling as never, l);
  assert.deepEqual([of(0), of(1), of(2), of(3)],
    ["settled by epoch 0.0 (0.0 to 0.0)", "not settled before epoch 20", "settled at epoch 7.5 (6 to 9)", "settling: not_finite"]);
});
