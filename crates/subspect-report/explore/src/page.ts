// What the page holds: packed runs (or epochs of one training run), unpacked when they are first looked at.

import { Run, type SimilarityMap, unpack, type Value } from "./data.ts";

export interface Cross {
  first: number;
  second: number;
  maps: SimilarityMap[];
}

/** What `dynamics.json` says beside the epochs. */
export interface Training {
  epochs: number[];
  threshold: number;
  level: number;
  summary: string[];
  convergence: Convergence[];
}

/** Similarity of every layer to its final state: epochs x layers. */
export interface Convergence {
  title: string;
  values: Value[][];
  lo: Value[][];
  hi: Value[][];
  settling: {
    /** Epoch, lower and upper end, layer by layer. */
    epochs: [Value, Value, Value][];
    /** Whether the recorded epochs hold the moment: `no`, `by_first`, `at_last`, `mixed`. */
    censored: string[];
    sentence: string;
  } | null;
}

interface Manifest {
  kind: "runs" | "epochs";
  labels: string[];
  pictures: number[];
  cross: Cross[];
  training: Training | null;
}

export class Page {
  private readonly runs: (Promise<Run> | undefined)[];
  /** The runs that are unpacked. */
  readonly ready: (Run | undefined)[];

  constructor(readonly manifest: Manifest, private readonly packed: (() => string)[]) {
    this.runs = packed.map(() => undefined);
    this.ready = packed.map(() => undefined);
  }

  static of(document: Document): Page {
    const manifest = JSON.parse(document.getElementById("explore-manifest")?.textContent ?? "{}") as Manifest;
    const data = [...document.querySelectorAll(".explore-data")];
    return new Page(manifest, data.map((node) => () => node.textContent ?? ""));
  }

  get n(): number {
    return this.packed.length;
  }
  get isTraining(): boolean {
    return this.manifest.kind === "epochs";
  }

  run(k: number): Promise<Run> {
    this.runs[k] ??= unpack(this.packed[k]()).then((bytes) => (this.ready[k] = new Run(bytes)));
    return this.runs[k];
  }

  /** The maps between the layers of two runs, rows of the first; turned round where the comparison was made the other way. */
  cross(first: number, second: number): SimilarityMap[] {
    for (const one of this.manifest.cross) {
      if (one.first === first && one.second === second) return one.maps;
      if (one.first === second && one.second === first) return one.maps.map(turned);
    }
    return [];
  }
}

function turned(map: SimilarityMap): SimilarityMap {
  const flip = <T>(table: T[][]): T[][] => (table[0] ?? []).map((_, j) => table.map((row) => row[j]));
  const found = map.inference;
  return {
    ...map, values: flip(map.values),
    inference: found && { ...found, lo: flip(found.lo), hi: flip(found.hi), p: flip(found.p) },
  };
}
