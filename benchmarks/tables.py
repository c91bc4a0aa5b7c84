"""The same rows as CSV for programs and as a Markdown table for people."""

import csv
from pathlib import Path


def write(folder, name, columns, rows, head):
    """Writes `name.csv` and `name.md` into `folder` and prints the table; `columns` maps keys to titles."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(columns))
        writer.writeheader()
        writer.writerows({key: row.get(key, "") for key in columns} for row in rows)
    text = "\n".join([*head, "", markdown(columns, rows), ""])
    (folder / f"{name}.md").write_text(text)
    print(f"\n{text}\nwritten: {folder / name}.csv and .md")


def markdown(columns, rows):
    cells = [list(columns.values())] + [[show(row.get(key, "")) for key in columns] for row in rows]
    widths = [max(len(row[c]) for row in cells) for c in range(len(columns))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def show(value):
    if value is None or not isinstance(value, float):
        return "" if value is None else str(value)
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
