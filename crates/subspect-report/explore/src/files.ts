// What the reader takes along: PNG, SVG and CSV of a view.

import { h } from "./dom.ts";

function save(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** One cell of a CSV file (RFC 4180). A leading sign of a formula is defused, numbers stay numbers. */
export function cell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(rows: (string | number)[][]): string {
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

export function saveCsv(name: string, rows: (string | number)[][]): void {
  save(name, new Blob([csv(rows)], { type: "text/csv" }));
}

export function savePng(name: string, canvas: HTMLCanvasElement): void {
  canvas.toBlob((blob) => blob && save(name, blob));
}

export function saveSvg(name: string, svg: string): void {
  save(name, new Blob([svg], { type: "image/svg+xml" }));
}

/** Text inside SVG markup that is written by hand. */
export function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] as string);
}

/** Buttons that save a view. */
export function saves(of: Record<string, () => void>): HTMLElement {
  return h("span", { class: "x-saves", role: "group", "aria-label": "Save this view" },
    ...Object.entries(of).map(([kind, run]) => h("button", { type: "button", click: run }, kind)));
}
