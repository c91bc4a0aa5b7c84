// Run records for tests: node browser/alter.mjs RECORD.json... gives the first class a name that tries to be an element,
// and from the second record on changes the modularities, so that two runs can be told apart.

import { readFileSync, writeFileSync } from "node:fs";

process.argv.slice(2).forEach((file, k) => {
  const record = JSON.parse(readFileSync(file, "utf8"));
  record.dataset.classes[0] = "<img src=x onerror=alert(1)>";
  for (const layer of record.layers) {
    const { modularity } = layer.measures;
    if (k > 0 && typeof modularity?.value === "number") modularity.value *= 0.8;
  }
  writeFileSync(file, JSON.stringify(record));
});
