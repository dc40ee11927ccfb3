"""Parses emoji reactions (FEP-c0e0): an EmojiReact, or a Like that carries an emoji.

A reaction is one Unicode emoji, or the shortcode of a custom emoji whose image is among the tags. A Like with any
other content is a plain like; an EmojiReact with any other content is ignored. Old Misskey reactions are words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from activitypub.vocab import Activity, EmojiTag
from activitypub.vocab.emoji import parse_emoji
from activitypub.vocab.values import objects, text

TYPES = frozenset({"EmojiReact", "Like"})
MAX_EMOJI_LENGTH, MAX_SHORTCODE_LENGTH = 32, 200

_MISSKEY_NAMES = {
    "like": "👍",
    "love": "❤️",
    "laugh": "😆",
    "hmm": "🤔",
    "surprise": "😮",
    "congrats": "🎉",
    "angry": "💢",
    "confused": "😥",
    "rip": "😇",
    "pudding": "🍮",
    "star": "⭐",
}
_SHORTCODE = re.compile(r":([^\s:@]+)(?:@[^\s:@]+)?:")

# One emoji as displayed: flags and keycaps, or pictographs, each with its modifiers, joined by U+200D.
# Whole blocks are matched, so that emoji newer than this Python count too.
_PICTOGRAPH = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_MODIFIERS = "(?:\ufe0f|\ufe0e|[\U0001f3fb-\U0001f3ff])?(?:[\U000e0020-\U000e007e]{1,8}\U000e007f)?"
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|[0-9#*]\ufe0f?\u20e3"
    "|[\U0001f3fb-\U0001f3ff]"
    f"|{_PICTOGRAPH}{_MODIFIERS}(?:\u200d{_PICTOGRAPH}{_MODIFIERS}){{0,9}}"
)


@dataclass(frozen=True, slots=True)
class EmojiReaction:
    """A reaction: `content` is a Unicode emoji, or `:shortcode:` with the image in `emoji`."""

    content: str
    emoji: EmojiTag | None = None

    @property
    def key(self) -> str:
        """The identity of a reaction: an emoji may come with or without U+FE0F and counts as the same."""
        return self.content.replace("\ufe0f", "")


def parse(activity: Activity) -> EmojiReaction | None:
    """Returns the reaction in an EmojiReact or Like, or None when there is none that can be displayed."""
    if activity.type not in TYPES:
        return None
    for name in ("content", "_misskey_reaction"):
        given = text(activity.raw.get(name), MAX_SHORTCODE_LENGTH + 300)
        found = _parse_content(activity, given) if given else None
        if found is None and name == "_misskey_reaction" and given in _MISSKEY_NAMES:
            found = EmojiReaction(_MISSKEY_NAMES[given])
        if found is not None:
            return found
    return None


def is_one_emoji(given: str) -> bool:
    """Returns whether a text is exactly one Unicode emoji."""
    return len(given) <= MAX_EMOJI_LENGTH and _EMOJI.fullmatch(given) is not None


def _parse_content(activity: Activity, given: str) -> EmojiReaction | None:
    if is_one_emoji(given):
        return EmojiReaction(given)
    custom = _SHORTCODE.fullmatch(given)
    if custom is None or len(custom[1]) > MAX_SHORTCODE_LENGTH:
        return None
    wanted = (custom[1], given.strip(":"))
    for tag in parse_emoji(objects(activity.raw.get("tag"), 20)):
        if tag.shortcode in wanted or tag.shortcode.partition("@")[0] == custom[1]:
            return EmojiReaction(f":{custom[1]}:", tag)
    return None
