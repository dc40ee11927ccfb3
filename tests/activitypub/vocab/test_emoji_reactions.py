"""Reactions of Misskey, Pleroma and similar software: one emoji, or one custom emoji with its image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub import vocab
from activitypub.vocab import emoji_reactions as reaction_vocab
from activitypub.vocab.emoji_reactions import EmojiReaction

FIXTURES = Path(__file__).parents[3].parent / "shared" / "fixtures"
BLOB = {
    "type": "Emoji",
    "id": "https://b.test/e/blob",
    "name": ":blob:",
    "icon": {"url": "https://b.test/b.png"},
}


def _read(type_: str = "EmojiReact", **more: Any) -> EmojiReaction | None:
    doc = {"type": type_, "actor": "https://b.test/users/bob", "object": "https://a.test/p/alice/1", **more}
    return reaction_vocab.parse(vocab.parse_activity(doc))


@pytest.mark.parametrize("type_", ["EmojiReact", "Like"])
@pytest.mark.parametrize("name", ["content", "_misskey_reaction"])
@pytest.mark.parametrize(
    "emoji",
    [
        "🔥",
        "❤",
        "❤️",
        "👍🏽",
        "👩‍❤️‍💋‍👨",
        "👨‍👩‍👧‍👦",
        "🏳️‍🌈",
        "🇫🇷",
        "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
        "3️⃣",
        "©",
        "™️",
        "🕵🏻‍♂️",
        "🐦‍⬛",
        "🫩",
        "⭐",
        "☝🏿",
    ],
)
def test_one_emoji_is_a_reaction(type_: str, name: str, emoji: str) -> None:
    assert _read(type_, **{name: emoji}) == EmojiReaction(emoji)


@pytest.mark.parametrize(
    "content",
    [
        "",
        None,
        "~",
        "a",
        "1",
        "👌👌",
        "🔥 hot",
        "🇫🇷🇩🇪",
        "<b>",
        "\u200d",
        "\ufe0f",
        "🔥" + "\u200d🔥" * 40,
        7,
        {},
        [],
        "é",
    ],
)
def test_other_content_is_no_reaction(content: Any) -> None:
    assert _read(content=content) is None
    assert _read("Like", content=content) is None


def test_a_custom_emoji_comes_with_its_picture() -> None:
    for type_ in ("EmojiReact", "Like"):
        found = _read(type_, content=":blob:", tag=[BLOB])
        assert found is not None
        assert found.emoji is not None
        assert (found.content, found.emoji.url) == (":blob:", "https://b.test/b.png")


@pytest.mark.parametrize(("content", "name"), [(":blob@c.test:", ":blob@c.test:"), (":blob@.:", "blob")])
def test_a_custom_emoji_of_a_third_server_is_read(content: str, name: str) -> None:
    found = _read("Like", content=content, tag={**BLOB, "name": name})
    assert found is not None
    assert found.content == ":blob:"
    assert found.emoji is not None


@pytest.mark.parametrize(
    "tag",
    [
        None,
        [],
        "x",
        [{**BLOB, "name": ":other:"}],
        [{**BLOB, "icon": None}],
        [{**BLOB, "icon": {"url": "javascript:alert(1)"}}],
        [{**BLOB, "type": "Hashtag"}],
    ],
)
def test_a_custom_emoji_without_its_picture_is_none(tag: Any) -> None:
    assert _read(content=":blob:", tag=tag) is None


def test_a_short_name_has_bounds() -> None:
    for length, is_read in (
        (reaction_vocab.MAX_SHORTCODE_LENGTH, True),
        (reaction_vocab.MAX_SHORTCODE_LENGTH + 1, False),
    ):
        name = ":" + "x" * length + ":"
        assert (_read(content=name, tag=[{**BLOB, "name": name}]) is not None) is is_read


def test_misskeys_oldest_reactions_are_names() -> None:
    assert _read("Like", _misskey_reaction="pudding") == EmojiReaction("🍮")
    assert _read("Like", _misskey_reaction="star") == EmojiReaction("⭐")
    assert _read("Like", content="star") is None


def test_a_plain_like_is_no_reaction() -> None:
    assert _read("Like") is None
    assert _read("Announce", content="🔥") is None


def test_an_emoji_counts_once_with_and_without_its_variation_selector() -> None:
    assert EmojiReaction("❤").key == EmojiReaction("❤️").key


@given(st.text(max_size=40) | st.text(alphabet="👍🏽\u200d\ufe0f🇫❤:@ab1\u20e3", max_size=40))
def test_a_parsed_reaction_is_always_short(content: str) -> None:
    found = _read(content=content, tag=[BLOB])
    assert found is None or len(found.content) <= reaction_vocab.MAX_SHORTCODE_LENGTH + 2


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("fep/fep__fep_c0e0_fep-c0e0.md__L38.json", "🔥"),
        ("fep/fep__fep_c0e0_fep-c0e0.md__L61.json", ":blobwtfnotlikethis:"),
        ("mastodon/pleroma__test_fixtures_emoji-reaction.json", "👌"),
        ("mastodon/pleroma__test_fixtures_emoji-reaction-no-emoji.json", None),
        ("mastodon/pleroma__test_fixtures_emoji-reaction-too-long.json", None),
        ("misskey/akkoma-bdx__test_fixtures_misskey-like.json", ":pudding:"),
        ("misskey/pleroma__test_fixtures_misskey-like.json", "🍮"),
    ],
)
def test_reactions_as_other_software_sends_them(path: str, content: str | None) -> None:
    if not (FIXTURES / path).exists():
        pytest.skip("the fixtures are not beside the project")
    found = reaction_vocab.parse(vocab.parse_activity(json.loads((FIXTURES / path).read_text())))
    assert (found.content if found else None) == content
