"""Content warnings and names look the same to those who read them as plain text and to those who read HTML."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.text import plain_or_html

TEXTS = [
    "Tom & Jerry",
    "a < b > c",
    "I <3 you",
    "<b>bold</b> & <i>",
    "R&D, AT&T; Q&A",
    "&lt;script&gt;",
    "typed &amp; twice",
    "&copy &#38; &#x26;",
    "<",
    "x <",
    "</p> <!-- <?php",
    "1<2 && 2>1",
    "dir <dir@host>",
]


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def as_plain_text(text: str) -> str:
    """As Mastodon shows a text."""
    return text


def as_html(text: str) -> str:
    """As GoToSocial does: parsed, and only the text of it kept."""
    parser = _Text()
    parser.feed(text)
    parser.close()
    return parser.text


def as_stripped_html(text: str) -> str:
    """As Pixelfed does: from each `<` that no white space follows up to `>` or the end is dropped, then it is HTML."""
    return as_html(re.sub(r"<(?!\s)[^>]*(?:>|$)", "", text))


def seen(text: str, *, spaces: bool = True) -> str:
    """The characters that have a width; without those after `<`, which a warning may have gained."""
    text = text.replace("\u2060", "")
    return text if spaces else re.sub(r"<\s+", "<", text).strip()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("reader", [as_plain_text, as_html, as_stripped_html])
def test_every_reader_shows_the_characters_of_a_warning(text: str, reader: object) -> None:
    assert callable(reader)
    shown = seen(reader(plain_or_html.spell_warning(text)), spaces=False)
    assert shown == seen(text, spaces=False)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("reader", [as_plain_text, as_html])
def test_every_reader_shows_a_name_as_it_is(text: str, reader: object) -> None:
    assert callable(reader)
    assert seen(reader(plain_or_html.spell_name(text))) == text


@given(st.text(alphabet="<>&;abltgm #x26/!? \n"))
def test_any_warning_and_name_is_shown_alike(text: str) -> None:
    warning, name = plain_or_html.spell_warning(text), plain_or_html.spell_name(text)
    for reader in (as_plain_text, as_html, as_stripped_html):
        assert seen(reader(warning), spaces=False) == seen(text, spaces=False)
    assert seen(as_html(name)) == text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("a &lt; b", "a < b"),
        ("<p>food</p>", "food"),
        ("<b>food</b> &amp; <i>drink</i>", "food & drink"),
        ("use <b> for bold", "use <b> for bold"),
        ("I <3 you & them", "I <3 you & them"),
        ("AT&T", "AT&T"),
        ("a<br>b", "a\nb"),
        ("&#39;quoted&#x27;", "'quoted'"),
    ],
)
def test_a_text_is_read_as_it_was_written(written: str, expected: str) -> None:
    assert plain_or_html.read(written) == expected


@pytest.mark.parametrize("text", TEXTS)
def test_another_node_reads_the_name_that_was_sent(text: str) -> None:
    sent = plain_or_html.spell_name(text)
    if re.search(r"</", text) is None:
        assert plain_or_html.read(sent) == text
    assert seen(unescape(sent)) == seen(sent)
