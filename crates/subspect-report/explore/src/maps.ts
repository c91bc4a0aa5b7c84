// The maps of a run as the reader chooses among them: the measures that it holds, then their differences cell by cell.

import { diverging, inkOn, inkOnDiverging, viridis } from "./colour.ts";
import type { Inference, SimilarityMap, Value } from "./data.ts";
import { shown } from "./number.ts";

export interface ShownMap {
  name: string;
  title: string;
  values: Value[][];
  inference: Inference | null;
  blocks: number[] | null;
  /** The two maps of a difference, the first minus the second. */
  parts: [SimilarityMap, SimilarityMap] | null;
}

/** Largest difference that has a colour of its own. */
export const REACH = 0.5;

/** All maps, then the difference of every two measures with one estimator. */
export function shownMaps(of: SimilarityMap[]): ShownMap[] {
  const maps = of.map((m) => ({
    name: `${m.measure}_${m.estimator}`, title: [m.title, m.estimator].filter(Boolean).join(", "), values: m.values,
    inference: m.inference, blocks: m.blocks, parts: null,
  }));
  const differences = of.flatMap((a, k) => of.slice(k + 1)
    .filter((b) => b.estimator === a.estimator && b.measure !== a.measure)
    .map((b) => difference(a, b)));
  return [...maps, ...differences];
}

function difference(a: SimilarityMap, b: SimilarityMap): ShownMap {
  const values = a.values.map((row, i) => row.map((v, j) => {
    const w = b.values[i][j];
    return typeof v === "string" ? v : typeof w === "string" ? w : v - w;
  }));
  return {
    name: `${a.measure}_minus_${b.measure}_${a.estimator}`, title: `${a.title} − ${b.title}, ${a.estimator}`, values,
    inference: null, blocks: a.blocks, parts: [a, b],
  };
}

/** Whether a cell is not told from chance, all cells of the map taken into account. */
export function unclear(map: ShownMap, i: number, j: number): boolean {
  const tested = map.parts ? map.parts.map((m) => m.inference) : [map.inference];
  return tested.some((found) => {
    const p = found?.p[i]?.[j];
    return typeof p === "number" && p > 1 - (found as Inference).level + 1e-9;
  });
}

/** First and last layer of every found block of two layers or more. */
export function blocksOf(map: ShownMap): [number, number][] {
  const starts = map.blocks ?? [];
  return starts.map((start, k): [number, number] => [start, (starts[k + 1] ?? map.values.length) - 1]).filter(([a, b]) => b > a);
}

/** The colour of a cell, null where it has no value. */
export function cellColour(map: ShownMap, value: Value): string | null {
  if (typeof value === "string") return null;
  return map.parts ? diverging(value / REACH) : viridis(value);
}

export function cellInk(map: ShownMap, value: number): string {
  return map.parts ? inkOnDiverging(value / REACH) : inkOn(value);
}

/** What is known about a cell, in words: interval and p, or the two values of a difference. */
export function about(map: ShownMap, i: number, j: number): string {
  if (map.parts) return map.parts.map((m) => `${m.title} ${shown(m.values[i][j])}`).join(", ");
  const found = map.inference;
  if (!found) return "";
  const parts = [];
  const [lo, hi, p] = [found.lo[i]?.[j], found.hi[i]?.[j], found.p[i]?.[j]];
  if (typeof lo === "number" && typeof hi === "number") parts.push(`${(100 * found.level).toFixed(0)} % interval ${shown(lo)} to ${shown(hi)}`);
  if (typeof p === "number") parts.push(`p ${p < 0.001 ? "< 0.001" : `= ${shown(p)}`} for the whole map`);
  if (unclear(map, i, j)) parts.push("not told from chance");
  return parts.join(", ");
}

/** The hatching of a square cell: lines as [x1, y1, x2, y2] within it. */
export function hatch(size: number): [number, number, number, number][] {
  const step = Math.max(3, Math.min(6, size / 2.5));
  const lines: [number, number, number, number][] = [];
  for (let c = step / 2; c < 2 * size; c += step) {
    const [near, far] = [Math.min(c, size), Math.max(0, c - size)];
    lines.push([far, near, near, far]);
  }
  return lines;
}
