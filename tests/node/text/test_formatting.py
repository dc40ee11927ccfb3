"""Typed text cut into tokens, and remote HTML made safe: what no text may do to a page, or to the clock."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.text.formatting import (
    clean_text,
    cut_hashtag,
    html_to_text,
    link,
    normalize_hashtag,
    paragraphs,
    remote_handles,
    sanitize_html,
    tokens,
)
from tests.support.html_elements import Elements, assert_safe

FIXTURES = Path(__file__).resolve().parents[4] / "shared" / "fixtures"


# Typed text


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("@a@b.example:8443, hello", ["a@b.example:8443"]),
        ("(@a@b.example)", ["a@b.example"]),
        ("@a@B.Example: hi", ["a@b.example"]),
        ("mail a@b.example", []),
        ("https://b.example/@a@c.example", []),
        ("@a@@b", []),
        ("@a.b@c.example.", ["a.b@c.example"]),
        ("@a", []),
    ],
)
def test_handles_with_a_domain_are_found(text: str, handles: list[str]) -> None:
    assert remote_handles(text) == handles


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("#Été", "été"),
        ("Ｆｕｌｌ", "full"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ﬁne", "fine"),
        ("#1", ""),
    ],
)
def test_one_tag_has_one_name(written: str, name: str) -> None:
    assert normalize_hashtag(written) == name


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("#cup½", "cup"),
        ("#cup½full", "cup"),
        ("#محمدﷺ", "محمد"),
        ("#a¨b", "a"),
        ("#mañana…", "mañana"),
        ("#x㎡y", "x"),
        ("#foo-bar", "foo"),
        ("#C++", "C"),
        ("#il·lusió·", "il·lusió"),
        ("#日本語", "日本語"),
        ("＃ｈａｓｈ１", "ｈａｓｈ１"),
        ("#\u0345a", ""),
        ("#½", ""),
        ("#ﷺ", ""),
        ("#12", ""),
        ("#" + "x" * 101, ""),
    ],
)
def test_a_hashtag_is_cut_where_its_normal_form_holds_a_blank_or_a_sign(written: str, tag: str) -> None:
    found = [token.text[1:] for token in tokens(f"a {written} b") if token.kind == "hashtag"]

    assert found == ([tag] if tag else [])
    assert cut_hashtag(written) == tag


@given(st.text(max_size=30) | st.characters().map(lambda character: f"a{character}b"))
def test_whatever_is_written_a_hashtag_has_one_normal_form_or_none(written: str) -> None:
    name = normalize_hashtag(written)

    assert normalize_hashtag(name) == name
    assert not any(character.isspace() for character in name)
    assert bool(name) == bool(cut_hashtag(written))
    assert [token.value for token in tokens(f"#{name} b")] == ([name, ""] if name else [""])


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("@john.doe", ["john.doe"]),
        ("@john.doe.", ["john.doe"]),
        ("@john-doe, hi", ["john-doe"]),
        ("@john.doe@", []),
        ("@john.doe日本", []),
        ("@john://x", []),
        ("@https://a.example", []),
        ("@john@a.example@b.example", []),
        ("@john@a.example-", ["john@a.example"]),
        ("@john...", ["john"]),
        ("@john.", ["john"]),
        ("(@john_)", ["john_"]),
        ("@john.doe@a.example", ["john.doe@a.example"]),
        ("write to john.doe@a.example", []),
        ("README.md, example.com", []),
    ],
)
def test_a_name_with_a_dot_is_one_name(text: str, mentions: list[str]) -> None:
    found = list(tokens(text))

    assert [token.value for token in found if token.kind == "mention"] == mentions
    assert not [token for token in found if token.kind == "url"]


def test_control_characters_are_removed_and_the_length_is_bounded() -> None:
    assert clean_text(" a\x00b\ud800c\r\nd\x1b[0m\u2028 ", 100) == "abc\nd[0m"
    assert clean_text(None, 10) == ""
    assert clean_text("x" * 50, 10) == "x" * 10


@given(
    st.lists(
        st.sampled_from(["@a@b.c", "@bob", "#Fog", "https://a.b/(", "http://", "&", " ", "\n", ")"])
        | st.text(max_size=5)
    )
)
def test_tokens_hold_every_character_of_the_text_in_order(parts: list[str]) -> None:
    text = "".join(parts)

    assert "".join(token.text for token in tokens(text)) == text


def test_tokens_have_a_kind_and_a_normalized_value() -> None:
    found = [
        (token.kind, token.text, token.value) for token in tokens("Hi @Bob@B.Example #Été https://a.b/x.")
    ]

    assert found == [
        ("text", "Hi ", ""),
        ("mention", "@Bob@B.Example", "Bob@b.example"),
        ("text", " ", ""),
        ("hashtag", "#Été", "été"),
        ("text", " ", ""),
        ("url", "https://a.b/x", ""),
        ("text", ".", ""),
    ]


def test_a_long_url_is_shortened_but_its_host_is_shown_whole() -> None:
    host = "a-very-long-name." * 5 + "example"

    assert f">{host}…</a>" in link(f"https://{host}/path?" + "x" * 100)
    assert ">a.example/" + "x" * 50 + "…</a>" in link("https://a.example/" + "x" * 100)
    assert 'href="https://a.example/?a=1&amp;b=&quot;"' in link('https://a.example/?a=1&b="')


def test_blank_lines_make_paragraphs_and_single_ones_line_breaks() -> None:
    assert paragraphs("a\nb\n\n\n\nc\n") == "<p>a<br>b</p><p>c</p>"
    assert paragraphs(" \n\n ") == ""


# Remote HTML

HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\tscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='//evil.example'>x</a>",
    "<a href='/sign-out'>x</a>",
    "<a href='https://a.example' onclick='alert(1)' style='position:fixed;inset:0' id='x' target='_top'>x</a>",
    "<p style='background:url(javascript:alert(1))' class='modal is-active' id='csrf'>x</p>",
    "<form action='https://evil.example'><input name=password><button>Sign in</button></form>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='x'></object><embed src='x'><base href='https://evil.example/'><meta http-equiv=refresh content=0>",
    "<link rel=stylesheet href=https://evil.example/x.css><style>*{display:none}</style>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<details open ontoggle=alert(1)><marquee onstart=alert(1)><video src=x onerror=alert(1)>",
    "<span class='invisible'>https://evil.example/</span><span class='hashtag mention ellipsis'>x</span>",
    "<!--<img src='--><img src=x onerror=alert(1)//'>",
    "<b><b><b><p></b></b></b>",
    "</p></div></main><h1>x</h1>",
    "<a href='https://a.example' rel='opener'>x</a>",
    "<xss contenteditable autofocus onfocus=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<ol start='5'><li value=3>x</li></ol>",
]


@pytest.mark.parametrize("html", HOSTILE)
def test_hostile_remote_html_is_made_harmless(html: str) -> None:
    cleaned = sanitize_html(html)

    assert_safe(cleaned)
    assert "alert" not in Elements(cleaned).text or "&lt;script" in cleaned
    assert sanitize_html(cleaned) == cleaned


def test_strings_of_recorded_documents_are_sanitized() -> None:
    seen = 0

    def walk(value: object) -> None:
        nonlocal seen
        if isinstance(value, dict):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, str):
            seen += 1
            assert_safe(sanitize_html(value))

    for file in sorted(FIXTURES.glob("*/*.json")):
        try:
            walk(json.loads(file.read_bytes()))
        except (ValueError, RecursionError):
            continue
    assert seen or not FIXTURES.exists()


@settings(max_examples=150, deadline=None, database=None)
@given(
    st.lists(
        st.sampled_from(HOSTILE)
        | st.text(max_size=6)
        | st.sampled_from(["<", ">", '"', "'", "</", "<a href=", "<p>"]),
        max_size=12,
    )
)
def test_no_mixture_of_hostile_html_is_unsafe(pieces: list[str]) -> None:
    assert_safe(sanitize_html("".join(pieces)))


@pytest.mark.parametrize("value", [None, 7, [], {}, "\ud800", "\x00", "<" * 9, "<a href='https://[x'>y</a>"])
def test_any_value_is_sanitized_to_a_string(value: object) -> None:
    assert isinstance(sanitize_html(value), str)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 50_000,
        "<b>" * 50_000,
        "".join(f"<b id={n}>" for n in range(9_000)) + "<p>x" * 9_000,
        "<a href='https://a.example'>" * 9_000,
        "<table>" * 20_000,
        '<a href="' + "x" * 90_000,
        "a.b" * 30_000,
        "<a href='https://a.example'>" + "a.b" * 30_000 + "</a>",
        "<a href='https://a.example'>" + "a-" * 45_000 + "</a>",
        "<a href='https://a.example'>" + "a." * 45_000 + "</a>",
        "<!--" * 20_000,
        "&" * 100_000,
        "<" * 100_000,
    ],
)
def test_no_html_is_slow(html: str) -> None:
    started = time.process_time()
    sanitize_html(html)

    assert time.process_time() - started < 1.5


def test_the_markup_of_other_servers_stays() -> None:
    html = (
        '<p>Hi <span class="h-card"><a href="https://a.example/@b" class="u-url mention">@<span>b</span></a></span>'
        ' <a href="https://a.example/tags/x" class="mention hashtag" rel="tag">#<span>x</span></a></p>'
        "<ul><li><strong>one</strong></li></ul><pre><code>x</code></pre>"
    )

    assert sanitize_html(html).replace(' rel="nofollow noopener noreferrer"', "") == html.replace(
        ' rel="tag"', ""
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://bank.example/login", "https://bank.example/login (evil.example)"),
        ("bank.example", "bank.example (evil.example)"),
        ("evil.example/x", "evil.example/x"),
        ("www.evil.example", "www.evil.example"),
        ("@a@bank.example", "@a@bank.example"),
        ("my page", "my page"),
        ("<b>bank</b>.example", "bank.example (evil.example)"),
    ],
)
def test_H2_a_link_cannot_hide_where_it_leads(text: str, shown: str) -> None:
    cleaned = sanitize_html(f'<a href="https://evil.example/">{text}</a>')

    assert Elements(cleaned).text == shown
    assert sanitize_html(cleaned) == cleaned


def test_safe_html_becomes_text_with_its_line_breaks() -> None:
    assert html_to_text("<p>a &lt;b&gt;<br>c</p><p>d</p><ul><li>e</li></ul>") == "a <b>\nc\n\nd\n\ne"
