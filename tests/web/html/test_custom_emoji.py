"""Emoji among words: only those known, only in text, and nothing but a picture comes of any name."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.text import formatting
from web.html import custom_emoji

CAT = json.dumps({"cat": 7, "a&b": 8, '"': 9, "30": 10})
IMG = (
    '<img class="emoji" src="/media/emoji/7.webp" alt=":cat:" title=":cat:" loading="lazy" decoding="async">'
)


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>a :cat: b</p>", f"<p>a {IMG} b</p>"),
        (":cat::cat:", IMG + IMG),
        (":cat: :dog:", f"{IMG} :dog:"),
        ("at 12:30:45", "at 12:30:45"),
        ("x:cat:", "x:cat:"),
        (":cat:x", ":cat:x"),
        ("(:cat:)", f"({IMG})"),
        ('<a href="https://x.example/:cat:">:cat:</a>', f'<a href="https://x.example/:cat:">{IMG}</a>'),
        ('<a href="https://x.example/?a>:cat:">y</a>', '<a href="https://x.example/?a>:cat:">y</a>'),
        (":CAT:", ":CAT:"),
        ("\u200b:cat:\u200b", f"\u200b{IMG}\u200b"),
    ],
)
def test_known_names_become_pictures_in_text_alone(html: str, shown: str) -> None:
    assert custom_emoji.in_html(html, CAT) == shown


def test_names_are_escaped_words_otherwise() -> None:
    assert custom_emoji.in_words("<b>:cat:", CAT) == f"&lt;b&gt;{IMG}"
    assert 'alt=":a&amp;b:"' in custom_emoji.in_words(":a&b:", CAT)
    assert custom_emoji.in_words("Rita", "") == "Rita"


class _Seen(HTMLParser):
    """Tags with their attributes, and the text with every emoji as its name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.text = ""
        self.emoji = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "img":
            assert set(told) == {"class", "src", "alt", "title", "loading", "decoding"}
            assert (told["src"] or "").removeprefix("/media/emoji/").removesuffix(".webp").isdecimal()
            self.text += told["alt"] or ""
            self.emoji += 1
        else:
            self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


_names = st.text(
    st.characters(exclude_characters=": \t\r\n", exclude_categories=["Cs", "Cc", "Z"]), min_size=1
)
_words = st.lists(
    st.one_of(
        _names.map(lambda name: f":{name}:"),
        st.sampled_from(
            [
                "<p>",
                "</p>",
                '<a href="https://x.example/:cat:?a=\'&quot;">',
                "</a>",
                "<br>",
                " ",
                ":",
                "<",
                '"',
                "&amp;",
            ]
        ),
        st.text(max_size=8),
    ),
    max_size=12,
).map("".join)


@given(html=_words, known=st.dictionaries(_names | st.just("cat"), st.integers(1, 2**62), max_size=4))
def test_whatever_is_named_the_rest_of_the_page_stays_as_it_was(html: str, known: dict[str, int]) -> None:
    clean = formatting.clean_html(html)
    shown = custom_emoji.in_html(clean, json.dumps(known))

    before, after = _Seen(clean), _Seen(str(shown))

    assert after.tags == before.tags
    assert after.text == before.text
    assert before.emoji == 0


@given(words=_words, known=st.dictionaries(_names, st.integers(1, 2**62), max_size=4))
def test_a_name_with_emoji_is_words_and_pictures_and_nothing_else(words: str, known: dict[str, int]) -> None:
    seen = _Seen(str(custom_emoji.in_words(words, json.dumps(known))))

    assert seen.tags == []
