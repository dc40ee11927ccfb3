"""Which part of a file was asked for (RFC 9110, chapter 14). A pure function."""

from __future__ import annotations

import re

_RANGE = re.compile(r"\s*(\d{0,18})\s*-\s*(\d{0,18})\s*")

Span = tuple[int, int]


class Unsatisfiable(Exception):
    """Nothing of what was asked for is in the file: 416."""


def parse(header: str, size: int) -> Span | None:
    """The asked span as (first, past the last); None means the whole file.

    Another unit than bytes, or several spans at once, count as no range at all (§14.2 lets a server choose).
    What cannot be read or lies outside the file raises `Unsatisfiable`.
    """
    unit, _, asked = header.partition("=")
    if unit.strip().lower() != "bytes" or "," in asked:
        return None
    match = _RANGE.fullmatch(asked)
    if match is None or not (match[1] or match[2]):
        raise Unsatisfiable
    if not match[1]:
        first, past = max(0, size - int(match[2])), size
    else:
        first = int(match[1])
        past = min(size, int(match[2]) + 1) if match[2] else size
    if first >= past:
        raise Unsatisfiable
    return first, past
