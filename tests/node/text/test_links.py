"""Links in typed text: what is one, where it ends, and what of the text around it is left alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.text import links
from node.text.formatting import link, text_to_html, tokens
from tests.support.html_elements import Elements, assert_safe


def urls(text: str) -> list[str]:
    return [token.text for token in tokens(text) if token.kind == "url"]


# Addresses that end with a character that could also end a phrase, a quotation or an emphasis.
WHOLE = [
    "https://en.wikipedia.org/wiki/Foo_",
    "https://a.example/@someone_",
    "https://a.example/~",
    "https://a.example/x~",
    "https://a.example/files/*",
    "https://a.example/{id}",
    "https://a.example/x}",
    "https://a.example/?q={a}&b={c}",
    "https://a.example/a-",
    "https://a.example/a+",
    "https://a.example/?a=",
    "https://a.example/#",
    "https://a.example/wiki/Primer_(film)",
    "https://a.example/(a(b)c)",
    "https://a.example/a[1]",
    "https://a.example/a,b;c:d!e'f$g@h",
    "https://a.example/wiki/McDonald's",
    "https://a.example/?q=P1|0||P2|0",
    "https://a.example/a.b./",
    "https://a.example?a#b",
    "https://a.example#b",
    "HTTPS://A.EXAMPLE/X",
    "https://a.example:8443/x",
    "https://a-b.c_d.example.com/",
    # Other scripts in the path: these are what a browser shows of them.
    "https://ja.wikipedia.org/wiki/日本",
    "https://ja.wikipedia.org/wiki/日本のABC版",
    "https://ja.wikipedia.org/wiki/ジョン・レノン",
    "https://ko.wikipedia.org/wiki/대한민국",
    "https://ru.wikipedia.org/wiki/Заглавная_страница",
    "https://fa.wikipedia.org/wiki/می\u200cخواهم",
    "https://he.wikipedia.org/wiki/עַל־יְדֵי",
    "https://en.m.wikipedia.org/wiki/Hatfield–McCoy_feud",
    "https://ca.wikipedia.org/wiki/Il·lusió",
    "https://a.example/?q=東京",
    "https://a.example/🎉",
    "https://a.example/i❤️you",
    # Hosts.
    "https://bücher.example/x",
    "https://nic.みんな/",
    "http://ああ.com",
    "http://exampleこれは日本語です.com/path/index.html",
    "https://👍.example/",
    "https://i❤️.ws/emoji",
    "https://👨\u200d👩\u200d👧.example/x",
    "https://xn--bcher-kva.example/",
    "https://президент.рф/",
    "https://127.0.0.1:8080/x",
    "https://[2001:db8::1]:8443/x",
    "http://localhost:8473/compose",
    "https://user:pass@a.example/x",
    "https://user@a.example/",
    "https://user%40mail.example:p,w@a.example/",
]

# What follows an address and is no part of it.
ENDS = [
    *(".", ",", ";", ":", "!", "?", "'", '"', "...", "…", "?!", "'.", ".)", ")", "]", "),", ">", "<", "`", "\\", "^"),
    *("”", "“", "„", "«", "»", "‘", "’", "‹", "›", "’s", "”.", "»,"),
    *("。", "、", "「", "」", "『", "』", "】", "〉", "》", "）", "（", "！", "？", "，", "：", "；", "．", "～", "〜", "＂", "｣", "・"),
    *("،", "؛", "؟", "۔", "٪", "।", "॥", "¿", "¡", "·"),
    *("—", "–", "―", "—and more", "– and", "–", "‐"),
    *("\u200b", "\u200bword", "\u200d", "\u200c", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u200f", "\u202e", "\u2066"),
    *("\u2212", "\u2800", "\u034f", "\ufe0f", "\u3164", "\u115f", "\U000e0100"),
    *("\u00a0", "\u3000", "\u2003", "\u2028", "\n", "\t", " "),
]  # fmt: skip
# These are no part of it after a word; after a sign they begin another part of the address.
AFTER_WORDS = ["😍", "🎉🎉", "❤️", "👨\u200d👩\u200d👧", "™", "を見て", "에서", "查看"]


@pytest.mark.parametrize("url", WHOLE)
@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("see ", " now"), ("見て", " "), ("(", ")"), ("“", "”"), ("\n", ".\n")]
)
def test_the_whole_address_is_a_link_and_nothing_around_it(url: str, before: str, after: str) -> None:
    assert urls(before + url + after) == [url]


@pytest.mark.parametrize("after", [*ENDS, *AFTER_WORDS])
@pytest.mark.parametrize("url", ["https://a.example/x", "https://b.a.example/?q=1"])
def test_what_follows_an_address_is_left_out(url: str, after: str) -> None:
    assert urls(f"a {url}{after} b") == [url]


@pytest.mark.parametrize("after", ENDS)
@pytest.mark.parametrize("url", ["https://a.example/x_", "https://a.example/~", "https://a.example/"])
def test_what_follows_a_sign_that_belongs_to_the_address_is_left_out(url: str, after: str) -> None:
    assert urls(f"a {url}{after} b") == [url]


@pytest.mark.parametrize("after", [*ENDS, *AFTER_WORDS, "です", "으로", ":x", "_", "-", "*"])
def test_what_follows_a_host_is_left_out(after: str) -> None:
    assert urls(f"https://a.example{after} b") == ["https://a.example"]


@pytest.mark.parametrize("mark", ["*", "**", "_", "__", "~~"])
def test_emphasis_around_an_address_is_no_part_of_it(mark: str) -> None:
    assert urls(f"{mark}https://a.example/x{mark} b") == ["https://a.example/x"]
    assert urls(f"{mark}https://a.example{mark}, b") == ["https://a.example"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("写真はhttps://a.example/xをどうぞ", ["https://a.example/x"]),
        ("これhttps://a.example", ["https://a.example"]),
        ("caféhttps://a.example/", ["https://a.example/"]),
        ("ฉันhttps://a.example/", ["https://a.example/"]),
        ("한국http://t.co/abcde한국", ["http://t.co/abcde"]),
        ("test http://example.comだよね.comtest/x", ["http://example.com"]),
        ("{see https://a.example/x}", ["https://a.example/x"]),
        ("[x](https://a.example/b)text", ["https://a.example/b"]),
        ("<https://a.example/b>", ["https://a.example/b"]),
        ("https://a.example/b|https://c.example", ["https://a.example/b", "https://c.example"]),
        ("https://a.example/b\nhttps://c.example/d", ["https://a.example/b", "https://c.example/d"]),
        ("https://a.example/,,,,,,,,,,,,", ["https://a.example/"]),
        ("view-source:https://a.example/", ["https://a.example/"]),
        *(
            (
                f"https://a.example/x{sign}three https://a.example{sign}four",
                ["https://a.example/x", "https://a.example"],
            )
            for sign in ("\u2212", "\u2800", "\u034f", "\ufe0f", "\u3164")
        ),
        ("https://a.example/❤️/x", ["https://a.example/❤️/x"]),
        ("see https://a.example./x and", ["https://a.example./x"]),
        ("https://a.example.:8443/x", ["https://a.example.:8443/x"]),
        ("https://a.example./.", ["https://a.example./"]),
        ("https://a.example.", ["https://a.example"]),
        ("https://a.example.: x", ["https://a.example"]),
        ("https://a.example../x", ["https://a.example"]),
    ],
)
def test_links_are_found_in_running_text(text: str, found: list[str]) -> None:
    assert urls(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "README.md",
        "example.com",
        "@john.doe",
        "@john.doe.com",
        "john.doe@a.example",
        "http://",
        "https:///x",
        "https://-/",
        "http://no-tld",
        "http://-a.example",
        "http://a-.example",
        "http://_a.example.com",
        "http://a.b_.com",
        "http://a_b.com",
        "http://a.c_o_m",
        "http://a.com-and-more",
        "http://xn--はじめよう.com/",
        "http://1.2.3",
        "http://999.1.1.1/",
        "http://[::x]/",
        "http://user@/",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 200 + "example",
        "#http://a.example",
        "@http://a.example",
        "$http://a.example",
        "xhttps://a.example",
        "http://a b.example",
        "ftp://a.example/",
        "javascript://a.example/%0aalert(1)",
    ],
)
def test_what_is_no_address_is_no_link(text: str) -> None:
    assert urls(f"a {text} b") == []


def test_a_link_shows_the_whole_host_with_who_signs_in_there() -> None:
    assert ">bank.example@evil.example/x</a>" in link("https://bank.example@evil.example/x")


PIECES = (
    st.sampled_from(["https://", "http://a.b", "HTTPS://a.example/", "(", ")", "_", "*", "“", "。", "\u200d", "😍", "を", "@", "#", "."])
    | st.text(max_size=4)
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_no_link_holds_blanks_or_ends_with_punctuation(text: str) -> None:
    found = urls(text)

    for url in found:
        assert not any(character.isspace() for character in url)
        assert url[-1] not in ".,;:!?'\"…<>“”„«»‘’。、」）،؛؟—\u200b\u200c\u200d\ufeff"
        assert url.count(")") <= url.count("(")
        # A link found alone is the same link.
        assert urls(url) == [url]


@given(st.lists(PIECES | st.sampled_from(["<b>", "&lt;", "\n"]), max_size=14).map("".join))
def test_any_text_becomes_safe_html_that_says_the_same(text: str) -> None:
    html = text_to_html(text)

    assert_safe(html)
    if not urls(text):
        assert "".join(Elements(html).text.split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "https://" * 12_000,
        "https://a.b/" + "(" * 90_000,
        "https://a.b/" + ")" * 90_000,
        "https://a.b/ " * 8_000,
        "{" * 50_000 + "https://a.b/x}" * 3_000,
        "https://" + "a." * 45_000,
        "https://" + "a@" * 45_000,
        "https://a.b/" + "😍" * 90_000,
        "https://a.b/x" + "\u200d" * 90_000,
        "https://" + "é" * 90_000,
        "@a." * 30_000,
        "#ﷺ" * 40_000,
        "#" + "½" * 90_000,
    ],
)
def test_no_text_is_slow_to_search(text: str) -> None:
    started = time.process_time()
    list(tokens(text))

    assert time.process_time() - started < 1.5


def test_an_address_is_found_only_where_it_begins() -> None:
    assert links.find_end("see https://a.example/x.", 4) == 23
    assert links.find_end("see https://a.example/x.", 5) == 5
