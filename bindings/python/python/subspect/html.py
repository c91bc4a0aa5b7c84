"""Small pieces of HTML for notebooks: a table, a heat map. No script, no style sheet, text escaped."""

from __future__ import annotations

from html import escape
from typing import Any, Iterable, Mapping, Sequence

import numpy as np

from .measured import show

__all__: list[str] = []

_CELL = "padding:2px 8px;text-align:{align};white-space:nowrap"


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "") -> str:
    """A table; the first column is text, the others are numbers."""

    def cells(tag: str, values: Sequence[Any]) -> str:
        styles = (_CELL.format(align="left" if k == 0 else "right") for k in range(len(values)))
        return "".join(f'<{tag} style="{s}">{escape(str(v))}</{tag}>' for s, v in zip(styles, values))

    head = f"<tr>{cells('th', header)}</tr>" if any(header) else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<table style="border-collapse:collapse">{title}<thead>{head}</thead><tbody>{body}</tbody></table>'


def number(values: Mapping[str, Any], name: str) -> str:
    """A value by name, its status, or a dash where there is none."""
    return show(values.get(name, "-"))


def colour(share: float) -> tuple[str, str]:
    """Background and text colour of a value in 0..1, from white to blue."""
    low, high = np.array([247, 251, 255]), np.array([8, 48, 107])
    red, green, blue = (low + (high - low) * min(max(share, 0.0), 1.0)).astype(int)
    return f"rgb({red},{green},{blue})", "white" if share > 0.55 else "black"


def heat_map(values: Any, rows: Sequence[str], columns: Sequence[str], caption: str = "", largest: int = 40) -> str:
    """A coloured table of values; masked entries are grey. At most ``largest`` rows and columns are shown."""
    masked = np.ma.asarray(values)[:largest, :largest]
    defined = masked.compressed()
    low, high = (float(defined.min()), float(defined.max())) if len(defined) else (0.0, 1.0)
    low = min(low, 0.0)
    scale = (high - low) or 1.0

    def cell(value: Any) -> str:
        if value is np.ma.masked:
            return '<td style="background:#bbb" title="undefined"></td>'
        back, front = colour((float(value) - low) / scale)
        return f'<td style="background:{back};color:{front};padding:2px 5px;text-align:right">{float(value):.2f}</td>'

    head = "".join(f'<th style="padding:2px 5px;font-weight:normal">{escape(c)}</th>' for c in columns[:largest])
    body = "".join(
        f'<tr><th style="text-align:left;font-weight:normal">{escape(name)}</th>{"".join(map(cell, row))}</tr>'
        for name, row in zip(rows, masked)
    )
    hidden = max(len(rows), len(columns)) > largest
    note = f" (the first {largest} of {max(len(rows), len(columns))})" if hidden else ""
    title = f"<caption>{escape(caption + note)}</caption>" if caption or note else ""
    return f'<table style="border-collapse:collapse;font-size:85%">{title}<tr><th></th>{head}</tr>{body}</table>'
