"""Custom emoji of other servers: identified by server and shortcode, bounded, kept with the texts that use them."""

from __future__ import annotations

from typing import Any

import pytest

from node.accounts import accounts
from node.attachments import custom_emoji
from node.database import Reader, Writer
from node.ids import now_ms
from node.maintenance import clean_up
from node.models.account import Account
from node.models.post import Post
from node.models.remote_actor import RemoteEmoji
from node.moderation import domain_rules
from node.node import Node
from node.posts import posts
from node.publishing import remote_posts
from tests.support.people import remote
from tests.support.posting import build_remote_post, receive_post

CAT = RemoteEmoji("cat", "https://far.example/cat.png")


def known(tx: Reader) -> list[tuple[str, str, str]]:
    rows = tx.all("SELECT domain, shortcode, url FROM emoji ORDER BY domain, shortcode")
    return [(row["domain"], row["shortcode"], row["url"]) for row in rows]


async def test_a_post_keeps_the_emoji_that_its_text_names(node: Node) -> None:
    dog = RemoteEmoji("dog", "https://far.example/dog.png")

    def unit(tx: Writer) -> Post:
        made = receive_post(tx, remote(tx), html="<p>Look: :cat:</p>", emoji=[CAT, dog, CAT])
        found = posts.by_id(tx, made.id)
        assert found is not None
        return found

    post = await node.db.write(unit)

    assert list(custom_emoji.ids_by_shortcode(post.emoji)) == ["cat"]
    assert await node.db.read(known) == [("far.example", "cat", CAT.url)]


async def test_an_account_keeps_the_emoji_of_its_name_bio_and_fields(node: Node) -> None:
    offered = [RemoteEmoji(name, f"https://far.example/{name}") for name in ("a", "b", "c", "d")]

    def unit(tx: Writer, /, **profile: Any) -> Account:
        return remote(tx, emoji=offered, **profile)

    rita = await node.db.write(
        unit, display_name="Rita :a:", bio="<p>:b:</p>", fields=[("site :c:", "<b>x</b>")]
    )

    assert set(custom_emoji.ids_by_shortcode(rita.emoji)) == {"a", "b", "c"}
    found = await node.db.read(accounts.get, rita.id)
    assert found.emoji == rita.emoji
    assert (await node.db.write(unit, display_name="Rita")).emoji == ""


async def test_the_same_shortcode_on_two_servers_is_two_emoji(node: Node) -> None:
    def unit(tx: Writer) -> tuple[str, str]:
        rita, tom = remote(tx), remote(tx, "tom", "other.example")
        one = receive_post(tx, rita, html=":cat:", emoji=[CAT])
        two = receive_post(tx, tom, html=":cat:", emoji=[RemoteEmoji("cat", "https://other.example/cat.png")])
        return one.emoji, two.emoji

    one, two = await node.db.write(unit)

    assert custom_emoji.ids_by_shortcode(one)["cat"] != custom_emoji.ids_by_shortcode(two)["cat"]


async def test_only_a_newer_picture_replaces_another(node: Node) -> None:
    def offer(tx: Writer, url: str, updated_at: int) -> str:
        custom_emoji.record_used(tx, "far.example", [RemoteEmoji("cat", url, updated_at)], ":cat:")
        return known(tx)[0][2]

    for url, updated_at, expected in (
        ("https://far.example/1", 0, "https://far.example/1"),
        ("https://far.example/2", 0, "https://far.example/2"),
        ("https://far.example/3", 5000, "https://far.example/3"),
        ("https://far.example/4", 4000, "https://far.example/3"),
        ("https://far.example/5", 0, "https://far.example/3"),
        ("https://far.example/6", 6000, "https://far.example/6"),
    ):
        assert await node.db.write(offer, url, updated_at) == expected


async def test_a_text_has_a_bounded_number_of_emoji(node: Node) -> None:
    many = [RemoteEmoji(f"e{n}", f"https://far.example/{n}") for n in range(90)]
    text = "".join(f" :e{n}: " for n in range(90))

    kept = await node.db.write(custom_emoji.record_used, "far.example", many, text)
    long = RemoteEmoji("x" * 2049, "https://far.example/x")
    none = await node.db.write(custom_emoji.record_used, "far.example", [long], f":{long.shortcode}:")

    assert len(custom_emoji.ids_by_shortcode(kept)) == custom_emoji.MAX_PER_TEXT
    assert none == ""


@pytest.mark.parametrize("name", ["x" * 2048, "ø" * 1024])
async def test_a_shortcode_may_have_2048_bytes(node: Node, name: str) -> None:
    kept = await node.db.write(
        custom_emoji.record_used, "far.example", [RemoteEmoji(name, "https://far.example/x")], f":{name}:"
    )

    assert list(custom_emoji.ids_by_shortcode(kept)) == [name]


async def test_an_edit_changes_which_emoji_a_post_keeps(node: Node) -> None:
    def unit(tx: Writer) -> tuple[str, str]:
        rita = remote(tx)
        post = receive_post(tx, rita, html=":cat:", emoji=[CAT])
        edited = remote_posts.receive_update(
            tx, build_remote_post(rita, uri=post.uri, html="<p>No cats</p>", emoji=[CAT], edited_at=now_ms())
        )
        assert edited is not None
        again = posts.by_id(tx, post.id)
        assert again is not None
        return post.emoji, again.emoji

    before, after = await node.db.write(unit)

    assert before
    assert after == ""


async def test_a_server_has_a_bounded_number_of_emoji(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_emoji, "MAX_PER_SERVER", 2)
    offered = [RemoteEmoji(name, f"https://far.example/{name}") for name in ("a", "b", "c")]

    kept = await node.db.write(custom_emoji.record_used, "far.example", offered, ":a: :b: :c:")
    other = await node.db.write(custom_emoji.record_used, "other.example", offered, ":c:")

    assert list(custom_emoji.ids_by_shortcode(kept)) == ["a", "b"]
    assert list(custom_emoji.ids_by_shortcode(other)) == ["c"]


async def test_an_emoji_is_not_shown_where_its_file_host_is_rejected(node: Node) -> None:
    offered = [RemoteEmoji("cat", "https://files.example/cat.png")]
    kept = await node.db.write(custom_emoji.record_used, "far.example", offered, ":cat:")
    id_ = custom_emoji.ids_by_shortcode(kept)["cat"]
    assert await node.db.read(custom_emoji.visible_by_id, id_) is not None

    await node.db.write(domain_rules.block, "files.example", strength="none", rejects_media=True)

    assert await node.db.read(custom_emoji.visible_by_id, id_) is None


async def test_the_emoji_of_a_server_without_accounts_are_deleted(node: Node) -> None:
    def given(tx: Writer) -> None:
        receive_post(tx, remote(tx), html="<p>:cat:</p>", emoji=[CAT])
        custom_emoji.record_used(
            tx, "gone.example", [RemoteEmoji("owl", "https://gone.example/owl")], ":owl:"
        )

    await node.db.write(given)

    await clean_up.delete_outdated(node.db, now_ms(), keep_remote_posts_days=0)

    assert [name for _, name, _ in await node.db.read(known)] == ["cat"]
