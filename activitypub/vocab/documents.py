"""Decodes bytes to one JSON object, with limits on depth and size and without duplicate names.

With a second `actor` in an object, two parsers can be made to see two different
activities, so it is refused. msgspec decodes without noticing duplicates; they are
found by counting: if the names in the text are not as many as the names in the result, one was lost.

What stands outside strings is counted first, so that a document of too many values is refused before any of them is
made: a megabyte of them would hold up everything else for as long as a second.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from activitypub.uris import Malformed

MAX_DEPTH, MAX_NODES = 32, 10_000


def _parse_float(digits: str) -> float:
    """Parses a number that is not whole: one such as 1.5e300 takes msgspec a hundred times as long as Python."""
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("not a number that can be held")
    return value


_decode = msgspec.json.Decoder(float_hook=_parse_float).decode


def parse_json(body: bytes) -> dict[str, Any]:
    """Decodes the JSON object in `body`, in time linear in its length. Raises Malformed for anything else."""
    between = _outside_strings(body)
    try:
        document = _decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(document, dict):
        raise Malformed("not a JSON object")
    names = _count_names(document, nulls=b"\\u0000" in body)
    if names != sum(text.lstrip().startswith(b":") for text in between):
        raise Malformed("a name is given twice")
    return document


def _outside_strings(body: bytes) -> list[bytes]:
    """Returns what stands between the strings of a JSON text. Raises Malformed where that are too many values."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Each value is in quotes at most, and so is its name.
    if body.count(b'"') > 4 * MAX_NODES:
        raise Malformed("too many values")
    between = body.split(b'"')[::2]
    joined = b"".join(between)
    if joined.count(b",") > MAX_NODES or joined.count(b"[") + joined.count(b"{") > MAX_NODES + 1:
        raise Malformed("too many values")
    return between


def _count_names(document: dict[str, Any], *, nulls: bool) -> int:
    """Returns the number of names in all objects.

    Raises Malformed for too much depth or size, and for NUL characters.
    """
    names = nodes = 0
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                names += len(item)
                children: Any = item.values()
                if nulls and any("\0" in name for name in item):
                    raise Malformed("text with a NUL character")
            else:
                children = item
            nodes += len(item)
            if nodes > MAX_NODES:
                raise Malformed("too many values")
            for child in children:
                kind = type(child)
                if kind is dict or kind is list:
                    below.append(child)
                elif nulls and kind is str and "\0" in child:
                    raise Malformed("text with a NUL character")
        if not below:
            return names
        level = below
    raise Malformed("too deep")
