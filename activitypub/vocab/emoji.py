"""Parses the custom emoji in the tags of posts and actors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from activitypub.vocab.values import document_id, items, text, timestamp_ms, type_name, web_url

MAX_EMOJI = 100
_SHORTCODE = re.compile(r":?([^\s:]{1,2048}):?")


@dataclass(frozen=True, slots=True)
class EmojiTag:
    """A custom emoji: `shortcode` without colons, `url` of its image."""

    shortcode: str
    url: str
    id: str | None
    updated_ms: int | None


def parse_emoji(tags: Iterable[dict[str, Any]]) -> list[EmojiTag]:
    """Returns the custom emoji among the tags, each shortcode once, at most 100."""
    found: dict[str, EmojiTag] = {}
    for tag in tags:
        if type_name(tag) != "Emoji":
            continue
        name = _SHORTCODE.fullmatch(text(tag.get("name"), 2050))
        url = next((web_url(icon) for icon in items(tag.get("icon"), 1)), None)
        if name and url:
            found.setdefault(
                name[1], EmojiTag(name[1], url, document_id(tag), timestamp_ms(tag.get("updated")))
            )
    return list(found.values())[:MAX_EMOJI]
