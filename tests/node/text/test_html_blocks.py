"""Blocks of remote HTML: two words in two of them never become one, in what is shown and in its text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.text.formatting import html_to_text, sanitize_html
from node.text.html_blocks import KEPT_BLOCKS, OTHER_BLOCKS, to_line
from tests.support.html_elements import assert_safe

# Of the HTML standard, and what browsers still show as a block.
BLOCKS = sorted(KEPT_BLOCKS | OTHER_BLOCKS)
INLINE = ["a", "b", "em", "span", "u", "code", "label", "font", "time", "mark"]
BREAK = re.compile(r"</?(?:p|pre|blockquote|ul|ol|li|br)\b")


def shape(html: str) -> list[str]:
    """The words of sanitized HTML, and a bar for each place with one break or more."""
    found: list[str] = []
    for part in re.findall(r"<[^>]*>|[^<\s]+", html):
        if not part.startswith("<"):
            found.append(part)
        elif BREAK.match(part) and found and found[-1] != "|":
            found.append("|")
    return found[:-1] if found and found[-1] == "|" else found


@pytest.mark.parametrize("tag", BLOCKS)
@pytest.mark.parametrize(
    "html",
    [
        "<{0}>one</{0}><{0}>two</{0}>",
        "one<{0}>two</{0}>",
        "<{0}>one</{0}>two",
        "<{1} class='x' id=y>one</{1}\n><b>two</b>",
        "<div><p><{0}>one</{0}></p></div>two",
        "<b>one<{0}>two</{0}></b>",
        "<span>one</span><{0}><{0}>two",
        "one<{0}/>two",
        "<table><tr><td>one</td><td><{0}>two</{0}></td></tr></table>",
    ],
)
def test_two_blocks_are_two_lines(tag: str, html: str) -> None:
    cleaned = sanitize_html(html.format(tag, tag.upper()))

    assert_safe(cleaned)
    assert shape(cleaned) == ["one", "|", "two"]
    assert re.fullmatch(r"one\n+two", html_to_text(cleaned))
    assert to_line(cleaned) == "one two"
    assert sanitize_html(cleaned) == cleaned


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("one<hr>two", "one<br>two"),
        ("one<br>two", "one<br>two"),
        ("<h1>One</h1><p>two</p>", "One<p>two</p>"),
        ("<p>one</p>\n<div>\n  <p>two</p>\n</div>", "<p>one</p>\n<p>two</p>"),
        ("<div>one</div>\n\n<div>two</div><div></div>", "one<br>two"),
        ("<div><div>one</div></div><div><br></div><div>two</div>", "one<br>two"),
        ("<div>one<b></b></div><div><b>two</b></div>", "one<b></b><br><b>two</b>"),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a<br>b<br>1<br>2"),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "a<br>b"),
        ("<details><summary>a</summary>b</details>c", "a<br>b<br>c"),
        ("<figure>a<figcaption>b</figcaption></figure>", "a<br>b"),
        ("<ul><li><div>a</div></li><li>b</li></ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<article><section><h2>a</h2></section></article><footer>b</footer>", "a<br>b"),
        ("a<br><div>b</div>", "a<br>b"),
    ],
)
def test_a_block_leaves_one_break_where_there_is_none_yet(html: str, shown: str) -> None:
    assert sanitize_html(html) == shown


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("one<p>two</p>three", "one\n\ntwo\n\nthree"),
        ("<ul><li>a</li><li>b</li></ul>c", "a\nb\n\nc"),
        ("<ul><li>a<ul><li>b</li></ul></li></ul>", "a\n\nb"),
        ("a<br><br><br>b", "a\n\nb"),
        ("a<br>b", "a\nb"),
        ("<p>a</p>\n<p>b</p>", "a\n\nb"),
        ("a <b>b</b> c", "a b c"),
        ("1 &lt; 2 &amp;amp;", "1 < 2 &amp;"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<blockquote>a</blockquote>b", "a\n\nb"),
        ("<h1>a</h1><td>b</td>", "a\nb"),
        ("", ""),
    ],
)
def test_text_has_the_line_breaks_of_its_html(html: str, text: str) -> None:
    assert html_to_text(html) == text


@st.composite
def nested(draw: st.DrawFn) -> tuple[str, int]:
    """HTML of nested and neighbouring blocks, and how many there are that hold a word each."""
    html, words = "", 0
    for _ in range(draw(st.integers(1, 5))):
        tags = draw(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=4))
        inner = draw(st.lists(st.sampled_from(INLINE), max_size=2))
        opening = "".join(f"<{tag}{draw(st.sampled_from(['', ' x', ' class=y']))}>" for tag in tags + inner)
        closing = "".join(f"</{tag}>" for tag in reversed(tags + inner))
        html += f"{draw(st.sampled_from(['', ' ', chr(10)]))}{opening}w{words}{closing}"
        words += 1
    return html, words


@given(nested())
def test_words_in_different_blocks_are_never_one_word(made: tuple[str, int]) -> None:
    html, words = made
    cleaned = sanitize_html(html)
    expected = [f"w{number}" for number in range(words)]

    assert_safe(cleaned)
    assert sanitize_html(cleaned) == cleaned
    assert html_to_text(cleaned).split() == expected
    assert to_line(cleaned) == " ".join(expected)
    assert shape(cleaned) == [part for word in expected for part in (word, "|")][:-1]


@pytest.mark.parametrize("tag", ["iframe", "video", "audio", "object", "embed", "canvas", "VIDEO"])
def test_what_is_embedded_between_two_words_leaves_a_break(tag: str) -> None:
    void = f"<{tag} src='https://a.example/x'>"
    closed = void if tag == "embed" else f"{void}</{tag}>"

    for html in (f"one{closed}two", f"<p>one{closed}two</p>"):
        assert shape(sanitize_html(html)) in (["one", "|", "two"], ["|", "one", "|", "two"])


@pytest.mark.parametrize("tag", ["video", "audio", "canvas", "AUDIO"])
def test_what_stands_inside_of_something_embedded_is_apart_from_what_follows(tag: str) -> None:
    html = f"<p>one<{tag}>two</{tag}>three</p>"

    assert to_line(sanitize_html(html)) == "one two three"


def test_a_picture_inside_of_a_line_leaves_a_blank() -> None:
    html = "<p>one<img class='emoji' src='https://a.example/x.png' alt='x'>two <IMG src=x>three</p>"

    assert to_line(sanitize_html(html)) == "one two three"


@pytest.mark.parametrize("html", ["<td>" * 3_900, "<hr>" * 3_900, "<div><b>x" * 1_900, "<h1>x</h1>" * 1_900])
def test_many_blocks_are_bounded(html: str) -> None:
    assert_safe(sanitize_html(html))
    assert "<br><br>" not in sanitize_html(html)
