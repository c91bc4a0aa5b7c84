// One measure along the layers: values, intervals over inputs, and what permuted labels give.

import type { Run, Value } from "./data.ts";

/** Coefficients that an input has: kept beside the measures, shown like one. */
export const DENSITY = "density";

export interface Point {
  value: Value | undefined;
  interval: [number, number] | null;
  /** 2.5 and 97.5 % quantiles under permuted labels. */
  chance: [number, number] | null;
}

export function series(run: Run, measure: string): Point[] {
  return run.layers.map((layer) => ({
    value: measure === DENSITY ? layer.density : layer.measures[measure],
    interval: numbers(layer.intervals[measure]),
    chance: numbers(layer.nulls[measure]),
  }));
}

function numbers(pair: [Value, Value] | undefined): [number, number] | null {
  return pair && typeof pair[0] === "number" && typeof pair[1] === "number" ? [pair[0], pair[1]] : null;
}

/** The measures that at least one layer has a number for, those that tell the story first. */
export function measures(run: Run): string[] {
  const names = Object.keys(run.layers[0]?.measures ?? {});
  const first = ["modularity", "vote_accuracy", "vote_agreement", "sre"].filter((n) => names.includes(n));
  const ordered = [...first, ...names.filter((n) => !first.includes(n))];
  return [...ordered.filter((name) => run.layers.some((l) => typeof l.measures[name] === "number")), DENSITY];
}

/** Lowest and highest of everything that is drawn; 0 is always within. */
export function range(points: Point[]): [number, number] {
  const all = points.flatMap((p) => [...(typeof p.value === "number" ? [p.value] : []), ...(p.interval ?? []), ...(p.chance ?? [])]);
  return [Math.min(0, ...all), Math.max(1e-9, ...all)];
}

/** Runs of neighbouring layers for which something is known. */
export function stretches<T>(items: (T | null)[]): { start: number; items: T[] }[] {
  const out: { start: number; items: T[] }[] = [];
  items.forEach((item, k) => {
    if (item === null) return;
    const last = out[out.length - 1];
    if (last && last.start + last.items.length === k) last.items.push(item);
    else out.push({ start: k, items: [item] });
  });
  return out;
}
