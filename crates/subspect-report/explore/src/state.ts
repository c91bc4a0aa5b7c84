// What the reader is looking at. It lives in the address (after #explore?), so that a link shows the same view.

export type Colour = "class" | "prediction" | "vote" | "agreement" | "confidence";
/** An order of the inputs: one of {@link RANKS}, or `score-K` for the k-th stored score. */
export type Rank = "mistakes" | "vote-label" | "vote-network" | "moved" | "restless" | "all" | `score-${number}`;

export interface State {
  /** The run looked at, and the one whose layers stand beside its own: the same one for layers of one network. */
  run: number;
  beside: number;
  /** The epoch of a training run, as an index; 0 for a single run. */
  epoch: number;
  /** The layer looked at. */
  layer: number;
  /** The layer beside it, -1 for none. */
  other: number;
  /** The input looked at, -1 for none. */
  input: number;
  /** The similarity map, as an index. */
  map: number;
  /** The measure in the strip of layers. */
  measure: string;
  colour: Colour;
  rank: Rank;
  /** Only inputs of this class, -1 for all. */
  only: number;
}

export const COLOURS: Colour[] = ["class", "prediction", "vote", "agreement", "confidence"];
export const RANKS: Rank[] = ["mistakes", "vote-label", "vote-network", "moved", "restless", "all"];

export interface Bounds {
  layers: number;
  /** Layers of the network beside, where it is another one. */
  others: number;
  inputs: number;
  maps: number;
  classes: number;
  scores: number;
  epochs: number;
  runs: number;
  measures: string[];
}

const PREFIX = "#explore?";

export function toHash(state: State): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) parts.set(key, String(value));
  return PREFIX + parts.toString();
}

/** The state in an address over a state to start from; what is not within bounds is left as it was. */
export function fromHash(hash: string, start: State, bounds: Bounds): State {
  if (!hash.startsWith(PREFIX)) return start;
  const parts = new URLSearchParams(hash.slice(PREFIX.length));
  const state = { ...start };
  const whole = (key: "layer" | "other" | "input" | "map" | "only" | "epoch" | "run" | "beside", lowest: number, end: number) => {
    const text = parts.get(key);
    const value = Number(text);
    if (text !== null && Number.isInteger(value) && value >= lowest && value < end) state[key] = value;
  };
  whole("run", 0, bounds.runs);
  whole("beside", 0, bounds.runs);
  whole("epoch", 0, bounds.epochs);
  whole("layer", 0, bounds.layers);
  whole("other", -1, bounds.others);
  whole("input", -1, bounds.inputs);
  whole("map", 0, bounds.maps);
  whole("only", -1, bounds.classes);
  const one = <T extends string>(key: string, of: readonly T[]): T | undefined => of.find((v) => v === parts.get(key));
  state.colour = one("colour", COLOURS) ?? state.colour;
  state.rank = one("rank", [...RANKS, ...Array.from({ length: bounds.scores }, (_, k): Rank => `score-${k}`)]) ?? state.rank;
  state.measure = one("measure", bounds.measures) ?? state.measure;
  return state;
}

/** The state, whoever wants to know of its changes, and the inputs that are selected on a map. */
export class Store {
  private readonly listeners: ((state: State, before: State) => void)[] = [];
  /** Inputs within the lasso, null for all. */
  selection: Set<number> | null = null;

  constructor(public state: State) {}

  onChange(listener: (state: State, before: State) => void): void {
    this.listeners.push(listener);
  }

  /** Prepares a change; false holds it back. */
  before: (change: Partial<State>) => boolean = () => true;

  set(change: Partial<State>): void {
    if (!this.before(change)) return;
    const before = this.state;
    this.state = { ...before, ...change };
    for (const listener of this.listeners) listener(this.state, before);
  }

  select(inputs: Set<number> | null): void {
    this.selection = inputs;
    this.set({});
  }
}
