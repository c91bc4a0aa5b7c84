// The packed data of a page: a gzip stream of a JSON header and arrays (see the crate's module `explore`).

export type Value = number | string; // a number, or the name of a status

export interface Layer {
  name: string;
  short: string;
  kind: string;
  n_features: number;
  density: number;
  n_isolated: number;
  measures: Record<string, Value>;
  /** 2.5 and 97.5 % quantiles under permuted labels, by measure. */
  nulls: Record<string, [Value, Value]>;
  /** Intervals over inputs, by measure. */
  intervals: Record<string, [Value, Value]>;
  class_affinity: number[][];
}

export interface SimilarityMap {
  measure: string;
  title: string;
  estimator: string;
  values: Value[][];
  inference: Inference | null;
  /** First layer of every found block, ascending. */
  blocks: number[] | null;
}

/** What is known about every cell of a map beside its value; p is that of the whole map. */
export interface Inference {
  level: number;
  n_permutations: number;
  lo: Value[][];
  hi: Value[][];
  p: Value[][];
}

/** A score of every input, of one layer or (null) over all. */
export interface Score {
  name: string;
  layer: number | null;
}

interface Section {
  offset: number;
  length: number;
  type: "u8" | "i8" | "i16" | "u16" | "u32" | "f32";
}

interface Header {
  version: number;
  title: string;
  classes: string[];
  ids: string[];
  layers: Layer[];
  maps: SimilarityMap[];
  scores: Score[];
  mapped: number[];
  linked: number[];
  n_neighbours: number;
  scales: number[];
  tile: { width: number; height: number; columns: number; rows: number; n_dropped: number } | null;
  sections: Record<string, Section>;
}

export interface Neighbour {
  input: number;
  affinity: number;
  coefficient: number;
  reverse: number;
}

const VERSION = 3;
const NONE = 0xffff;
const FULL = 32767;

type Numbers = Uint8Array | Int8Array | Int16Array | Uint16Array | Uint32Array | Float32Array;

/** Everything that the views read. */
export class Run {
  header: Header;
  private arrays: Record<string, Numbers>;

  constructor(bytes: ArrayBuffer) {
    const length = new DataView(bytes).getUint32(0, true);
    this.header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length))) as Header;
    if (this.header.version !== VERSION) {
      throw new Error(`the data has layout ${this.header.version}, this script reads ${VERSION}`);
    }
    for (const map of this.header.maps) whole(map);
    const start = Math.ceil((4 + length) / 4) * 4;
    this.arrays = {};
    for (const [name, s] of Object.entries(this.header.sections)) {
      this.arrays[name] = view(bytes, start + s.offset, s);
    }
  }

  /** Shows another run: the views keep this object and draw again. */
  show(other: Run): void {
    this.header = other.header;
    this.arrays = other.arrays;
  }

  /** The same run as another object, which can show other epochs. */
  copy(): Run {
    const run = Object.create(Run.prototype) as Run;
    run.show(this);
    return run;
  }

  /** Whether another run saw the same inputs in the same order. */
  sharesInputs(other: Run): boolean {
    return this.n === other.n && this.header.ids.every((id, i) => id === other.header.ids[i]);
  }

  get n(): number {
    return this.header.ids.length;
  }
  get layers(): Layer[] {
    return this.header.layers;
  }
  get classes(): string[] {
    return this.header.classes;
  }
  get maps(): SimilarityMap[] {
    return this.header.maps;
  }

  className(c: number): string {
    return c < 0 ? "none" : (this.classes[c] ?? `class ${c}`);
  }

  /** The label of an input, -1 when unknown. */
  label(i: number): number {
    return orNone(this.arrays.labels[i]);
  }
  prediction(i: number): number {
    return orNone(this.arrays.predictions[i]);
  }
  /** The network's confidence in its prediction, or null. */
  confidence(i: number): number | null {
    const v = this.arrays.confidence[i];
    return v === undefined ? null : v / 65535;
  }
  /** The affinity vote of an input in a layer, -1 for none. */
  vote(layer: number, i: number): number {
    return orNone(this.arrays.votes[layer * this.n + i]);
  }
  get hasLabels(): boolean {
    return this.arrays.labels.length > 0;
  }
  get hasPredictions(): boolean {
    return this.arrays.predictions.length > 0;
  }

  /** The k-th stored score of an input, or null where it is undefined. */
  score(k: number, i: number): number | null {
    const v = this.arrays.scores[k * this.n + i];
    return Number.isFinite(v) ? v : null;
  }

  /** Places of a layer's inputs, x and y alternating between -1 and 1, or null. */
  places(layer: number): Float32Array | null {
    const k = this.header.mapped.indexOf(layer);
    if (k < 0) return null;
    return Float32Array.from(this.arrays.layout.subarray(2 * k * this.n, 2 * (k + 1) * this.n), (v) => v / this.full("layout"));
  }

  /** The largest number that an array of shares can hold. */
  private full(name: string): number {
    return this.arrays[name] instanceof Int8Array ? 127 : FULL;
  }

  /** The strongest neighbours of an input in a layer, or null where none are kept. */
  neighbours(layer: number, i: number): Neighbour[] | null {
    const k = this.header.linked.indexOf(layer);
    if (k < 0) return null;
    const width = this.header.n_neighbours;
    const scale = this.header.scales[k] / this.full("near_coefficient");
    const nobody = this.arrays.near_index instanceof Uint16Array ? 0xffff : 0xffffffff;
    const out: Neighbour[] = [];
    for (let at = (k * this.n + i) * width; at < (k * this.n + i + 1) * width; at++) {
      const input = this.arrays.near_index[at];
      if (input === nobody) break;
      const [coefficient, reverse] = [this.arrays.near_coefficient[at] * scale, this.arrays.near_reverse[at] * scale];
      out.push({ input, affinity: Math.abs(coefficient) + Math.abs(reverse), coefficient, reverse });
    }
    return out;
  }

  /** Share of an input's affinity on each class, or null where it is not kept. */
  shares(layer: number, i: number): number[] | null {
    const k = this.header.linked.indexOf(layer);
    const c = this.classes.length;
    if (k < 0 || this.arrays.shares.length === 0) return null;
    const at = (k * this.n + i) * c;
    return Array.from(this.arrays.shares.subarray(at, at + c), (v) => v / 255);
  }

  /** Share of an input's affinity on one class, or null; its own class is known in more layers than the others. */
  share(layer: number, i: number, c: number): number | null {
    const all = this.shares(layer, i);
    if (all) return all[c] ?? null;
    const at = this.arrays.label_share[layer * this.n + i];
    return c === this.label(i) && at !== undefined ? at / 255 : null;
  }

  /** Position of an input's picture in the sprite as percentages, or null. */
  tile(i: number): [number, number] | null {
    const t = this.header.tile;
    const k = this.arrays.tiles?.[i];
    if (!t || k === undefined || k === NONE) return null;
    const along = (index: number, n: number) => (n > 1 ? (100 * index) / (n - 1) : 0);
    return [along(k % t.columns, t.columns), along(Math.floor(k / t.columns), t.rows)];
  }
}

/** The maps of one network are symmetric and packed as their rows up to the diagonal. */
function whole(map: SimilarityMap): void {
  const found = map.inference;
  for (const table of [map.values, ...(found ? [found.lo, found.hi, found.p] : [])]) {
    table.forEach((row, i) => {
      for (let j = row.length; j < table.length; j++) row.push(table[j][i]);
    });
  }
}

function orNone(v: number | undefined): number {
  return v === undefined || v === NONE ? -1 : v;
}

function view(bytes: ArrayBuffer, at: number, s: Section): Numbers {
  switch (s.type) {
    case "u8":
      return new Uint8Array(bytes, at, s.length);
    case "i8":
      return new Int8Array(bytes, at, s.length);
    case "i16":
      return new Int16Array(bytes, at, s.length);
    case "u16":
      return new Uint16Array(bytes, at, s.length);
    case "u32":
      return new Uint32Array(bytes, at, s.length);
    case "f32":
      return new Float32Array(bytes, at, s.length);
  }
}

/** Decodes base64 and gzip. */
export async function unpack(base64: string): Promise<ArrayBuffer> {
  const text = atob(base64.trim());
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
