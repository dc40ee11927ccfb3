"""The language of a post, texts that stand only in a map, plain text, and booleans that are texts."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub import vocab
from activitypub.vocab.notes import Note
from activitypub.vocab.values import boolean, language_tag
from node.text.formatting import html_to_text

ME = "https://b.example/users/bob"


def a_note(**more: Any) -> Note:
    return vocab.parse_note({"id": f"{ME}/1", "type": "Note", "attributedTo": ME, **more})


@pytest.mark.parametrize(
    ("document", "language"),
    [
        ({"content": "x", "contentMap": {"fr": "x"}}, "fr"),
        # Another text than the content: changed on the way, or sanitized.
        ({"content": "<p>x</p>", "contentMap": {"fr": "x"}}, "fr"),
        ({"content": "x", "contentMap": {"de": "y", "fr": "x"}}, "fr"),
        ({"content": "z", "contentMap": {"de": "y", "fr": "x"}}, "de"),
        ({"contentMap": {"de": "y", "fr": "x"}}, "de"),
        ({"content": "x", "contentMap": {"zh_Hant_TW": "x"}}, "zh-Hant-TW"),
        ({"content": "x", "contentMap": {"not a language": "x", "": "x", "pt-BR": 7}}, None),
        ({"content": "x", "contentMap": {"und": "x"}}, None),
        ({"content": {"@value": "x", "@language": "fr"}}, "fr"),
        ({"content": [{"@value": "x", "@language": "fr"}]}, "fr"),
        ({"content": "x", "language": "fr"}, "fr"),
        ({"content": "x", "language": {"identifier": "fr", "name": "Français"}}, "fr"),
        ({"content": "x", "contentMap": {"und": "x"}, "language": {"identifier": "und", "name": "-"}}, None),
        ({"content": "x", "language": {"name": "Français"}}, None),
        ({"content": "x", "inLanguage": "fr"}, "fr"),
        ({"content": "x", "inLanguage": ["fr", "de"]}, "fr"),
        ({"content": "x", "inLanguage": {"type": "Language", "alternateName": "fr"}}, "fr"),
        ({"content": "x", "schema:inLanguage": {"@value": "fr"}}, "fr"),
        ({"content": "x", "nameMap": {"fr": "y"}}, "fr"),
        ({"content": "x", "summaryMap": {"fr": "y"}}, "fr"),
        ({"content": "x", "@context": ["https://www.w3.org/ns/activitystreams", {"@language": "fr"}]}, "fr"),
        ({"content": "x", "@context": {"@language": "und"}}, None),
        ({"content": "x", "contentMap": {"de": "x"}, "inLanguage": "fr"}, "de"),
        ({"content": "x", "contentMap": ["x"], "language": 7, "inLanguage": {}}, None),
    ],
)
def test_the_language_is_read_wherever_it_stands(document: dict[str, Any], language: str | None) -> None:
    assert a_note(**document).language == language


@pytest.mark.parametrize(
    ("document", "name", "summary"),
    [
        ({"nameMap": {"fr": "titre"}, "summaryMap": {"fr": "attention"}}, "titre", "attention"),
        ({"name": "title", "nameMap": {"fr": "titre"}}, "title", ""),
        ({"name": "", "nameMap": {"fr": "titre"}}, "titre", ""),
        ({"name": None, "nameMap": {"de": "Titel", "fr": "titre"}, "contentMap": {"fr": "x"}}, "titre", ""),
        (
            {"summary": None, "summaryMap": {"de": "Achtung", "fr": "attention"}, "inLanguage": "fr"},
            "",
            "attention",
        ),
        ({"nameMap": {"xx-": 1, "fr": ["titre"]}, "summaryMap": "x"}, "", ""),
        ({"name": {"@value": "titre", "@language": "fr"}}, "titre", ""),
    ],
)
def test_a_text_that_stands_only_in_a_map_is_read(document: dict[str, Any], name: str, summary: str) -> None:
    note = a_note(content="x", **document)

    assert (note.name, note.summary) == (name, summary)


@pytest.mark.parametrize(
    "media_type", ["text/plain", "text/markdown", "text/markdown; charset=utf-8", "Text/Plain"]
)
def test_addresses_in_plain_text_are_links(media_type: str) -> None:
    note = a_note(
        content="One & <b>two</b>\n\n[a page](https://c.example/x_(y)), <https://d.example>.",
        mediaType=media_type,
    )

    assert note.content.startswith("<p>One &amp; &lt;b&gt;two&lt;/b&gt;</p><p>[a page](<a href=")
    assert 'href="https://c.example/x_(y)"' in note.content
    assert 'href="https://d.example"' in note.content
    assert html_to_text(note.content) == "One & <b>two</b>\n\n[a page](c.example/x_(y)), <d.example>."


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_plain_text_has_paragraphs_whatever_ends_its_lines(line_break: str) -> None:
    written = line_break.join(["One", "two", "", "three https://c.example/", "four"])

    note = a_note(content=written, mediaType="text/markdown")

    assert html_to_text(note.content) == "One\ntwo\n\nthree c.example/\nfour"


def test_html_stays_html() -> None:
    assert a_note(content="<b>x</b>", mediaType="text/html").content == "<b>x</b>"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (True, True),
        ("true", True),
        (" True ", True),
        ({"@type": "xsd:boolean", "@value": "true"}, True),
        ({"@value": True}, True),
        (["true"], True),
        ("false", False),
        (False, False),
        ("yes", None),
        (1, None),
        ([], None),
        (None, None),
        ({}, None),
    ],
)
def test_a_boolean_may_be_a_text(value: Any, read: bool | None) -> None:
    assert boolean(value) is (read or False)
    assert boolean(value, True) is (True if read is None else read)
    assert a_note(content="x", sensitive=value).sensitive is (read or False)


def test_an_actor_is_discoverable_by_a_text() -> None:
    actor = vocab.parse_actor(
        {"id": ME, "type": "Person", "inbox": f"{ME}/inbox", "discoverable": "true", "indexable": "false",
         "nameMap": {"fr": "Robert"}, "summaryMap": {"fr": "Bonjour"}}
    )  # fmt: skip

    assert (actor.discoverable, actor.indexable, actor.name, actor.summary) == (
        True,
        False,
        "Robert",
        "Bonjour",
    )


@pytest.mark.parametrize("value", ["english", "e", "fr fr", "", None, 7, [], {}, {"name": "English"}])
def test_what_is_no_language_tag_is_none(value: Any) -> None:
    assert language_tag(value) is None
