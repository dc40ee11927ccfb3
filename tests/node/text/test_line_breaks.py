"""Whatever breaks a line still separates two words when a text is stored: typed, or received in any form."""

from __future__ import annotations

import pytest

from activitypub import vocab
from node.text import display_names, formatting, line_breaks

BREAKS = ["\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\r", "\r\n", "\x1c", "\x1d", "\x1e", "\x1f"]
breaks = pytest.mark.parametrize("character", BREAKS, ids=ascii)


@breaks
def test_each_becomes_one_line_feed(character: str) -> None:
    assert line_breaks.normalize(f"one{character}two") == "one\ntwo"


@breaks
def test_a_typed_text_keeps_its_lines_and_links_end_with_them(character: str) -> None:
    typed = formatting.clean_text(f"one{character}two https://a.example/x{character}three", 100)
    assert typed == "one\ntwo https://a.example/x\nthree"
    assert [token.text for token in formatting.tokens(typed) if token.kind == "url"] == [
        "https://a.example/x"
    ]


@breaks
def test_words_of_received_html_stay_apart(character: str) -> None:
    assert formatting.sanitize_html(f"<p>one{character}two</p>") == "<p>one\ntwo</p>"
    written = "".join(f"&#{ord(one)};" for one in character)
    if ord(character[0]) != 0x85:  # in HTML that is the number of an ellipsis
        assert formatting.html_to_text(formatting.sanitize_html(f"<p>one{written}two</p>")).split() == [
            "one",
            "two",
        ]


@breaks
@pytest.mark.parametrize("media_type", [None, "text/html", "text/plain", "text/markdown"])
def test_words_of_a_received_post_stay_apart(character: str, media_type: str | None) -> None:
    note = vocab.parse_note(
        {
            "type": "Note",
            "id": "https://b.example/1",
            "attributedTo": "https://b.example/bob",
            "content": f"one{character}two https://a.example/x{character}three",
            "summary": f"one{character}two",
            "mediaType": media_type,
        }
    )
    shown = formatting.html_to_text(formatting.sanitize_html(note.content))
    assert shown.split() == [
        "one",
        "two",
        "https://a.example/x" if media_type in (None, "text/html") else "a.example/x",
        "three",
    ]
    assert note.summary == "one\ntwo"


@breaks
def test_words_of_a_name_stay_apart(character: str) -> None:
    assert display_names.clean_line(f"one{character}two") == "one two"
