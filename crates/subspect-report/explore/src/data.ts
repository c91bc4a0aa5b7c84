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

/** Where the arrays of a stream lie, and which layers they are of. */
interface Stored {
  version: number;
  mapped: number[];
  linked: number[];
  n_neighbours: number;
  scales: number[];
  sections: Record<string, Section>;
}

interface Header extends Stored {
  title: string;
  classes: string[];
  ids: string[];
  layers: Layer[];
  maps: SimilarityMap[];
  scores: Score[];
  tile: { width: number; height: number; columns: number; rows: number; n_dropped: number } | null;
  /** What a local viewer is asked for: layers with a map or neighbours, the size of the pictures. */
  served: { layers: number[]; picture: [number, number] | null } | null;
}

/** Gives a layer's stream, and the address of an input's picture. */
export interface Source {
  layer(layer: number): Promise<ArrayBuffer>;
  picture(input: number): string;
}

/** What is known about the inputs in one layer. */
interface Part {
  layout: Numbers | null;
  near: { index: Numbers; coefficient: Numbers; reverse: Numbers; width: number; scale: number } | null;
  shares: Numbers | null;
}

export interface Neighbour {
  input: number;
  affinity: number;
  coefficient: number;
  reverse: number;
}

const VERSION = 4;
const NONE = 0xffff;
const FULL = 32767;

type Numbers = Uint8Array | Int8Array | Int16Array | Uint16Array | Uint32Array | Float32Array;

/** Everything that the views read. */
export class Run {
  header: Header;
  private arrays: Record<string, Numbers>;
  private parts: Map<number, Part>;

  constructor(bytes: ArrayBuffer, private source: Source | null = null) {
    const { header, arrays } = open<Header>(bytes);
    [this.header, this.arrays, this.parts] = [header, arrays, new Map()];
    for (const map of header.maps) whole(map);
    this.take(header, arrays);
  }

  /** Adds the layers of a stream. */
  private take(of: Stored, arrays: Record<string, Numbers>): void {
    const [n, c, width] = [this.n, this.classes.length, of.n_neighbours];
    const piece = (name: string, k: number, size: number) => arrays[name].subarray(k * size, (k + 1) * size);
    for (const layer of [...of.mapped, ...of.linked]) {
      const [m, k] = [of.mapped.indexOf(layer), of.linked.indexOf(layer)];
      this.parts.set(layer, {
        layout: m < 0 ? null : piece("layout", m, 2 * n),
        near: k < 0 ? null : {
          index: piece("near_index", k, n * width), coefficient: piece("near_coefficient", k, n * width),
          reverse: piece("near_reverse", k, n * width), width, scale: of.scales[k],
        },
        shares: k < 0 || arrays.shares.length === 0 ? null : piece("shares", k, n * c),
      });
    }
  }

  /** Fetches what a view of a layer needs; null when there is nothing to wait for. */
  need(layer: number): Promise<void> | null {
    if (!this.source || layer < 0 || this.parts.has(layer) || !this.header.served?.layers.includes(layer)) return null;
    // Another run may be shown by the time that the answer is there.
    const [parts, self] = [this.parts, this.copy()];
    return this.source.layer(layer).then((bytes) => {
      const { header, arrays } = open<Stored>(bytes);
      self.take(header, arrays);
      if (!parts.has(layer)) parts.set(layer, { layout: null, near: null, shares: null });
    });
  }

  /** Shows another run: the views keep this object and draw again. */
  show(other: Run): void {
    [this.header, this.arrays, this.parts, this.source] = [other.header, other.arrays, other.parts, other.source];
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

  /** Whether any layer has a map of its inputs. */
  get hasMaps(): boolean {
    return this.header.mapped.length > 0 || (this.header.served?.layers.length ?? 0) > 0;
  }

  /** Places of a layer's inputs, x and y alternating between -1 and 1, or null. */
  places(layer: number): Float32Array | null {
    const places = this.parts.get(layer)?.layout;
    return places ? Float32Array.from(places, (v) => v / full(places)) : null;
  }

  /** The strongest neighbours of an input in a layer, or null where none are kept. */
  neighbours(layer: number, i: number): Neighbour[] | null {
    const near = this.parts.get(layer)?.near;
    if (!near) return null;
    const scale = near.scale / full(near.coefficient);
    const nobody = near.index instanceof Uint16Array ? 0xffff : 0xffffffff;
    const out: Neighbour[] = [];
    for (let at = i * near.width; at < (i + 1) * near.width; at++) {
      const input = near.index[at];
      if (input === nobody) break;
      const [coefficient, reverse] = [near.coefficient[at] * scale, near.reverse[at] * scale];
      out.push({ input, affinity: Math.abs(coefficient) + Math.abs(reverse), coefficient, reverse });
    }
    return out;
  }

  /** Share of an input's affinity on each class, or null where it is not kept. */
  shares(layer: number, i: number): number[] | null {
    const c = this.classes.length;
    const shares = this.parts.get(layer)?.shares;
    return shares ? Array.from(shares.subarray(i * c, (i + 1) * c), (v) => v / 255) : null;
  }

  /** Share of an input's affinity on one class, or null; its own class and
   * the network's choice are known in more layers than the others. */
  share(layer: number, i: number, c: number): number | null {
    const all = this.shares(layer, i);
    if (all) return all[c] ?? null;
    const known = c === this.label(i) ? this.arrays.label_share : c === this.prediction(i) ? this.arrays.choice_share : undefined;
    const at = known?.[layer * this.n + i];
    return at === undefined ? null : at / 255;
  }

  /** Address, width and height of an input's own picture, where a viewer gives it, or null. */
  picture(i: number): { url: string; width: number; height: number } | null {
    const size = this.header.served?.picture;
    return this.source && size ? { url: this.source.picture(i), width: size[0], height: size[1] } : null;
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

/** The header and the arrays of a stream. */
function open<H extends Stored>(bytes: ArrayBuffer): { header: H; arrays: Record<string, Numbers> } {
  const length = new DataView(bytes).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length))) as H;
  if (header.version !== VERSION) throw new Error(`the data has layout ${header.version}, this script reads ${VERSION}`);
  const start = Math.ceil((4 + length) / 4) * 4;
  const arrays = Object.fromEntries(Object.entries(header.sections).map(([name, s]) => [name, view(bytes, start + s.offset, s)]));
  return { header, arrays };
}

/** The largest number that an array of shares can hold. */
function full(array: Numbers): number {
  return array instanceof Int8Array ? 127 : FULL;
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
