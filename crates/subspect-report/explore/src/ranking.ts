// Orders of the inputs: which to look at first. Scores are differences and counts of stored numbers.

import type { Neighbour, Run } from "./data.ts";
import { type Rank, RANKS } from "./state.ts";

export interface Ranked {
  input: number;
  score: number;
  /** The score as the table shows it. */
  text: string;
}

const RANK_TITLES: Record<string, string> = {
  mistakes: "network mistakes, most confident first",
  "vote-label": "vote against label, widest margin first",
  "vote-network": "vote against network, widest margin first",
  moved: "neighbours that change most between the two layers",
  restless: "vote changes most often on the way through the layers",
  all: "all inputs, in order",
};

const SCORE_TITLES: Record<string, string> = {
  mistakes: "confidence",
  "vote-label": "margin",
  "vote-network": "margin",
  moved: "changed",
  restless: "changes",
  all: "",
};

const STORED_TITLES: Record<string, string> = {
  propagated_label: "label in doubt, by neighbours’ neighbours",
  vote_label: "label in doubt, by neighbours",
  vote_network: "network in doubt, by neighbours",
  layers: "neighbours change most from layer to layer",
};

/** Which stored score an order stands for, or null. */
function stored(rank: Rank): number | null {
  return rank.startsWith("score-") ? Number(rank.slice(6)) : null;
}

/** What an order shows first. */
export function rankTitle(run: Run, rank: Rank): string {
  const k = stored(rank);
  if (k === null) return RANK_TITLES[rank];
  const { name, layer } = run.header.scores[k];
  const title = STORED_TITLES[name] ?? name.replaceAll("_", " ");
  return layer === null ? title : `${title} (${run.layers[layer].short})`;
}

export function scoreTitle(rank: Rank): string {
  return stored(rank) === null ? SCORE_TITLES[rank] : "score";
}

/** The orders that a run has: stored scores first, which `subspect rank` gives too. */
export function ranks(run: Run, other: number): Rank[] {
  const scores = run.header.scores.map((_, k): Rank => `score-${k}`);
  const own = RANKS.filter((r) =>
    (r !== "mistakes" || (run.hasLabels && run.hasPredictions)) && (r !== "vote-label" || run.hasLabels) &&
    (r !== "vote-network" || run.hasPredictions) && (r !== "moved" || other >= 0));
  return [...scores, ...own];
}

/** Share of the vote's class minus share of another class; the whole vote where shares are not kept. */
export function margin(run: Run, layer: number, i: number, against: number): number {
  const vote = run.vote(layer, i);
  if (vote < 0 || against < 0) return 0;
  const shares = run.shares(layer, i);
  if (!shares) return vote === against ? 0 : 1;
  return shares[vote] - shares[against];
}

/** 1 - sum min(p, q) / sum max(p, q) of the kept affinities, each scaled to sum 1, in two layers; or null. */
export function moved(run: Run, a: number, b: number, i: number, beside = run): number | null {
  const [p, q] = [run.neighbours(a, i), beside.neighbours(b, i)];
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

function scored(run: Run, rank: Rank, layer: number, other: number, i: number, beside: Run): Ranked | null {
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
      const score = other < 0 ? null : moved(run, layer, other, i, beside);
      return score === null ? null : fixed(score);
    }
    case "restless": {
      const score = changes(run, i);
      return { input: i, score, text: String(score) };
    }
    case "all":
      return { input: i, score: -i, text: "" };
    default: {
      const score = run.score(stored(rank) as number, i);
      return score === null ? null : { input: i, score, text: score.toFixed(3) };
    }
  }
}

/** The inputs of one order, highest score first, equal ones in the order of the run. */
export function ranking(
  run: Run, rank: Rank, layer: number, other: number, within: (i: number) => boolean, beside = run,
): Ranked[] {
  const out: Ranked[] = [];
  for (let i = 0; i < run.n; i++) {
    const one = within(i) ? scored(run, rank, layer, other, i, beside) : null;
    if (one) out.push(one);
  }
  return out.sort((a, b) => b.score - a.score || a.input - b.input);
}
