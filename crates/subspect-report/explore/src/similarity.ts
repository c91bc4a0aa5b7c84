// The layer x layer map: hover reads a pair, a click sets the two layers beside each other. Cells that are not told from
// chance are hatched, cells without a value are grey, found blocks are outlined.

import { surface } from "./canvas.ts";
import { diverging, viridis } from "./colour.ts";
import type { Run, SimilarityMap } from "./data.ts";
import { choice, colourOf, h } from "./dom.ts";
import { escape, saveCsv, savePng, saveSvg, saves } from "./files.ts";
import { about, blocksOf, cellColour, cellInk, hatch, REACH, type ShownMap, shownMaps, unclear } from "./maps.ts";
import { shown } from "./number.ts";
import type { Store } from "./state.ts";

/** Width of the layers' names. */
const LABELS = 92;

export function similarity(run: Run, store: Store, beside: Run, cross: SimilarityMap[]): HTMLElement | null {
  if (beside !== run && cross.length === 0) return notCompared(run, beside);
  if (beside === run && run.maps.length === 0) return null;
  const n = run.layers.length;
  const m = beside.layers.length;
  let cursor: [number, number] | null = null;
  const readout = h("p", { class: "x-line", "aria-live": "polite" });
  const head = h("div", { class: "x-head" });
  const foot = h("div");
  const cellOf = (width: number) => (width - LABELS) / m;
  const maps = () => shownMaps(beside === run ? run.maps : cross);
  const map = (): ShownMap => maps()[store.state.map] ?? maps()[0];

  const { canvas, redraw } = surface(
    { class: "x-map", tabindex: 0, role: "img", "aria-label": "Similarity of every pair of layers; arrow keys read a pair, Enter sets it" },
    (width) => n * cellOf(width), ({ context, width }) => {
      const size = cellOf(width);
      const now = map();
      context.translate(LABELS, 0);
      cells(context, now, size);
      outline(context, now, size);
      context.translate(-LABELS, 0);
      axis(context, size);
      const { layer, other } = store.state;
      if (beside === run) {
        mark(context, layer, layer, size, colourOf("--blue"));
        if (other >= 0) mark(context, other, other, size, colourOf("--orange"));
      }
      if (other >= 0) mark(context, layer, other, size, "#ffffff");
      if (cursor) mark(context, cursor[0], cursor[1], size, "#ffffff");
    });

  function cells(context: CanvasRenderingContext2D, now: ShownMap, size: number): void {
    const missing = colourOf("--grid");
    const lines = hatch(size);
    context.font = `${Math.min(12, size * 0.36)}px ${colourOf("--sans")}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 0.9;
    now.values.forEach((row, i) => row.forEach((value, j) => {
      const [x, y] = [j * size, i * size];
      context.fillStyle = cellColour(now, value) ?? missing;
      context.fillRect(x, y, Math.ceil(size), Math.ceil(size));
      if (typeof value !== "number") return;
      const ink = cellInk(now, value);
      if (unclear(now, i, j)) {
        context.strokeStyle = ink;
        context.globalAlpha = 0.55;
        context.beginPath();
        for (const [x1, y1, x2, y2] of lines) {
          context.moveTo(x + x1, y + y1);
          context.lineTo(x + x2, y + y2);
        }
        context.stroke();
        context.globalAlpha = 1;
      } else if (size >= 26) {
        context.fillStyle = ink;
        context.fillText(value.toFixed(2).replace("0.", ".").replace("-", "\u2212"), x + size / 2, y + size / 2);
      }
    }));
  }

  function outline(context: CanvasRenderingContext2D, now: ShownMap, size: number): void {
    for (const [a, b] of blocksOf(now)) {
      const side = (b - a + 1) * size;
      for (const [width, colour] of [[3.4, "#101418"], [1.6, "#ffffff"]] as const) {
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.strokeRect(a * size, a * size, side, side);
      }
    }
  }

  function axis(context: CanvasRenderingContext2D, size: number): void {
    const every = Math.max(1, Math.ceil(11 / size));
    context.font = `${Math.min(11, Math.max(8, size))}px ${colourOf("--sans")}`;
    context.textAlign = "right";
    context.textBaseline = "middle";
    run.layers.forEach((layer, i) => {
      const { layer: a } = store.state;
      const b = beside === run ? store.state.other : -1;
      if (i % every !== 0 && i !== a && i !== b) return;
      context.fillStyle = colourOf(i === a ? "--blue" : i === b ? "--orange" : "--muted");
      context.fillText(layer.short, LABELS - 6, (i + 0.5) * size, LABELS - 8);
    });
  }

  function mark(context: CanvasRenderingContext2D, i: number, j: number, size: number, colour: string): void {
    for (const [width, stroke] of [[3, "#101418"], [1.6, colour]] as const) {
      context.lineWidth = width;
      context.strokeStyle = stroke;
      context.strokeRect(LABELS + j * size, i * size, size, size);
    }
  }

  function read(): void {
    const [i, j] = cursor ?? [store.state.layer, store.state.other];
    if (j < 0) {
      readout.replaceChildren("Hover reads a cell; a click sets its two layers beside each other.");
      return;
    }
    const now = map();
    const value = now.values[i][j];
    const more = about(now, i, j);
    readout.replaceChildren(`${run.layers[i].name} × ${beside.layers[j].name}  `,
      typeof value === "number" ? h("b", {}, shown(value)) : h("span", { class: "status" }, value),
      more ? h("span", { class: "x-more" }, more) : "");
  }

  function at(event: PointerEvent | MouseEvent): [number, number] | null {
    const box = canvas.getBoundingClientRect();
    const size = cellOf(box.width);
    const [i, j] = [Math.floor((event.clientY - box.top) / size), Math.floor((event.clientX - box.left - LABELS) / size)];
    return i >= 0 && i < n && j >= 0 && j < m ? [i, j] : null;
  }

  function move(to: [number, number] | null): void {
    cursor = to;
    read();
    redraw();
  }

  function pin([i, j]: [number, number]): void {
    store.set({ layer: i, other: i === j && beside === run ? -1 : j });
  }

  canvas.addEventListener("pointermove", (event) => move(at(event)));
  canvas.addEventListener("pointerleave", () => move(null));
  canvas.addEventListener("click", (event) => {
    const pair = at(event);
    if (pair) pin(pair);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = ({ ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] } as Record<string, number[]>)[event.key];
    const [i, j] = cursor ?? [store.state.layer, Math.max(0, store.state.other)];
    if (event.key === "Enter") pin([i, j]);
    else if (step) move([Math.min(n - 1, Math.max(0, i + step[0])), Math.min(m - 1, Math.max(0, j + step[1]))]);
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("blur", () => move(null));

  function controls(): void {
    const titles = maps().map((m, k) => [String(k), m.title] as const);
    const { name, values } = map();
    head.replaceChildren(
      choice("Similarity", titles, String(Math.min(store.state.map, titles.length - 1)), (k) => store.set({ map: Number(k) })),
      saves({
        PNG: () => savePng(`${name}.png`, canvas),
        SVG: () => saveSvg(`${name}.svg`, svg(run, beside, map())),
        CSV: () => saveCsv(`${name}.csv`, [["layer", ...beside.layers.map((l) => l.name)],
          ...values.map((row, i) => [run.layers[i].name, ...row])]),
      }));
    foot.replaceChildren(...legend(map()));
  }

  store.onChange((now, before) => {
    if (now.map !== before.map || now.epoch !== before.epoch) controls();
    read();
    redraw();
  });
  controls();
  read();
  return h("section", { class: "x-card", "aria-label": "Similarity between layers" },
    h("h3", {}, "Which layers do the same work"),
    beside === run ? null : h("p", { class: "x-note" }, "rows: ", h("span", { class: "x-name-a" }, run.header.title), ", columns: ",
      h("span", { class: "x-name-b" }, beside.header.title)),
    head, canvas, foot, readout);
}

function notCompared(run: Run, beside: Run): HTMLElement {
  return h("section", { class: "x-card", "aria-label": "Similarity between layers" }, h("h3", {}, "Which layers do the same work"),
    h("p", { class: "note" }, `The page holds no comparison of ${run.header.title} with ${beside.header.title}. `,
      h("code", {}, "subspect compare A B --output C"), " makes one, ", h("code", {}, "subspect report A B --comparison C --output PAGE.html"), " shows it here."));
}

/** The fixed scale of colours, and what hatching and outlines mean where there are any. */
function legend(map: ShownMap): HTMLElement[] {
  const stops = Array.from({ length: 11 }, (_, k) => (map.parts ? diverging(k / 5 - 1) : viridis(k / 10))).join(",");
  const bar = h("i");
  bar.style.background = `linear-gradient(to right,${stops})`;
  const [low, high] = map.parts ? [`≤ \u2212${REACH}`, `≥ ${REACH}`] : ["0", "1"];
  const cells = map.values.flatMap((row, i) => row.map((v, j) => [typeof v === "number" && unclear(map, i, j), typeof v === "string"]));
  const count = (which: 0 | 1) => cells.filter((c) => c[which]).length;
  const of = cells.length;
  const key = (kind: string, text: string) => h("span", { class: "x-key" }, h("i", { class: kind }), text);
  return [
    h("p", { class: "x-scale", "aria-hidden": "true" }, low, bar, high),
    h("p", { class: "x-legend x-under" },
      count(0) > 0 ? key("x-hatched", `not told from chance: ${count(0)} of ${of} cells`) : null,
      count(1) > 0 ? key("x-missing", `no value: ${count(1)}`) : null,
      blocksOf(map).length > 0 ? key("x-outlined", "blocks of layers that were found") : null),
  ];
}

function svg(run: Run, beside: Run, map: ShownMap): string {
  const [size, left, n] = [16, 140, run.layers.length];
  const lines = hatch(size);
  const cells = map.values.flatMap((row, i) => row.map((v, j) => {
    const [x, y] = [left + j * size, i * size];
    const d = typeof v === "number" && unclear(map, i, j)
      ? `<path d="${lines.map(([a, b, c, e]) => `M${x + a} ${y + b}L${x + c} ${y + e}`).join("")}" stroke="${cellInk(map, v)}" stroke-opacity=".55" stroke-width=".9"/>` : "";
    return `<rect x="${x}" y="${y}" width="${size}" height="${size}" fill="${cellColour(map, v) ?? "#d5d9de"}"/>${d}`;
  }));
  const blocks = blocksOf(map).map(([a, b]) =>
    `<rect x="${left + a * size}" y="${a * size}" width="${(b - a + 1) * size}" height="${(b - a + 1) * size}" fill="none" stroke="#fff" stroke-width="2"/>`);
  const names = run.layers.map((l, i) =>
    `<text x="134" y="${(i + 0.7) * size}" text-anchor="end" font-size="11" font-family="sans-serif">${escape(l.short)}</text>`);
  const [w, height] = [left + beside.layers.length * size, n * size];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${height}" width="${w}" height="${height}">${names.join("")}${cells.join("")}${blocks.join("")}</svg>`;
}
