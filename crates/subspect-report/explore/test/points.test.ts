import assert from "node:assert/strict";
import { test } from "node:test";
import { MANY, ordered, rgb, wantsWebgl } from "../src/points.ts";

test("colours of the page are read in all their spellings", () => {
  assert.deepEqual(rgb("#0072b2"), [0, 114, 178]);
  assert.deepEqual(rgb("#fA0"), [255, 170, 0]);
  assert.deepEqual([rgb("rgb(68,1,84)"), rgb("rgb(68, 1, 84)")], [[68, 1, 84], [68, 1, 84]]);
  assert.deepEqual(rgb("no colour"), [128, 128, 128]);
});

test("dimmed inputs are drawn first, all of them once and at their own place", () => {
  const { places, colours } = ordered({
    key: "", n: 3, places: Float32Array.of(0, 0.5, 1, -1, 0.25, 0.75), colour: (i) => ["#010203", "#040506", "#070809"][i], dim: (i) => i === 1, faint: "#aaaaaa",
  });
  assert.deepEqual(Array.from(places), [1, -1, 0, 0.5, 0.25, 0.75]);
  assert.deepEqual(Array.from(colours), [170, 170, 170, 89, 1, 2, 3, 224, 7, 8, 9, 224]);
});

test("the number of inputs decides, unless the address does", () => {
  assert.deepEqual([wantsWebgl(MANY, ""), wantsWebgl(MANY + 1, "")], [false, true]);
  assert.deepEqual([wantsWebgl(5, "?points=webgl"), wantsWebgl(10 * MANY, "?points=canvas"), wantsWebgl(5, "?points=other")], [true, false, false]);
});
