// A packed run for tests, made the way the crate packs one.

type Kind = "u8" | "i16" | "u16" | "u32" | "f32";
const SIZE = { u8: 1, i16: 2, u16: 2, u32: 4, f32: 4 } as const;

/** Three inputs (classes cat, dog, cat), two layers, two neighbours each. */
export function sample(change: (header: Record<string, unknown>) => void = () => {}): ArrayBuffer {
  const arrays: [string, Kind, number[]][] = [
    ["labels", "u16", [0, 1, 0]],
    ["predictions", "u16", [0, 1, 1]],
    ["confidence", "u16", [65535, 32768, 60000]],
    ["votes", "u16", [0, 1, 1, 0, 0xffff, 0]],
    ["layout", "i16", [0, 0, 32767, -32767, 100, 100]],
    ["near_index", "u32", [1, 2, 0, 2, 0, 0xffffffff, 2, 1, 0xffffffff, 0xffffffff, 0, 0xffffffff]],
    ["near_coefficient", "i16", [-32767, 0, 32767, 100, 16384, 0, 32767, 0, 0, 0, 32767, 0]],
    ["near_reverse", "i16", [0, 16384, 0, 0, 0, 0, 0, 8192, 0, 0, 0, 0]],
    ["shares", "u8", [51, 204, 255, 0, 0, 255, 255, 0, 0, 0, 204, 51]],
    ["scores", "f32", [0.5, NaN, 0.25]],
    ["label_share", "u8", [51, 0, 204, 255, 0, 0]],
    ["tiles", "u16", [1, 0xffff, 0]],
  ];
  const sections: Record<string, unknown> = {};
  let end = 0;
  for (const [name, type, values] of arrays) {
    sections[name] = { offset: end, length: values.length, type };
    end = Math.ceil((end + SIZE[type] * values.length) / 4) * 4;
  }
  const layer = (name: string, q: number | string) => ({
    name, short: name, kind: "conv", n_features: 4, density: 1.5, n_isolated: 0,
    measures: { sre: 0.2, modularity: q, empty: "empty_graph" }, nulls: { modularity: [-0.01, 0.01] },
    intervals: typeof q === "number" ? { modularity: [0.05, 0.15] } : {}, class_affinity: [[0.75, 0.25], [0.5, 0.5]],
  });
  const header: Record<string, unknown> = {
    version: 4, title: "t", classes: ["cat", "dog"], ids: ["a", "b", "c"], layers: [layer("one", 0.1), layer("two", "one_class")],
    maps: [], scores: [{ name: "propagated_label", layer: 0 }], mapped: [1], linked: [0, 1], n_neighbours: 2, scales: [2, 1],
    tile: { width: 8, height: 8, columns: 2, rows: 1, n_dropped: 1 }, served: null, sections,
  };
  change(header);
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = Math.ceil((4 + json.length) / 4) * 4;
  const bytes = new ArrayBuffer(start + end);
  const view = new DataView(bytes);
  view.setUint32(0, json.length, true);
  new Uint8Array(bytes, 4).set(json);
  for (const [name, type, values] of arrays) {
    const at = start + (sections[name] as { offset: number }).offset;
    values.forEach((v, k) => {
      if (type === "u8") view.setUint8(at + k, v);
      else if (type === "i16") view.setInt16(at + 2 * k, v, true);
      else if (type === "u16") view.setUint16(at + 2 * k, v, true);
      else if (type === "f32") view.setFloat32(at + 4 * k, v, true);
      else view.setUint32(at + 4 * k, v, true);
    });
  }
  return bytes;
}
