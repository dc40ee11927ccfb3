"""Bookmarks: kept once, seen by their account alone, as long as the post is visible and both exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from node.database import Writer
from node.errors import NotFound
from node.interactions import blocks, bookmarks
from node.lifecycle import account_deletion
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.publishing import post_deletion
from node.timelines import post_views, timelines
from tests.support.people import activities_of, notifications_of, remote
from tests.support.posting import publish, receive_post

PAGE = Page()


async def test_a_post_is_bookmarked_once_and_listed_until_it_is_removed(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        bookmarks.add(tx, bob, post)
        bookmarks.add(tx, bob, post)

        assert [entry.post_id for entry in timelines.bookmarks(tx, bob, PAGE)] == [post.id]

        bookmarks.remove(tx, bob, post)

        assert timelines.bookmarks(tx, bob, PAGE) == []

    await node.db.write(unit)


async def test_only_who_bookmarked_a_post_can_know(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        bookmarks.add(tx, bob, post)

        assert [view.marks.bookmarked for view in post_views.by_entries(tx, bob, [post.id])] == [True]
        assert [view.marks.bookmarked for view in post_views.by_entries(tx, alice, [post.id])] == [False]
        assert timelines.bookmarks(tx, alice, PAGE) == []
        assert notifications_of(tx, alice) == []
        assert activities_of(tx, bob) == []

    await node.db.write(unit)


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_a_post_that_may_not_be_seen_is_not_there(
    node: Node, alice: Account, bob: Account, visibility: str
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, visibility=visibility)
        with pytest.raises(NotFound):
            bookmarks.add(tx, bob, post)

        assert timelines.bookmarks(tx, bob, PAGE) == []

    await node.db.write(unit)


async def test_a_block_hides_a_bookmark_and_its_end_shows_it_again(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        bookmarks.add(tx, bob, post)

        blocks.block(tx, alice, bob)
        assert timelines.bookmarks(tx, bob, PAGE) == []

        blocks.unblock(tx, alice, bob)
        assert [entry.post_id for entry in timelines.bookmarks(tx, bob, PAGE)] == [post.id]

    await node.db.write(unit)


async def test_posts_of_other_servers_are_bookmarked_alike(node: Node, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = receive_post(tx, remote(tx))
        bookmarks.add(tx, bob, post)

        assert [entry.post_id for entry in timelines.bookmarks(tx, bob, PAGE)] == [post.id]
        assert activities_of(tx, bob) == []

    await node.db.write(unit)


async def test_bookmarks_go_with_their_post(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post, other = publish(tx, alice), publish(tx, alice)
        bookmarks.add(tx, bob, post)
        bookmarks.add(tx, bob, other)

        post_deletion.remove_locally(tx, post)

        assert tx.value("SELECT COUNT(*) FROM bookmarks") == 1
        assert [entry.post_id for entry in timelines.bookmarks(tx, bob, PAGE)] == [other.id]

    await node.db.write(unit)


async def test_bookmarks_go_with_their_account(
    node: Node, settle: Callable[[], Awaitable[int]], alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        bookmarks.add(tx, bob, publish(tx, alice))
        account_deletion.delete_account(tx, bob)

    await node.db.write(unit)
    await settle()

    assert await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM bookmarks")) == 0


async def test_bookmarks_are_neither_sent_nor_notified(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        one, two = publish(tx, alice), publish(tx, alice)
        bookmarks.add(tx, bob, two)
        bookmarks.add(tx, bob, one)
        bookmarks.add(tx, bob, one)

        assert [entry.post_id for entry in timelines.bookmarks(tx, bob, PAGE)] == [one.id, two.id]
        assert (notifications_of(tx, alice), activities_of(tx, bob)) == ([], [])
        bookmarks.remove(tx, bob, one)
        assert [entry.post_id for entry in timelines.bookmarks(tx, bob, PAGE)] == [two.id]
        blocks.block(tx, alice, bob)
        assert timelines.bookmarks(tx, bob, PAGE) == []

    await node.db.write(unit)
