"""Which text both databases can store. What comes in is checked once, here, where it comes in.

PostgreSQL stores no NUL, and neither database stores half of a surrogate pair, which JSON and file names can hold.
"""

from __future__ import annotations

import re
from typing import Any

from node.errors import Invalid

MAX_DEPTH = 64
UNSTORABLE = "That contains a character that cannot be stored."

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def is_storable(text: str) -> bool:
    return "\0" not in text and (text.isascii() or _UNSTORABLE.search(text) is None)


def check(value: Any, field: str = "") -> None:
    """Raises Invalid for text that cannot be stored, also inside lists and objects, as a name or as a value."""
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if not is_storable(item):
                    raise Invalid(UNSTORABLE, field=field if is_storable(field) else "")
            elif isinstance(item, dict):
                below += [*item, *item.values()]
            elif isinstance(item, list | tuple):
                below += item
        if not below:
            return
        level = below
    raise Invalid("That is nested too deeply.", field=field)
