"""Parses the `Range` header (RFC 9110, chapter 14). A pure function."""

from __future__ import annotations

import re

_RANGE = re.compile(r"\s*(\d{0,18})\s*-\s*(\d{0,18})\s*")

ByteRange = tuple[int, int]


class RangeNotSatisfiable(Exception):
    """Nothing of the requested range is in the file: 416."""


def parse_range(header: str, size: int) -> ByteRange | None:
    """Returns the requested range as (first, past the last) in bytes; None means the whole file.

    Another unit than bytes, or several ranges at once, count as no range at all (§14.2 lets a server choose).
    Raises RangeNotSatisfiable for a malformed range, and for one outside the file.
    """
    unit, _, requested = header.partition("=")
    if unit.strip().lower() != "bytes" or "," in requested:
        return None
    match = _RANGE.fullmatch(requested)
    if match is None or not (match[1] or match[2]):
        raise RangeNotSatisfiable
    if not match[1]:
        first, past = max(0, size - int(match[2])), size
    else:
        first = int(match[1])
        past = min(size, int(match[2]) + 1) if match[2] else size
    if first >= past:
        raise RangeNotSatisfiable
    return first, past
