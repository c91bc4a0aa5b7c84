// Orders of the inputs: which to look at first. Scores are differences and counts of stored numbers.

import type { Neighbour, Run } from "./data.ts";
import type { Rank } from "./state.ts";

export interface Ranked {
  input: number;
  score: number;
  /** The score as the table shows it. */
  text: string;
}

export const RANK_TITLES: Record<Rank, string> = {
  mistakes: "network mistakes, most confident first",
  "vote-label": "vote against label, widest margin first",
  "vote-network": "vote against network, widest margin first",
  moved: "neighbours that change most between the two layers",
  restless: "vote changes most often on the way through the layers",
  all: "all inputs, in order",
};

export const SCORE_TITLES: Record<Rank, string> = {
  mistakes: "confidence",
  "vote-label": "margin",
  "vote-network": "margin",
  moved: "changed",
  restless: "changes",
  all: "",
};

/** Share of the vote's class minus share of another class; the whole vote where shares are not kept. */
export function margin(run: Run, layer: number, i: number, against: number): number {
  const vote = run.vote(layer, i);
  if (vote < 0 || against < 0) return 0;
  const shares = run.shares(layer, i);
  if (!shares) return vote === against ? 0 : 1;
  return shares[vote] - shares[against];
}

/** 1 - sum min(p, q) / sum max(p, q) of the kept affinities, each scaled to sum 1, in two layers; or null. */
export function moved(run: Run, a: number, b: number, i: number): number | null {
  const [p, q] = [run.neighbours(a, i), run.neighbours(b, i)];
  if (!p || !q) return null;
  const sum = (near: Neighbour[]) => near.reduce((total, n) => total + n.affinity, 0);
  const [wholeP, wholeQ] = [sum(p), sum(q)];
  if (wholeP === 0 || wholeQ === 0) return wholeP === wholeQ ? 0 : 1;
  const own = new Map(p.map((n) => [n.input, n.affinity / wholeP]));
  let shared = 0;
  for (const n of q) shared += Math.min(own.get(n.input) ?? 0, n.affinity / wholeQ);
  return 1 - shared / (2 - shared);
}

/** How often the vote changes from one layer to the next. */
export function changes(run: Run, i: number): number {
  let count = 0;
  for (let l = 1; l < run.layers.length; l++) if (run.vote(l, i) !== run.vote(l - 1, i)) count++;
  return count;
}

function scored(run: Run, rank: Rank, layer: number, other: number, i: number): Ranked | null {
  const fixed = (score: number) => ({ input: i, score, text: score.toFixed(2) });
  const [label, prediction, vote] = [run.label(i), run.prediction(i), run.vote(layer, i)];
  switch (rank) {
    case "mistakes":
      return label >= 0 && prediction >= 0 && label !== prediction ? fixed(run.confidence(i) ?? 0) : null;
    case "vote-label":
      return label >= 0 && vote >= 0 && vote !== label ? fixed(margin(run, layer, i, label)) : null;
    case "vote-network":
      return prediction >= 0 && vote >= 0 && vote !== prediction ? fixed(margin(run, layer, i, prediction)) : null;
    case "moved": {
      const score = other < 0 ? null : moved(run, layer, other, i);
      return score === null ? null : fixed(score);
    }
    case "restless": {
      const score = changes(run, i);
      return { input: i, score, text: String(score) };
    }
    case "all":
      return { input: i, score: -i, text: "" };
  }
}

/** The inputs of one order, highest score first, equal ones in the order of the run. */
export function ranking(run: Run, rank: Rank, layer: number, other: number, within: (i: number) => boolean): Ranked[] {
  const out: Ranked[] = [];
  for (let i = 0; i < run.n; i++) {
    const one = within(i) ? scored(run, rank, layer, other, i) : null;
    if (one) out.push(one);
  }
  return out.sort((a, b) => b.score - a.score || a.input - b.input);
}
