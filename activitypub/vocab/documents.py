"""Decodes bytes to one JSON object, with limits on depth and size and without duplicate names.

With a second `actor` in an object, two parsers can be made to see two different
activities, so it is refused. msgspec decodes without noticing duplicates; they are
found by counting: if the names in the text, found by a linear regular expression,
are not as many as the names in the result, one was lost.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from activitypub.uris import Malformed

MAX_DEPTH, MAX_NODES = 32, 10_000

_decode = msgspec.json.Decoder().decode
_QUOTED = re.compile(rb'"\s*:')
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?', re.DOTALL)


def parse_json(body: bytes) -> dict[str, Any]:
    """Decodes the JSON object in `body`, in time linear in its length. Raises Malformed for anything else."""
    try:
        document = _decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(document, dict):
        raise Malformed("not a JSON object")
    names = _count_names(document, nulls=b"\\u0000" in body)
    # There are at least as many quotes before colons as names; only if strings hold some too is the exact count needed.
    if names != len(_QUOTED.findall(body)) and names != sum(1 for found in _STRING.findall(body) if found):
        raise Malformed("a name is given twice")
    return document


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
