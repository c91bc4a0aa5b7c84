import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { Run, unpack } from "../src/data.ts";
import { measures, series, stretches } from "../src/series.ts";
import { sample } from "./pack.ts";

test("a packed run is read back", async () => {
  const run = new Run(await unpack(gzipSync(new Uint8Array(sample())).toString("base64")));
  assert.deepEqual([run.n, run.label(2), run.prediction(2), run.vote(1, 1)], [3, 0, 1, -1]);
  assert.equal(run.className(run.vote(1, 1)), "none");
  assert.equal(run.confidence(0), 1);
  assert.equal(run.places(0), null);
  assert.deepEqual(Array.from(run.places(1) as Float32Array).slice(0, 4), [0, 0, 1, -1]);
  assert.deepEqual(run.neighbours(0, 0)?.map((n) => [n.input, n.coefficient]), [[1, -2], [2, 0]]);
  assert.equal(run.neighbours(1, 1)?.length, 0);
  assert.deepEqual(run.shares(0, 0), [0.2, 0.8]);
  assert.deepEqual([run.tile(0), run.tile(1), run.tile(2)], [[100, 0], null, [0, 0]]);
});

test("what is not kept is null, not a wrong number", () => {
  const run = new Run(sample((header) => { header.linked = [1]; header.scales = [1]; }));
  assert.equal(run.neighbours(0, 0), null);
  assert.equal(run.shares(0, 0), null);
  assert.deepEqual([run.share(0, 0, 0), run.share(0, 0, 1), run.share(1, 0, 1)], [0.2, null, 0.8]);
});

test("another layout of the data is refused", () => {
  assert.throws(() => new Run(sample((header) => { header.version = 99; })), /layout 99/);
});

test("only measures that have a number somewhere are offered, modularity first", () => {
  assert.deepEqual(measures(new Run(sample())), ["modularity", "sre", "density"]);
});

test("a series has intervals and chance where they are known, and gaps stay gaps", () => {
  const [one, two] = series(new Run(sample()), "modularity");
  assert.deepEqual([one.value, one.interval, one.chance], [0.1, [0.05, 0.15], [-0.01, 0.01]]);
  assert.deepEqual([two.value, two.interval], ["one_class", null]);
  assert.deepEqual(stretches([1, null, 2, 3]), [{ start: 0, items: [1] }, { start: 2, items: [2, 3] }]);
});

test("scores that are undefined are null", () => {
  const run = new Run(sample());
  assert.deepEqual([0, 1, 2].map((i) => run.score(0, i)), [0.5, null, 0.25]);
});
