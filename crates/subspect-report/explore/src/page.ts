// What the page holds: packed runs (or epochs of one training run), unpacked when they are first looked at; or, where a
// local viewer serves the page, fetched from it.

import { Run, type SimilarityMap, type Source, unpack, type Value } from "./data.ts";

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
  /** Whether a local viewer gives the runs, layer by layer. */
  served: boolean;
  labels: string[];
  pictures: number[];
  cross: Cross[];
  training: Training | null;
}

export class Page {
  private readonly runs: (Promise<Run> | undefined)[];
  /** The runs that are unpacked. */
  readonly ready: (Run | undefined)[];

  constructor(readonly manifest: Manifest, private readonly packed: (() => Promise<Run>)[]) {
    this.runs = packed.map(() => undefined);
    this.ready = packed.map(() => undefined);
  }

  static of(document: Document): Page {
    const manifest = JSON.parse(document.getElementById("explore-manifest")?.textContent ?? "{}") as Manifest;
    if (manifest.served) return new Page(manifest, manifest.labels.map((_, k) => () => fetchRun(k, manifest.pictures[k])));
    const data = [...document.querySelectorAll(".explore-data")];
    return new Page(manifest, data.map((node) => async () => new Run(await unpack(node.textContent ?? ""))));
  }

  get n(): number {
    return this.packed.length;
  }
  get isTraining(): boolean {
    return this.manifest.kind === "epochs";
  }

  run(k: number): Promise<Run> {
    this.runs[k] ??= this.packed[k]().then((run) => (this.ready[k] = run));
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

async function fetched(name: string): Promise<ArrayBuffer> {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name}: the viewer answers ${answer.status}`);
  return answer.arrayBuffer();
}

async function fetchRun(k: number, pictures: number): Promise<Run> {
  const source: Source = { layer: (l) => fetched(`data/${k}/${l}`), picture: (i) => `pictures/${pictures}/${i}.png` };
  return new Run(await fetched(`data/${k}`), source);
}

function turned(map: SimilarityMap): SimilarityMap {
  const flip = <T>(table: T[][]): T[][] => (table[0] ?? []).map((_, j) => table.map((row) => row[j]));
  const found = map.inference;
  return {
    ...map, values: flip(map.values),
    inference: found && { ...found, lo: flip(found.lo), hi: flip(found.hi), p: flip(found.p) },
  };
}
