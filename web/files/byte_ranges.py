"""Which parts of a file were asked for (RFC 9110, chapter 14). Pure functions."""

from __future__ import annotations

import re

MOST_RANGES = 8

_RANGE = re.compile(r"\s*(\d{0,18})\s*-\s*(\d{0,18})\s*")

Span = tuple[int, int]


class Unsatisfiable(Exception):
    """Nothing of what was asked for is in the file: 416."""


def parse(header: str, size: int) -> list[Span]:
    """The asked spans as (first, past the last), in the order asked; [] means the whole file.

    Another unit than bytes, or more spans than anyone needs, count as no range at all. What cannot be read
    or lies outside the file raises `Unsatisfiable`.
    """
    unit, _, listed = header.partition("=")
    if unit.strip().lower() != "bytes":
        return []
    wanted = listed.split(",")
    if len(wanted) > MOST_RANGES:
        return []
    spans = []
    for one in wanted:
        match = _RANGE.fullmatch(one)
        if match is None or not (match[1] or match[2]):
            raise Unsatisfiable
        if not match[1]:
            first, past = max(0, size - int(match[2])), size
        else:
            first = int(match[1])
            past = min(size, int(match[2]) + 1) if match[2] else size
            if match[2] and int(match[2]) < first:
                raise Unsatisfiable
        if first < past:
            spans.append((first, past))
    if not spans:
        raise Unsatisfiable
    return spans if sum(past - first for first, past in spans) <= size else [(0, size)]


def part_head(boundary: str, mime: str, span: Span, size: int) -> bytes:
    """What stands before one part of a `multipart/byteranges` answer."""
    first, past = span
    return (
        f"\r\n--{boundary}\r\nContent-Type: {mime}\r\nContent-Range: bytes {first}-{past - 1}/{size}\r\n\r\n"
    ).encode()


def part_end(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode()
