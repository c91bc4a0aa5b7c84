// One input on its way through the layers and the epochs: which class its neighbours name, the stronger the colour the
// larger the share of its affinity on its own class.

import { classColour } from "./colour.ts";
import type { Run } from "./data.ts";
import { s } from "./dom.ts";

const [LEFT, RIGHT, ROW] = [34, 12, 12];

/** Rows are epochs, the first at the top; columns are layers. Epochs that are not unpacked yet are empty. */
export function epochs(
  runs: (Run | undefined)[], labels: string[], input: number, layer: number, epoch: number, onChoose: (epoch: number, layer: number) => void,
): SVGElement {
  const n = Math.max(1, ...runs.map((r) => r?.layers.length ?? 0));
  const width = 1000;
  const step = (width - LEFT - RIGHT) / n;
  const parts: SVGElement[] = [];
  const every = Math.ceil(labels.length / 24);
  runs.forEach((run, e) => {
    if (e % every === 0 || e === epoch) {
      parts.push(s("text", { x: LEFT - 6, y: (e + 0.85) * ROW, "text-anchor": "end", "font-size": 10, class: e === epoch ? "f-blue" : "f-muted" }, labels[e]));
    }
    for (let l = 0; run && l < n; l++) {
      const vote = run.vote(l, input);
      const share = run.share(l, input, run.label(input));
      const about = `epoch ${labels[e]}, ${run.layers[l].name}: vote ${run.className(vote)}` +
        (share === null ? "" : `, ${(100 * share).toFixed(0)} % on ${run.className(run.label(input))}`);
      parts.push(s("rect", {
        x: LEFT + l * step + 0.5, y: e * ROW + 0.5, width: step - 1, height: ROW - 1, fill: vote < 0 ? "none" : classColour(vote),
        "fill-opacity": share === null ? 0.7 : (0.35 + 0.65 * (vote === run.label(input) ? share : 1 - share)).toFixed(2), class: "x-hit-cell",
        click: () => onChoose(e, l),
      }, s("title", {}, about)));
    }
  });
  parts.push(s("rect", { x: LEFT + layer * step, y: epoch * ROW, width: step, height: ROW, class: "x-cursor" }));
  return s("svg", { viewBox: `0 0 ${width} ${labels.length * ROW + 2}`, class: "x-path x-epochs", role: "img",
    "aria-label": `Votes of the input's neighbours in ${n} layers and ${labels.length} epochs` }, ...parts);
}
