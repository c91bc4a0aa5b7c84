// The map of a layer's inputs, laid out from its own affinity graph. A click looks at an input, a drag draws a lasso,
// the wheel zooms.

import { surface, type Surface } from "./canvas.ts";
import { AGREEMENT, classColour, inputColour, viridis } from "./colour.ts";
import type { Run } from "./data.ts";
import { choice, colourOf, h } from "./dom.ts";
import { saveCsv, savePng, saves } from "./files.ts";
import { inside } from "./lasso.ts";
import { type Cloud, OPACITY, points, SPAN, wantsWebgl } from "./points.ts";
import { type Colour, COLOURS, type State, type Store } from "./state.ts";

const COLOUR_TITLES: Record<Colour, string> = {
  class: "class", prediction: "network’s prediction", vote: "affinity vote", agreement: "agreement", confidence: "confidence",
};

/** Counts what changes the colours or places of the inputs of any map. */
let versions = 0;

/** Distance in pixels within which a click finds an input. */
const REACH = 12;

export function scatter(run: Run, store: Store, which: "layer" | "other"): HTMLElement {
  const layer = () => store.state[which];
  let places: Float32Array | null = null;
  let zoom = 1;
  let centre: [number, number] = [0, 0];
  let hover = -1;
  let polygon: [number, number][] = [];
  let size = 1;
  let version = 0;
  const byWebgl = wantsWebgl(run.n, location.search);
  const title = h("h3");
  const head = h("div", { class: "x-head" });
  const readout = h("p", { class: "x-line" });
  const note = h("p", { class: "note" }, "No map is kept for this layer; choose another.");

  const screen = (i: number): [number, number] => {
    const p = places as Float32Array;
    return [(1 + SPAN * zoom * (p[2 * i] - centre[0])) * size / 2, (1 - SPAN * zoom * (p[2 * i + 1] - centre[1])) * size / 2];
  };

  const { canvas, redraw } = surface(
    { class: "x-scatter", role: "img", "aria-label": "Map of the inputs; the table of inputs beside it holds the same inputs for the keyboard" },
    (width) => width, draw);

  function draw({ context, width }: Surface): void {
    if (!places) return;
    size = width;
    const radius = Math.min(4.5, Math.max(1.2, 90 / Math.sqrt(run.n))) * Math.sqrt(zoom);
    const { colour, input, only } = store.state;
    const faint = colourOf("--band");
    const dim = (i: number) =>
      (store.selection !== null && !store.selection.has(i)) || (only >= 0 && run.label(i) !== only);
    const cloud = { key: `${which} ${version} ${faint}`, n: run.n, places, colour: (i: number) => inputColour(run, colour, layer(), i), dim, faint };
    const look = { size, scale: window.devicePixelRatio || 1, zoom, centre, radius };
    const drawn = byWebgl && points()?.draw(context, cloud, look) === true;
    canvas.dataset.points = drawn ? "webgl" : "canvas";
    if (!drawn) discs(context, cloud, radius);
    if (["class", "prediction", "vote"].includes(colour) && run.classes.length <= 20) names(context, dim);
    if (input >= 0) ego(context, input, radius);
    if (hover >= 0 && hover !== input) ring(context, hover, radius + 3, colourOf("--ink"));
    if (polygon.length > 1) {
      context.beginPath();
      polygon.forEach(([x, y], k) => (k === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
      context.strokeStyle = colourOf("--ink");
      context.lineWidth = 1.4;
      context.stroke();
    }
  }

  /** The inputs as discs of the canvas, dimmed ones first. */
  function discs(context: CanvasRenderingContext2D, cloud: Cloud, radius: number): void {
    for (const pass of [true, false]) {
      context.globalAlpha = pass ? OPACITY.dim : OPACITY.bright;
      for (let i = 0; i < cloud.n; i++) {
        if (cloud.dim(i) !== pass) continue;
        const [x, y] = screen(i);
        context.fillStyle = pass ? cloud.faint : cloud.colour(i);
        context.beginPath();
        context.arc(x, y, radius, 0, 2 * Math.PI);
        context.fill();
      }
    }
    context.globalAlpha = 1;
  }

  /** Every class's name at the middle of its inputs (medians, so that strays do not move it). */
  function names(context: CanvasRenderingContext2D, dim: (i: number) => boolean): void {
    context.font = `600 12px ${colourOf("--sans")}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1];
    run.classes.forEach((name, c) => {
      const own = [];
      for (let i = 0; i < run.n; i++) if (run.label(i) === c && !dim(i)) own.push(screen(i));
      // Few left of a class say nothing of where it is.
      if (own.length < Math.max(5, run.n / 200)) return;
      const [x, y] = [median(own.map((p) => p[0])), median(own.map((p) => p[1]))];
      context.lineWidth = 3.5;
      context.strokeStyle = colourOf("--paper");
      context.strokeText(name, x, y);
      context.fillStyle = colourOf("--ink");
      context.fillText(name, x, y);
    });
  }

  /** The chosen input and the lines to its neighbours. */
  function ego(context: CanvasRenderingContext2D, input: number, radius: number): void {
    const near = run.neighbours(layer(), input) ?? [];
    const top = Math.max(...near.map((n) => n.affinity), 1e-9);
    const [x, y] = screen(input);
    context.strokeStyle = colourOf("--ink");
    for (const n of near) {
      const [u, v] = screen(n.input);
      context.globalAlpha = 0.25 + 0.6 * (n.affinity / top);
      context.lineWidth = 0.6 + 2 * (n.affinity / top);
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(u, v);
      context.stroke();
    }
    context.globalAlpha = 1;
    ring(context, input, radius + 4, colourOf("--ink"));
  }

  function ring(context: CanvasRenderingContext2D, i: number, radius: number, colour: string): void {
    const [x, y] = screen(i);
    context.lineWidth = 2;
    context.strokeStyle = colour;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }

  function nearest(x: number, y: number): number {
    let [best, distance] = [-1, REACH];
    for (let i = 0; places && i < run.n; i++) {
      const [u, v] = screen(i);
      const d = Math.hypot(u - x, v - y);
      if (d < distance) [best, distance] = [i, d];
    }
    return best;
  }

  const at = (event: MouseEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    polygon = [at(event)];
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (polygon.length > 0) polygon.push([x, y]);
    const found = polygon.length > 1 ? -1 : nearest(x, y);
    if (found !== hover) read(found);
    hover = found;
    redraw();
  });
  canvas.addEventListener("pointerup", (event) => {
    const [x, y] = at(event);
    const isDrag = polygon.some(([u, v]) => Math.hypot(u - polygon[0][0], v - polygon[0][1]) > 8);
    const drawn = polygon;
    polygon = [];
    if (!isDrag) {
      store.set({ input: nearest(x, y) });
      if (store.selection !== null && nearest(x, y) < 0) store.select(null);
      return;
    }
    const found = new Set<number>();
    for (let i = 0; places && i < run.n; i++) if (inside(drawn, ...screen(i))) found.add(i);
    store.select(found.size > 0 ? found : null);
  });
  canvas.addEventListener("pointerleave", () => {
    hover = -1;
    read(-1);
    redraw();
  });
  canvas.addEventListener("wheel", (event) => {
    if (!places) return;
    event.preventDefault();
    const [x, y] = at(event);
    const under = (axis: 0 | 1, v: number) => centre[axis] + ((axis === 0 ? 1 : -1) * (2 * v / size - 1)) / (SPAN * zoom);
    const [px, py] = [under(0, x), under(1, y)];
    zoom = Math.min(20, Math.max(1, zoom * Math.exp(-event.deltaY / 400)));
    centre = zoom === 1 ? [0, 0] : [centre[0] + px - under(0, x), centre[1] + py - under(1, y)];
    redraw();
  }, { passive: false });
  canvas.addEventListener("dblclick", () => {
    [zoom, centre] = [1, [0, 0]];
    redraw();
  });

  function read(i: number): void {
    if (i >= 0) {
      const parts = [`input ${run.header.ids[i]}`, run.className(run.label(i))];
      if (run.hasPredictions) parts.push(`network ${run.className(run.prediction(i))}`);
      parts.push(`vote ${run.className(run.vote(layer(), i))}`);
      readout.replaceChildren(parts.join(" · "));
    } else if (store.selection) {
      readout.replaceChildren(`${store.selection.size} inputs selected `,
        h("button", { type: "button", click: () => store.select(null) }, "select all"));
    } else {
      readout.replaceChildren("Click an input, drag around some, scroll to zoom.");
    }
  }

  function legend(): HTMLElement {
    const { colour } = store.state;
    const key = (text: string, colourOfKey: string, onClick?: () => void, pressed = false) => {
      const dot = h("i");
      dot.style.background = colourOfKey;
      return onClick
        ? h("button", { type: "button", class: "x-key", "aria-pressed": String(pressed), click: onClick }, dot, text)
        : h("span", { class: "x-key" }, dot, text);
    };
    if (colour === "agreement") return h("p", { class: "x-legend" }, ...AGREEMENT.map((a) => key(a.text, a.colour)));
    if (colour === "confidence") return h("p", { class: "x-legend" }, key("0", viridis(0)), key("½", viridis(0.5)), key("1", viridis(1)));
    if (run.classes.length > 20) return h("p", { class: "x-legend" }, `${run.classes.length} classes`);
    return h("p", { class: "x-legend" }, ...run.classes.map((name, c) => {
      const pressed = store.state.only === c;
      return key(name, classColour(c), () => store.set({ only: pressed ? -1 : c }), pressed);
    }));
  }

  function controls(): void {
    const usable = COLOURS.filter((c) =>
      (run.hasLabels || c === "prediction" || c === "confidence") &&
      (run.hasPredictions || c === "class" || c === "vote"));
    const name = () => `map_${run.layers[layer()].name.replaceAll(/[^\w.-]/g, "_")}`;
    head.replaceChildren(
      choice("Colour", usable.map((c) => [c, COLOUR_TITLES[c]] as const), store.state.colour, (colour) => store.set({ colour })),
      saves({
        PNG: () => savePng(`${name()}.png`, canvas),
        CSV: () => saveCsv(`${name()}.csv`, [["id", "x", "y", "class", "vote"],
          ...Array.from({ length: run.n }, (_, i) => [run.header.ids[i], places?.[2 * i] ?? "", places?.[2 * i + 1] ?? "",
            run.className(run.label(i)), run.className(run.vote(layer(), i))])]),
      }));
  }

  const foot = h("div");
  const card = h("section", { class: "x-card", "aria-label": "Map of the inputs" }, title, head, canvas, note, foot, readout);

  function update(now: State, before: State | null): void {
    card.hidden = layer() < 0;
    if (card.hidden) return;
    version = ++versions;
    if (!before || now[which] !== before[which] || now.epoch !== before.epoch) {
      places = run.places(layer());
      title.replaceChildren("Inputs as ", h("span", { class: which === "layer" ? "x-name-a" : "x-name-b" }, run.layers[layer()].name), " sees them");
      note.hidden = places !== null;
      canvas.hidden = places === null;
    }
    if (!before || now.colour !== before.colour || now[which] !== before[which]) controls();
    foot.replaceChildren(legend());
    read(-1);
    redraw();
  }
  store.onChange((now, before) => update(now, before));
  update(store.state, null);
  return card;
}
