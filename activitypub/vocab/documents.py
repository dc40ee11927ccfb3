"""Bytes to one JSON object, with bounds on depth and size and no name given twice.

A second `actor` in an object is how two readers are made to see two different
activities, so it is refused. msgspec decodes without noticing repetitions; they
are found by counting: the names in the text, taken by a linear regular
expression, are as many as the names in the result, or one was lost.
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
    """The JSON object in `body`. Raises Malformed for anything else, in time linear in its length."""
    try:
        document = _decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(document, dict):
        raise Malformed("not a JSON object")
    names = _count_names(document, nulls=b"\\u0000" in body)
    # Quotes before colons are at least as many as names; only when texts hold some too is it counted exactly.
    if names != len(_QUOTED.findall(body)) and names != sum(1 for found in _STRING.findall(body) if found):
        raise Malformed("a name is given twice")
    return document


def _count_names(document: dict[str, Any], *, nulls: bool) -> int:
    """How many names all objects have together. Refuses what is too deep, too large or holds NUL characters."""
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
