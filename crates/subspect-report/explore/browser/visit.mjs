// A page in a real Chromium, used as a person would: node browser/visit.mjs REPORT.html|http://127.0.0.1:PORT/ [SCREENSHOT_FOLDER]
//
// Fails when the page writes to the console, asks for anything but itself, or a view does not follow the others.

import assert from "node:assert/strict";
import path from "node:path";
import { addressOf, launch, watch } from "./chromium.mjs";

const [report, shots] = process.argv.slice(2);
if (!report) {
  console.error("usage: visit.mjs REPORT.html [FOLDER]");
  process.exit(2);
}
const browser = await launch();
const url = addressOf(report);
const seen = { console: [], requests: [] };

async function open(address, colorScheme = "light") {
  const context = await browser.newContext({ viewport: { width: 1240, height: 1000 }, colorScheme, acceptDownloads: true });
  const page = await context.newPage();
  watch(page, url, seen);
  const start = Date.now();
  await page.goto(address);
  await page.waitForSelector("#explore-app[data-ready]");
  return { page, ready: Date.now() - start };
}

const shot = async (page, name) => shots && page.locator("#explore").screenshot({ path: path.join(shots, `${name}.png`) });
const stateOf = (page) => new URLSearchParams(new URL(page.url()).hash.replace("#explore?", ""));

/** Waits until the address says so: a served page asks for a layer before it shows it. */
async function shows(key, value) {
  const says = ([k, v]) => new URLSearchParams(location.hash.slice("#explore?".length)).get(k) === v;
  await page.waitForFunction(says, [key, value], { timeout: 5000 }).catch(() => assert.equal(stateOf(page).get(key), value, key));
}

const { page, ready } = await open(url);
console.log(`ready after ${ready} ms`);
const bars = page.locator(".x-bar");
const nLayers = await bars.count();
assert.ok(nLayers > 1, "the strip has no layers");
await shot(page, "first");
assert.ok(ready < Number(process.env.READY_MS ?? Infinity), `ready after ${ready} ms`);

// A layer by click, the next by key, one beside it with shift.
await bars.nth(0).click();
await shows("layer", "0");
await page.keyboard.press("ArrowRight");
await shows("layer", "1");
await bars.nth(0).click({ modifiers: ["Shift"] });
await shows("other", "0");
assert.equal(await page.locator(".x-pair thead th").count(), 2, "the two layers do not stand side by side");

// A pair by click on the map of similarities: the last layer's row, the first column.
const map = page.locator(".x-map");
if (await map.count()) {
  const box = await map.boundingBox();
  await map.click({ position: { x: 95, y: box.height - 3 } });
  await shows("layer", String(nLayers - 1));
  await shows("other", "0");
  await map.focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await shows("layer", String(nLayers - 2));
  // Every map can be chosen, the differences too.
  const maps = page.locator(".x-card", { has: map }).locator("select");
  for (const value of await maps.locator("option").evaluateAll((all) => all.map((o) => o.value))) {
    await maps.selectOption(value);
    await shows("map", value);
    assert.notEqual(await page.locator(".x-map ~ .x-line b, .x-map ~ .x-line .status").count(), 0, "the pair is not read");
  }
  await shot(page, "difference");
  await maps.selectOption("0");
}
await shot(page, "pair");

// The charts by depth choose layers.
const depths = page.locator(".x-depth");
if (await depths.count()) {
  await depths.first().locator(".x-hit").first().click();
  await shows("layer", "0");
}

// An input in the table; its neighbour in the ego graph; a layer on its path.
await page.locator(".x-rows tbody tr").first().click();
const chosen = stateOf(page).get("input");
assert.notEqual(chosen, "-1");
assert.ok((await page.locator(".x-path:not(.x-epochs)").count()) === 1, "no path through the layers");
const nodes = page.locator("button.x-node");
if (await nodes.count()) {
  await nodes.first().click();
  assert.notEqual(stateOf(page).get("input"), chosen, "a click on a neighbour does not choose it");
}
await page.locator(".x-path:not(.x-epochs) .x-hit").first().click();
await shows("layer", "0");

// A lasso around everything selects everything on the map; the search narrows the table.
const scatter = page.locator(".x-scatter:visible").first();
if (await scatter.count()) {
  await scatter.scrollIntoViewIfNeeded();
  const box = await scatter.boundingBox();
  const around = [[2, 2], [box.width - 2, 2], [box.width - 2, box.height - 2], [2, box.height - 2], [2, 4]];
  await page.mouse.move(box.x + 2, box.y + 2);
  await page.mouse.down();
  for (const [x, y] of around) await page.mouse.move(box.x + x, box.y + y, { steps: 3 });
  await page.mouse.up();
  assert.match(await page.locator(".x-line", { hasText: "selected" }).first().textContent(), /\d+ inputs selected/);
  await page.getByRole("button", { name: "select all" }).first().click();
}
const before = await page.locator(".x-rows tbody tr").count();
await page.getByRole("searchbox").fill("no such input");
assert.equal(await page.locator(".x-rows tbody tr").count(), 0);
await page.getByRole("searchbox").fill("");
assert.equal(await page.locator(".x-rows tbody tr").count(), before);

// Every view can be taken along. (A page of its own for each kind: the browser stops after ten downloads.)
const saved = page.url();
for (const kind of ["CSV", "PNG", "SVG"]) {
  const other = (await open(saved)).page;
  for (const button of await other.locator(".x-saves button:visible", { hasText: kind }).all()) {
    const [download] = await Promise.all([other.waitForEvent("download", { timeout: 20000 }), button.click()]);
    assert.equal(await download.failure(), null, `${kind} of ${await button.textContent()}`);
  }
  await other.close();
}

// Training: the slider, the keys and the button lead through the epochs, and every view follows.
if (await page.locator(".x-training").count()) {
  const slider = page.locator(".x-training input[type=range]");
  const last = Number(await slider.getAttribute("max"));
  assert.equal(stateOf(page).get("epoch"), String(last), "the last epoch is not the first to be seen");
  const bar = () => bars.nth(nLayers - 2).getAttribute("title");
  const late = await bar();
  await slider.focus();
  await page.keyboard.press("Home");
  await page.waitForFunction(() => new URLSearchParams(location.hash.slice(9)).get("epoch") === "0");
  assert.notEqual(await bar(), late, "the strip does not follow the epoch");
  await shot(page, "epoch-first");
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.getByRole("button", { name: "play" }).click();
  await shows("epoch", "1"); // with less motion the button is a step
  await page.waitForTimeout(1500);
  assert.equal(stateOf(page).get("epoch"), "1", "with less motion nothing moves by itself");
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await page.getByRole("button", { name: "play" }).click();
  await page.waitForFunction(() => Number(new URLSearchParams(location.hash.slice(9)).get("epoch")) > 1);
  await page.getByRole("button", { name: "pause" }).click();
  await page.locator(".x-lines .x-hit").last().click();
  await shows("epoch", String(last));
}

// Several runs: layers of two networks stand side by side, the same input in both.
if (await page.locator(".x-runs").count()) {
  const [first, second] = [page.getByLabel("Look at"), page.locator(".x-runs select").nth(1)];
  const chosenInput = stateOf(page).get("input");
  await second.selectOption("1");
  await page.waitForSelector(".x-bars >> nth=1");
  await shows("beside", "1");
  assert.equal(stateOf(page).get("input"), chosenInput, "the input is lost");
  await page.locator(".x-bars").nth(1).locator(".x-bar").nth(2).click();
  await shows("other", "2");
  assert.equal(await page.locator(".x-path").count(), 2, "no second path");
  await shot(page, "two");
  await page.getByRole("button", { name: "swap" }).click();
  await page.waitForFunction(() => new URLSearchParams(location.hash.slice(9)).get("run") === "1");
  assert.equal(await first.inputValue(), "1");
}

// The address shows the same view to someone else, here in dark; a foreign address shows the first view.
const address = page.url();
const dark = await open(address, "dark");
assert.equal(stateOf(dark.page).toString(), stateOf(page).toString());
assert.equal(await dark.page.locator(".x-bar.x-a").getAttribute("data-layer"), stateOf(page).get("layer"));
await shot(dark.page, "dark");
const foreign = await open(`${url}#explore?layer=999&input=x&measure=%3Cimg%3E`);
assert.equal(await foreign.page.locator("#explore img:not(.tile)").count(), 0);

// Narrow, as on a telephone: nothing sticks out sideways.
const narrow = await open(url);
await narrow.page.setViewportSize({ width: 390, height: 800 });
assert.ok(await narrow.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1), "the narrow page scrolls sideways");
await shot(narrow.page, "narrow");

await browser.close();
assert.deepEqual(seen, { console: [], requests: [] });
console.log("the page works and is silent");
