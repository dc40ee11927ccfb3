"""Public collections list what anybody may read, and count no more than they list."""

from __future__ import annotations

from typing import Any

import pytest

from node.accounts import accounts
from node.database import Reader, Writer
from node.federation import public_collections
from node.interactions import boosts, likes
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.publishing import post_deletion
from tests.support import posting

VISIBILITIES = ("public", "unlisted", "followers", "direct")


def publish_all(tx: Writer, author: Account, **draft: Any) -> dict[str, Post]:
    return {
        visibility: posting.publish(tx, author, f"{visibility} #fog", visibility=visibility, **draft)
        for visibility in VISIBILITIES
    }


async def test_an_outbox_lists_open_posts_and_boosts_newest_first(
    node: Node, alice: Account, bob: Account
) -> None:
    mine = await node.db.write(publish_all, alice)
    other = await node.db.write(posting.publish, bob)
    await node.db.write(boosts.boost, alice, other)

    items = await node.db.read(public_collections.outbox, alice, Page())

    assert [one.post_id for one in items] == [other.id, mine["unlisted"].id, mine["public"].id]
    assert [bool(one.boost_uri) for one in items] == [True, False, False]
    assert items[0].boosted_author_uri == bob.uri
    assert await node.db.read(public_collections.outbox_total, alice) == 3


async def test_an_outbox_is_paged_by_id(node: Node, alice: Account) -> None:
    posts = [await node.db.write(posting.publish, alice, f"Post {n}") for n in range(5)]

    first = await node.db.read(public_collections.outbox, alice, Page(limit=2))
    second = await node.db.read(public_collections.outbox, alice, Page(limit=2, max_id=first[-1].id))

    assert [one.post_id for one in (*first, *second)] == [post.id for post in posts[:0:-1]]


async def test_a_deleted_post_leaves_all_collections(node: Node, alice: Account, bob: Account) -> None:
    post = await node.db.write(posting.publish, alice, "Morning #fog")
    await node.db.write(boosts.boost, bob, post)

    await node.db.write(post_deletion.delete, alice, post)

    for account in (alice, bob):
        assert await node.db.read(public_collections.outbox, account, Page()) == []
        assert await node.db.read(public_collections.outbox_total, account) == 0
    assert await node.db.read(public_collections.hashtag_total, "fog") == 0


async def test_only_open_replies_are_listed_and_counted(node: Node, alice: Account, bob: Account) -> None:
    post = await node.db.write(posting.publish, alice)
    replies = await node.db.write(lambda tx: publish_all(tx, bob, parent_id=post.id))
    listed = [replies["unlisted"], replies["public"]]

    assert await node.db.read(public_collections.replies, post, Page()) == [
        (one.id, one.uri) for one in listed
    ]
    assert await node.db.read(public_collections.replies_total, post) == 2
    assert [id_ for id_, _ in await node.db.read(public_collections.thread, post, Page())] == [
        *(one.id for one in listed),
        post.id,
    ]
    assert await node.db.read(public_collections.thread_total, post) == 3


async def test_likes_of_suspended_accounts_are_not_listed(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    post = await node.db.write(posting.publish, alice)
    for account in (bob, mallory):
        await node.db.write(likes.like, account, post)
    assert len(await node.db.read(public_collections.likes, post, Page())) == 2

    await node.db.write(accounts.set_visible, mallory.id, is_visible=False)

    def uris(tx: Reader) -> list[str]:
        return [uri for _, uri in public_collections.likes(tx, post, Page())]

    (uri,) = await node.db.read(uris)
    assert uri.startswith(f"{bob.uri}#")


@pytest.mark.parametrize(("visibility", "listed"), [("public", 1), ("unlisted", 1), ("followers", 0)])
async def test_a_boost_for_followers_is_not_listed(
    node: Node, alice: Account, visibility: str, listed: int
) -> None:
    post = await node.db.write(posting.publish, alice)
    await node.db.write(lambda tx: boosts.boost(tx, alice, post, visibility=visibility))

    assert len(await node.db.read(public_collections.shares, post, Page())) == listed
    assert await node.db.read(public_collections.outbox_total, alice) == 1 + listed


async def test_a_hashtag_lists_public_local_posts_only(node: Node, alice: Account) -> None:
    posts = await node.db.write(publish_all, alice)

    def receive(tx: Writer) -> None:
        posting.receive_post(tx, posting.rita(tx), hashtags=["fog"])

    await node.db.write(receive)

    public = posts["public"]
    assert await node.db.read(public_collections.hashtag, "fog", Page()) == [(public.id, public.uri)]
    assert await node.db.read(public_collections.hashtag_total, "fog") == 1
    assert await node.db.read(public_collections.hashtag, "mist", Page()) == []
