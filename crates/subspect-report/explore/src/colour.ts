// Colours that people with the common colour vision deficiencies can tell apart, in light and dark.

import type { Run } from "./data.ts";
import type { Colour } from "./state.ts";

// Okabe and Ito's eight without black, then three that stay apart from them in lightness.
const CLASSES = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#8f6b1d", "#8a8f98", "#6a4fc4", "#a9b400"];

const VIRIDIS = [
  [68, 1, 84], [72, 35, 116], [64, 67, 135], [52, 94, 141], [41, 120, 142], [32, 144, 140], [34, 167, 132],
  [68, 190, 112], [121, 209, 81], [189, 222, 38], [253, 231, 37],
];

export function viridis(value: number): string {
  const at = Math.min(1, Math.max(0, value)) * (VIRIDIS.length - 1);
  const k = Math.min(VIRIDIS.length - 2, Math.floor(at));
  const mix = (c: number) => Math.round(VIRIDIS[k][c] + (at - k) * (VIRIDIS[k + 1][c] - VIRIDIS[k][c]));
  return `rgb(${mix(0)},${mix(1)},${mix(2)})`;
}

/** Purple for -1, near white for 0, orange for 1 (Brewer's PuOr, told apart with every common colour vision). */
export function diverging(value: number): string {
  const at = Math.min(1, Math.max(-1, value));
  const end = at < 0 ? [84, 39, 136] : [179, 88, 6];
  const mid = at < 0 ? [153, 142, 195] : [241, 163, 64];
  const mix = (a: number, b: number, t: number) => Math.round(a + t * (b - a));
  const t = Math.abs(at);
  const rgb = end.map((e, c) => (t < 0.5 ? mix(247, mid[c], 2 * t) : mix(mid[c], e, 2 * t - 1)));
  return `rgb(${rgb.join(",")})`;
}

export function inkOnDiverging(value: number): string {
  return Math.abs(value) > 0.62 ? "#ffffff" : "#101418";
}

/** Black or white, whichever reads on a colour of viridis. */
export function inkOn(value: number): string {
  return value > 0.62 ? "#101418" : "#ffffff";
}

export function classColour(c: number): string {
  return c < 0 ? "#9aa1a9" : CLASSES[c % CLASSES.length];
}

export const AGREEMENT = [
  { text: "label, network and vote agree", colour: "#9aa1a9" },
  { text: "only the vote differs", colour: "#cc79a7" },
  { text: "only the network is wrong", colour: "#0072b2" },
  { text: "vote and network share a mistake", colour: "#d55e00" },
  { text: "all three differ, or no vote", colour: "#e69f00" },
];

/** Index into {@link AGREEMENT}. */
export function agreement(label: number, prediction: number, vote: number): number {
  if (vote === label && prediction === label) return 0;
  if (prediction === label) return 1;
  if (vote === label) return 2;
  return vote === prediction ? 3 : 4;
}

/** The colour of an input on a layer's map. */
export function inputColour(run: Run, by: Colour, layer: number, i: number): string {
  switch (by) {
    case "class":
      return classColour(run.label(i));
    case "prediction":
      return classColour(run.prediction(i));
    case "vote":
      return classColour(run.vote(layer, i));
    case "agreement":
      return AGREEMENT[agreement(run.label(i), run.prediction(i), run.vote(layer, i))].colour;
    case "confidence":
      return viridis(run.confidence(i) ?? 0);
  }
}
