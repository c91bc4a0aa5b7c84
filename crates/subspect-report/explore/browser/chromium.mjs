// The browser that pages are looked at with, kept from the network, and what a page does in it.

import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

/** The address of a page that is named by a file or an address. */
export function addressOf(page) {
  return page.startsWith("http://127.0.0.1:") ? page : pathToFileURL(path.resolve(page)).href;
}

/** Chromium, or the end of the program with the reason where there is none. */
export async function launch(...more) {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const onPath = (process.env.PATH ?? "").split(path.delimiter).flatMap((d) => names.map((n) => path.join(d, n)));
  const executablePath = process.env.CHROMIUM || onPath.find((p) => existsSync(p));
  if (!executablePath) {
    console.error("skipped: the page in a browser: needs chromium (set CHROMIUM)");
    process.exit(0);
  }
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", ...more],
  });
}

/** Collects what a page writes to the console and what it asks for beyond itself. */
export function watch(page, url, seen = { console: [], requests: [] }) {
  page.on("console", (m) => seen.console.push(m.text()));
  page.on("pageerror", (e) => seen.console.push(String(e)));
  page.on("request", (r) => {
    const asked = r.url();
    if (!asked.startsWith(url) && !asked.startsWith("data:") && !asked.startsWith("blob:")) seen.requests.push(asked);
  });
  return seen;
}
