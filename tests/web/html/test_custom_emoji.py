"""Custom emoji: only known shortcodes, only in text, and nothing but an image for any shortcode."""

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
def test_known_shortcodes_become_images_only_in_text(html: str, shown: str) -> None:
    assert custom_emoji.replace_in_html(html, CAT) == shown


def test_other_shortcodes_stay_escaped_text() -> None:
    assert custom_emoji.replace_in_text("<b>:cat:", CAT) == f"&lt;b&gt;{IMG}"
    assert 'alt=":a&amp;b:"' in custom_emoji.replace_in_text(":a&b:", CAT)
    assert custom_emoji.replace_in_text("Rita", "") == "Rita"


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
        attributes = dict(attrs)
        if tag == "img":
            assert set(attributes) == {"class", "src", "alt", "title", "loading", "decoding"}
            assert (attributes["src"] or "").removeprefix("/media/emoji/").removesuffix(".webp").isdecimal()
            self.text += attributes["alt"] or ""
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
def test_no_shortcode_changes_the_rest_of_the_html(html: str, known: dict[str, int]) -> None:
    clean = formatting.sanitize_html(html)
    shown = custom_emoji.replace_in_html(clean, json.dumps(known))

    before, after = _Seen(clean), _Seen(str(shown))

    assert after.tags == before.tags
    assert after.text == before.text
    assert before.emoji == 0


@given(words=_words, known=st.dictionaries(_names, st.integers(1, 2**62), max_size=4))
def test_a_display_name_with_emoji_is_text_and_images_only(words: str, known: dict[str, int]) -> None:
    seen = _Seen(str(custom_emoji.replace_in_text(words, json.dumps(known))))

    assert seen.tags == []
