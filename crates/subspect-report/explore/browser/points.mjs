// The map of the inputs drawn by WebGL and by the canvas: node browser/points.mjs REPORT.html|http://127.0.0.1:PORT/ [SCREENSHOT_FOLDER]
//
// Both must show the same picture and answer to the same lasso; a browser without WebGL, or one that loses its graphics
// card, must fall back.

import assert from "node:assert/strict";
import path from "node:path";
import { addressOf, launch, watch } from "./chromium.mjs";

const [report, shots] = process.argv.slice(2);
const url = addressOf(report);
const seen = { console: [], requests: [] };
// WebGL without a graphics card.
const browser = await launch("--use-angle=swiftshader", "--enable-unsafe-swiftshader");

async function open(points, prepare) {
  const page = await (await browser.newContext({ viewport: { width: 1240, height: 1000 } })).newPage();
  watch(page, url, seen);
  if (prepare) await page.addInitScript(prepare);
  await page.goto(`${url}?points=${points}`);
  await page.waitForSelector("#explore-app[data-ready]");
  await page.waitForSelector(".x-scatter[data-points]");
  return page;
}

const drawnBy = (page) => page.locator(".x-scatter").first().getAttribute("data-points");

/** The canvas as numbers: every channel of every seventh pixel over white. */
const pixels = (page) => page.evaluate(() => {
  const canvas = document.querySelector(".x-scatter");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const out = [];
  for (let at = 0; at < data.length; at += 28) for (let c = 0; c < 3; c++) out.push(Math.round(255 + (data[at + 3] / 255) * (data[at + c] - 255)));
  return out;
});

/** Mean difference of two pictures, and of the first from white paper, both of 255. */
function differences(a, b) {
  assert.equal(a.length, b.length);
  const mean = (of) => of.reduce((sum, v) => sum + v, 0) / of.length;
  return { apart: mean(a.map((v, k) => Math.abs(v - b[k]))), ink: mean(a.map((v) => 255 - v)) };
}

/** A lasso around the right half; gives what the map says of it. */
async function lasso(page) {
  const map = page.locator(".x-scatter").first();
  await map.scrollIntoViewIfNeeded();
  const box = await map.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 2);
  await page.mouse.down();
  for (const [x, y] of [[box.width - 2, 2], [box.width - 2, box.height - 2], [box.width / 2, box.height - 2]]) await page.mouse.move(box.x + x, box.y + y, { steps: 3 });
  await page.mouse.up();
  return page.locator(".x-line", { hasText: "selected" }).first().textContent();
}

const [webgl, canvas] = [await open("webgl"), await open("canvas")];
assert.deepEqual([await drawnBy(webgl), await drawnBy(canvas)], ["webgl", "canvas"]);
async function alike(what) {
  const found = differences(await pixels(webgl), await pixels(canvas));
  assert.ok(found.ink > 1, `${what}: the map is empty`);
  assert.ok(found.apart < found.ink / 10, `${what}: the two ways differ by ${found.apart.toFixed(2)} of ${found.ink.toFixed(2)}`);
  if (shots) for (const [name, page] of [["webgl", webgl], ["canvas", canvas]]) {
    await page.locator(".x-scatter").first().screenshot({ path: path.join(shots, `points-${what}-${name}.png`) });
  }
}
await alike("first");
assert.equal(await lasso(webgl), await lasso(canvas));
await webgl.mouse.move(5, 5);
await canvas.mouse.move(5, 5);
await alike("selected");

// Another colour is another picture, by both ways.
const before = await pixels(webgl);
for (const page of [webgl, canvas]) await page.getByLabel("Colour").first().selectOption("vote");
for (const page of [webgl, canvas]) await page.locator(".x-bar").nth(0).click();
await webgl.waitForTimeout(300);
assert.ok(differences(await pixels(webgl), before).apart > 0.5, "another layer is not drawn");
await alike("other");

const without = await open("webgl", () => {
  const get = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    return kind === "webgl2" ? null : get.call(this, kind, ...rest);
  };
});
assert.equal(await drawnBy(without), "canvas");

const losing = await open("webgl", () => {
  const get = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    const context = get.call(this, kind, ...rest);
    if (kind === "webgl2") window.lose = () => context.getExtension("WEBGL_lose_context").loseContext();
    return context;
  };
});
assert.equal(await drawnBy(losing), "webgl");
await losing.evaluate(() => window.lose());
await losing.getByLabel("Colour").first().selectOption("vote");
await losing.waitForSelector(".x-scatter[data-points=canvas]");
assert.ok(differences(await pixels(losing), await pixels(losing)).ink > 1, "the map is empty after the graphics card is lost");

await browser.close();
assert.deepEqual(seen.requests, []);
// The browser itself may say that a context was lost, and that pixels are read.
assert.deepEqual(seen.console.filter((text) => !/CONTEXT_LOST|WebGL: context|ReadPixels|getImageData/i.test(text)), []);
console.log("the map is the same by WebGL and by the canvas");
