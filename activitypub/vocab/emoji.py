"""Custom emoji: little pictures with a short name, in posts and in names of people."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from activitypub.vocab.values import identity, items, kind, millis, text, web

MOST = 100
_SHORTCODE = re.compile(r":?([^\s:]{1,2048}):?")


@dataclass(frozen=True, slots=True)
class Emoji:
    shortcode: str
    url: str
    id: str | None
    updated_ms: int | None


def emoji(tags: Iterable[dict[str, Any]]) -> list[Emoji]:
    """The emoji among the tags, each short name once."""
    found: dict[str, Emoji] = {}
    for tag in tags:
        if kind(tag) != "Emoji":
            continue
        name = _SHORTCODE.fullmatch(text(tag.get("name"), 2050))
        url = next((web(icon) for icon in items(tag.get("icon"), 1)), None)
        if name and url:
            found.setdefault(name[1], Emoji(name[1], url, identity(tag), millis(tag.get("updated"))))
    return list(found.values())[:MOST]
