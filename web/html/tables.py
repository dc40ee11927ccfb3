"""Names the cells of a table by their columns, so that a narrow screen can show each row as a block."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

_CELL = re.compile(r"<(tr|td)\b")

Column = str | tuple[str, str]


def with_headings(rows: Markup, columns: Sequence[Column]) -> Markup:
    """Returns rows of our own HTML with the heading of its column at each cell, and the roles that styles take away."""
    headings = [escape(_shown(column)) for column in columns]
    place = 0

    def name(found: re.Match[str]) -> str:
        nonlocal place
        if found[1] == "tr":
            place = 0
            return '<tr role="row"'
        heading = headings[place] if place < len(headings) else ""
        place += 1
        return f'<td role="cell" data-heading="{heading}"' if heading else '<td role="cell"'

    return Markup(_CELL.sub(name, rows))  # noqa: S704


def _shown(column: Column) -> str:
    """Returns the heading of a column; '' where its cells explain themselves."""
    if isinstance(column, str):
        return column
    heading, classes = column
    return "" if classes == "sr" else heading
