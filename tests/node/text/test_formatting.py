"""Words in and out: what is typed, what other servers send, and what no words may do to a page."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.accounts import mention_links
from node.accounts.mention_links import Caption
from node.database import Reader, Writer
from node.interactions import blocks
from node.models.account import Account
from node.node import Node
from node.text.formatting import clean_html, clean_text, mentions_in, normal_tag, plain_text
from tests.support.people import remote

FIXTURES = Path(__file__).resolve().parents[4] / "shared" / "fixtures"


async def rendered(node: Node, author: Account, text: str) -> Caption:
    def unit(tx: Reader) -> Caption:
        return mention_links.render(tx, text, author=author)

    return await node.db.read(unit)


class Elements(HTMLParser):
    """Every element with its attributes, and the words between."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


KEPT = {"p", "br", "a", "span", "strong", "em", "b", "i", "u", "s", "del", "code", "pre", "blockquote"}
KEPT |= {"ul", "ol", "li"}
CLASSES = {"mention", "hashtag", "u-url", "h-card"}


def assert_safe(html: str) -> None:
    for tag, attributes in Elements(html).found:
        assert tag in KEPT
        assert set(attributes) <= {"href", "rel", "class", "start"}
        assert set((attributes.get("class") or "").split()) <= CLASSES
        if "href" in attributes:
            assert re.match(r"https?://", attributes["href"] or "")


# What is typed


async def test_a_caption_names_people_tags_and_links(node: Node, alice: Account, bob: Account) -> None:
    rita = await node.db.write(remote)
    caption = await rendered(
        node,
        alice,
        "Fog <3 with @bob, @rita@far.example and @nobody@far.example!\n#Été\nhttps://a.example/x?y=1&z=(2).\n\n#Fog",
    )

    assert caption.html == (
        "<p>Fog &lt;3 with"
        f' <span class="h-card"><a href="{bob.url}" class="u-url mention">@<span>bob</span></a></span>,'
        f' <span class="h-card"><a href="{rita.url}" class="u-url mention">@<span>rita</span></a></span>'
        " and @nobody@far.example!"
        '<br><a href="https://tintype.test/tags/%C3%A9t%C3%A9" class="mention hashtag" rel="tag">#<span>Été</span></a>'
        '<br><a href="https://a.example/x?y=1&amp;z=(2)" rel="nofollow noopener noreferrer">'
        "a.example/x?y=1&amp;z=(2)</a>.</p>"
        '<p><a href="https://tintype.test/tags/fog" class="mention hashtag" rel="tag">#<span>Fog</span></a></p>'
    )
    assert [person.id for person in caption.mentions] == [bob.id, rita.id]
    assert caption.unknown_mentions == ["nobody@far.example"]
    assert caption.hashtags == ["Été", "Fog"]


async def test_a_handle_of_this_node_is_found_with_and_without_its_domain(
    node: Node, alice: Account, bob: Account
) -> None:
    caption = await rendered(node, alice, f"@BOB and @bob@{node.site.domain}")

    assert [person.id for person in caption.mentions] == [bob.id]


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
def test_handles_of_people_elsewhere_are_found(text: str, handles: list[str]) -> None:
    assert mentions_in(text) == handles


@pytest.mark.parametrize(
    ("text", "hashtags"),
    [
        ("#fog #Fog #FOG", ["fog"]),
        ("#हिन्दी and #日本語。", ["हिन्दी", "日本語"]),
        ("#2026 #2026a", ["2026a"]),
        ("a#b &#39; /#c", []),
        ("＃ｆｕｌｌ", ["ｆｕｌｌ"]),
        ("#snow_man! #snow-man", ["snow_man", "snow"]),
        ("#" + "x" * 300, []),
        ("#a·b·", ["a·b"]),
    ],
)
async def test_hashtags_are_found(node: Node, alice: Account, text: str, hashtags: list[str]) -> None:
    assert (await rendered(node, alice, text)).hashtags == hashtags


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
    assert normal_tag(written) == name


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("see https://a.example/p, or", "https://a.example/p"),
        ("(https://a.example/w_(x))", "https://a.example/w_(x)"),
        ("https://a.example/#top", "https://a.example/#top"),
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("https://good@evil.example/", None),
        ('https://a.example"onmouseover=x', "https://a.example"),
        ("javascript:alert(1)", None),
        ("xhttps://a.example", None),
        ("https://", None),
    ],
)
async def test_links_are_found(node: Node, alice: Account, text: str, href: str | None) -> None:
    html = (await rendered(node, alice, text)).html

    assert [attributes.get("href") for tag, attributes in Elements(html).found if tag == "a"] == (
        [href] if href else []
    )


async def test_whatever_is_typed_is_safe_and_says_what_was_typed(node: Node, alice: Account) -> None:
    def unit(tx: Reader) -> None:
        pieces = st.sampled_from(
            ["@alice", "#a", "<b>", "&amp;", "https://a.b/", "\n", "\n\n", '"', "@", "#", " "]
        )

        @settings(max_examples=150, deadline=None, database=None)
        @given(st.lists(pieces | st.text(max_size=8), max_size=20))
        def run(typed: list[str]) -> None:
            text = clean_text("".join(typed), 5000)
            html = mention_links.render(tx, text, author=alice).html
            assert_safe(html)
            again = clean_html(html)
            assert_safe(again)

            def bones(html: str) -> list[tuple[str, str | None, str | None]]:
                return [(tag, a.get("href"), a.get("class")) for tag, a in Elements(html).found]

            assert bones(again) == bones(html)
            assert Elements(again).words == Elements(html).words
            if "http" not in text.lower():
                assert "".join(Elements(html).words.split()) == "".join(text.split())

        run()

    await node.db.read(unit)


@pytest.mark.parametrize(
    "unit",
    [
        "@",
        "@a@",
        "#",
        "#a",
        "http://",
        "https://a.b/(",
        "https://a.b/)",
        "\n",
        "@a@b.c:1",
        "(",
        "#a·",
        "https://a.b,",
        "@a.",
    ],
)
async def test_no_text_is_slow(node: Node, alice: Account, unit: str) -> None:
    text = unit * (100_000 // len(unit))

    started = time.process_time()
    await rendered(node, alice, text)
    mentions_in(text)

    assert time.process_time() - started < 2.5


def test_what_no_reader_can_see_is_taken_out() -> None:
    assert clean_text(" a\x00b\ud800c\r\nd\x1b[0m\u2028 ", 100) == "abc\nd[0m"
    assert clean_text(None, 10) == ""
    assert clean_text("x" * 50, 10) == "x" * 10


# What others send

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
def test_foreign_html_can_do_nothing(html: str) -> None:
    cleaned = clean_html(html)

    assert_safe(cleaned)
    assert "alert" not in Elements(cleaned).words or "&lt;script" in cleaned
    assert clean_html(cleaned) == cleaned


def test_every_recorded_document_comes_out_safe() -> None:
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
            assert_safe(clean_html(value))

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
def test_no_mixture_of_them_can_do_anything(pieces: list[str]) -> None:
    assert_safe(clean_html("".join(pieces)))


@pytest.mark.parametrize("value", [None, 7, [], {}, "\ud800", "\x00", "<" * 9, "<a href='https://[x'>y</a>"])
def test_what_is_no_text_is_cleaned_to_a_text(value: object) -> None:
    assert isinstance(clean_html(value), str)


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
    clean_html(html)

    assert time.process_time() - started < 1.5


def test_the_markup_of_other_servers_stays() -> None:
    html = (
        '<p>Hi <span class="h-card"><a href="https://a.example/@b" class="u-url mention">@<span>b</span></a></span>'
        ' <a href="https://a.example/tags/x" class="mention hashtag" rel="tag">#<span>x</span></a></p>'
        "<ul><li><strong>one</strong></li></ul><pre><code>x</code></pre>"
    )

    assert clean_html(html).replace(' rel="nofollow noopener noreferrer"', "") == html.replace(
        ' rel="tag"', ""
    )


@pytest.mark.parametrize(
    ("words", "said"),
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
def test_H2_a_link_cannot_hide_where_it_leads(words: str, said: str) -> None:
    cleaned = clean_html(f'<a href="https://evil.example/">{words}</a>')

    assert Elements(cleaned).words == said
    assert clean_html(cleaned) == cleaned


def test_the_words_of_safe_html_can_be_read_without_it() -> None:
    assert plain_text("<p>a &lt;b&gt;<br>c</p><p>d</p><ul><li>e</li></ul>") == "a <b>\nc\n\nd\n\ne"


async def test_nobody_is_named_across_a_block(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        blocks.block(tx, bob, alice)
        caption = mention_links.render(tx, "hey @bob", author=alice)
        assert (caption.html, caption.mentions) == ("<p>hey @bob</p>", [])

    await node.db.write(unit)
