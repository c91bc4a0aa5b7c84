// Which two networks the page looks at: one whose layers are explored, and one whose layers stand beside them.

import type { Page } from "./page.ts";
import { choice, h } from "./dom.ts";
import type { Store } from "./state.ts";

/** `offered` says which runs may stand beside: those over the same inputs. */
export function chooser(page: Page, store: Store, offered: boolean[]): HTMLElement {
  const names = page.manifest.labels.map((label, k) => [String(k), label] as const);
  const { run, beside } = store.state;
  const second = names.filter((_, k) => k === run || offered[k]);
  const left = names.length - second.length;
  return h("div", { class: "x-head x-runs" },
    choice("Look at", names, String(run), (k) => store.set({ run: Number(k), beside: beside === run ? Number(k) : beside })),
    choice("beside", second.map(([k, label]) => [k, Number(k) === run ? "itself" : label] as const), String(beside), (k) => store.set({ beside: Number(k) })),
    beside === run ? null : h("button", { type: "button", click: () => store.set({ run: beside, beside: run }) }, "swap"),
    left > 0 ? h("span", { class: "x-note" }, `${left} other ${left === 1 ? "run has" : "runs have"} other inputs and cannot stand beside`) : null);
}
