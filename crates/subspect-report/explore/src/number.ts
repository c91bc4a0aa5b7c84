// Numbers as text, the same way as the rest of the page.

import type { Value } from "./data.ts";

export function shown(value: Value | undefined, digits = 3): string {
  if (value === undefined) return "not_executed";
  if (typeof value === "string") return value;
  if (Number.isInteger(value) && Math.abs(value) > 1) return value.toLocaleString("en"); // a count
  const text = value.toFixed(Math.abs(value) >= 10 ? 1 : digits);
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text.replace("-", "\u2212");
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export const MEASURE_TITLES: Record<string, string> = {
  modularity: "label modularity",
  vote_accuracy: "vote accuracy",
  vote_agreement: "vote agrees with network",
  sre: "subspace-preserving error",
  one_class_rows: "inputs expressed by one class only",
  mean_degree: "mean degree",
  density: "coefficients per input",
};

export function measureTitle(name: string): string {
  return MEASURE_TITLES[name] ?? name.replaceAll("_", " ");
}
