import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, escape } from "../src/files.ts";
import { inside } from "../src/lasso.ts";
import { shown } from "../src/number.ts";

test("CSV cells are quoted and formulas defused, numbers stay numbers", () => {
  assert.equal(csv([["a,b", 'say "x"', "=1+1", -0.5], ["@x", "plain", "", 2]]), '"a,b","say ""x""",\'=1+1,-0.5\r\n\'@x,plain,,2\r\n');
});

test("markup in a name is text", () => {
  assert.equal(escape('<img onerror="x">&'), "&lt;img onerror=&quot;x&quot;&gt;&amp;");
});

test("a point is inside a polygon or not", () => {
  const square: [number, number][] = [[0, 0], [10, 0], [10, 10], [0, 10]];
  assert.ok(inside(square, 5, 5));
  assert.ok(!inside(square, 15, 5));
  assert.ok(!inside([[0, 0], [10, 0]], 5, 0.1));
});

test("numbers read like the rest of the page", () => {
  assert.deepEqual([shown(0.12345), shown(-0.5, 1), shown(-0.0001), shown("one_class"), shown(undefined)],
    ["0.123", "\u22120.5", "0.000", "one_class", "not_executed"]);
});
