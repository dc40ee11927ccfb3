"""Reactions (FEP-c0e0): an emoji given to a post, with EmojiReact or with a Like that has one.

A reaction is one emoji or the short name of a custom one whose picture comes along. A Like with anything
else is a plain like; an EmojiReact with anything else says nothing. Misskey's oldest reactions are names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from activitypub.vocab import Activity, Emoji
from activitypub.vocab.emoji import emoji
from activitypub.vocab.values import objects, text

TYPES = frozenset({"EmojiReact", "Like"})
MOST_LETTERS, MOST_SHORTCODE = 32, 200

_NAMES = {
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

# One emoji as people see it: flags and keycaps, or pictures, each with what changes its look, joined by U+200D.
# Whole blocks are taken, so that emoji which this Python has not heard of are emoji too.
_PICTURE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_LOOK = "(?:\ufe0f|\ufe0e|[\U0001f3fb-\U0001f3ff])?(?:[\U000e0020-\U000e007e]{1,8}\U000e007f)?"
_ONE = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|[0-9#*]\ufe0f?\u20e3"
    "|[\U0001f3fb-\U0001f3ff]"
    f"|{_PICTURE}{_LOOK}(?:\u200d{_PICTURE}{_LOOK}){{0,9}}"
)


@dataclass(frozen=True, slots=True)
class Reaction:
    """`content` is an emoji, or `:name:` with the picture in `emoji`."""

    content: str
    emoji: Emoji | None = None

    @property
    def key(self) -> str:
        """The same for reactions that look the same: an emoji may come with or without U+FE0F."""
        return self.content.replace("\ufe0f", "")


def read(activity: Activity) -> Reaction | None:
    """The reaction in an EmojiReact or Like, or None when there is none that can be shown."""
    if activity.type not in TYPES:
        return None
    for name in ("content", "_misskey_reaction"):
        given = text(activity.raw.get(name), MOST_SHORTCODE + 300)
        found = _reaction(activity, given) if given else None
        if found is None and name == "_misskey_reaction" and given in _NAMES:
            found = Reaction(_NAMES[given])
        if found is not None:
            return found
    return None


def is_one_emoji(given: str) -> bool:
    return len(given) <= MOST_LETTERS and _ONE.fullmatch(given) is not None


def _reaction(activity: Activity, given: str) -> Reaction | None:
    if is_one_emoji(given):
        return Reaction(given)
    custom = _SHORTCODE.fullmatch(given)
    if custom is None or len(custom[1]) > MOST_SHORTCODE:
        return None
    wanted = (custom[1], given.strip(":"))
    for tag in emoji(objects(activity.raw.get("tag"), 20)):
        if tag.shortcode in wanted or tag.shortcode.partition("@")[0] == custom[1]:
            return Reaction(f":{custom[1]}:", tag)
    return None
