// Pages in a real Chromium: node browser/silent.mjs PAGE.html...
//
// Fails when a page writes to the console, asks for anything but itself, or lets a label become an element. A label that
// tries is `<img src=x onerror=alert(1)>`; every page must show at least one of them as text when LABELS is set.

import assert from "node:assert/strict";
import { addressOf, launch, watch } from "./chromium.mjs";

const browser = await launch();
for (const file of process.argv.slice(2)) {
  const url = addressOf(file);
  for (const colorScheme of ["light", "dark"]) {
    const page = await (await browser.newContext({ viewport: { width: 1240, height: 1000 }, colorScheme })).newPage();
    const seen = watch(page, url);
    await page.goto(url);
    for (const details of await page.locator("details > summary").all()) await details.click();
    for (const button of await page.locator("button:visible").all()) await button.click({ trial: true });
    assert.equal(await page.locator("[onerror], img[src=x]").count(), 0, `${file}: a label became an element`);
    if (process.env.LABELS) assert.match(await page.locator("body").innerText(), /<img src=x onerror/, `${file}: the label is not shown`);
    assert.deepEqual(seen, { console: [], requests: [] }, file);
  }
}
await browser.close();
console.log("the pages are silent");
