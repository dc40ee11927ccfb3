"""Typed text as HTML: mentions of known accounts, hashtags and links; safe and linear in time, whatever the text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.accounts import accounts, mention_links
from node.accounts.mention_links import FormattedText
from node.database import Reader, Writer
from node.interactions import blocks
from node.models.account import Account
from node.node import Node
from node.text import formatting
from node.text.formatting import clean_text, remote_handles, sanitize_html
from tests.support.html_elements import Elements, assert_safe
from tests.support.people import remote


async def rendered(node: Node, author: Account, text: str) -> FormattedText:
    def unit(tx: Reader) -> FormattedText:
        return mention_links.render_html(tx, text, author=author)

    return await node.db.read(unit)


async def test_mentions_hashtags_and_links_of_a_caption_become_links(
    node: Node, alice: Account, bob: Account
) -> None:
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


async def test_a_local_handle_is_found_with_and_without_its_domain(
    node: Node, alice: Account, bob: Account
) -> None:
    caption = await rendered(node, alice, f"@BOB and @bob@{node.site.domain}")

    assert [person.id for person in caption.mentions] == [bob.id]


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
    ("text", "href"),
    [
        ("see https://a.example/p, or", "https://a.example/p"),
        ("(https://a.example/w_(x))", "https://a.example/w_(x)"),
        ("https://a.example/#top", "https://a.example/#top"),
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("https://good@evil.example/", "https://good@evil.example/"),
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


async def test_any_typed_text_is_rendered_safely_and_completely(node: Node, alice: Account) -> None:
    def unit(tx: Reader) -> None:
        parts = st.sampled_from(
            ["@alice", "#a", "<b>", "&amp;", "https://a.b/", "\n", "\n\n", '"', "@", "#", " "]
        )

        @settings(max_examples=150, deadline=None, database=None)
        @given(st.lists(parts | st.text(max_size=8), max_size=20))
        def run(typed: list[str]) -> None:
            text = clean_text("".join(typed), 5000)
            html = mention_links.render_html(tx, text, author=alice).html
            assert_safe(html)
            again = sanitize_html(html)
            assert_safe(again)

            def structure(html: str) -> list[tuple[str, str | None, str | None]]:
                return [(tag, a.get("href"), a.get("class")) for tag, a in Elements(html).found]

            assert structure(again) == structure(html)
            assert Elements(again).text == Elements(html).text
            if "http" not in text.lower():
                assert "".join(Elements(html).text.split()) == "".join(text.split())

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
    remote_handles(text)

    assert time.process_time() - started < 2.5


async def test_a_mention_across_a_block_stays_plain_text(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        blocks.block(tx, bob, alice)
        caption = mention_links.render_html(tx, "hey @bob", author=alice)
        assert (caption.html, caption.mentions) == ("<p>hey @bob</p>", [])

    await node.db.write(unit)


async def test_a_mention_of_a_suspended_account_stays_plain_text(
    node: Node, alice: Account, bob: Account
) -> None:
    await node.db.write(accounts.set_visible, bob.id, is_visible=False)

    caption = await rendered(node, alice, "hey @bob")

    assert (caption.html, caption.mentions, caption.unknown_mentions) == ("<p>hey @bob</p>", [], [])


async def test_only_so_many_accounts_and_hashtags_are_linked(
    node: Node, alice: Account, bob: Account
) -> None:
    handles = " ".join(f"@nobody{n}" for n in range(formatting.MAX_MENTIONS))
    hashtags = " ".join(f"#tag{n}" for n in range(formatting.MAX_HASHTAGS + 5))

    caption = await rendered(node, alice, f"{handles} @bob {hashtags} #tag0")

    assert caption.mentions == []
    assert len(caption.hashtags) == formatting.MAX_HASHTAGS
    assert caption.html.count('rel="tag"') == formatting.MAX_HASHTAGS + 1


async def test_an_account_that_is_named_twice_is_mentioned_once(
    node: Node, alice: Account, bob: Account
) -> None:
    caption = await rendered(node, alice, "@bob, @BOB and @alice")

    assert [account.name for account in caption.mentions] == ["bob", "alice"]
    assert caption.html.count("h-card") == 3
