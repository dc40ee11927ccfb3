from __future__ import annotations

import pytest

from node.database import Writer
from node.errors import NotAllowed, NotFound
from node.interactions import blocks, likes
from node.models.account import Account
from node.models.interaction_policy import NOBODY, InteractionPolicy
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.timelines import post_views, timelines
from tests.support.people import activities_of, notifications_of, remote
from tests.support.posting import publish

PAGE = Page()


def now(tx: Writer, post: Post) -> Post:
    current = posts.by_id(tx, post.id)
    assert current is not None
    return current


async def test_a_like_is_counted_notified_and_sent_once(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        likes.like(tx, bob, post)
        likes.like(tx, bob, post)

        assert now(tx, post).likes_count == 1
        assert notifications_of(tx, alice) == [("like", bob.id)]
        assert [one.account.id for one in likes.likers(tx, post, None, PAGE)] == [bob.id]
        assert [entry.post_id for entry in timelines.likes(tx, bob, PAGE)] == [post.id]
        [view] = post_views.by_entries(tx, bob, [post.id])
        assert view.marks.liked
        [(verb, uri, _)] = activities_of(tx, bob)
        assert (verb, uri) == ("Like", post.uri)

        likes.unlike(tx, bob, post)
        likes.unlike(tx, bob, post)

        assert now(tx, post).likes_count == 0
        assert notifications_of(tx, alice) == []
        verb, uri, extra = activities_of(tx, bob)[-1]
        assert verb == "Undo"
        assert extra == {"verb": "Like", "uri": uri, "object_uri": post.uri}
        assert len(activities_of(tx, bob)) == 2

    await node.db.write(unit)


async def test_a_remote_like_is_recorded_alike_but_not_sent(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post = publish(tx, alice)
        likes.like(tx, rita, post, uri="https://far.example/likes/1")
        likes.like(tx, rita, post, uri="https://far.example/likes/2")

        assert now(tx, post).likes_count == 1
        found = likes.by_uri(tx, "https://far.example/likes/1")
        assert found is not None
        assert found.account_id == rita.id
        assert activities_of(tx, rita) == []

    await node.db.write(unit)


async def test_a_blocked_account_cannot_like(node: Node, alice: Account, mallory: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        blocks.block(tx, alice, mallory)
        with pytest.raises(NotFound):
            likes.like(tx, mallory, post)

    await node.db.write(unit)


async def test_a_like_that_the_policy_refuses_changes_nothing(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, policy=InteractionPolicy(like=NOBODY))
        with pytest.raises(NotAllowed):
            likes.like(tx, bob, post)
        assert now(tx, post).likes_count == 0
        assert (notifications_of(tx, alice), activities_of(tx, bob)) == ([], [])

    await node.db.write(unit)


async def test_liking_ones_own_post_notifies_nobody(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        likes.like(tx, alice, post)
        assert now(tx, post).likes_count == 1
        assert notifications_of(tx, alice) == []

    await node.db.write(unit)


async def test_a_like_takes_another_id_only_if_that_is_free(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam")
        post = publish(tx, alice)
        likes.like(tx, rita, post, uri="https://far.example/likes/1")
        likes.like(tx, sam, post, uri="https://far.example/likes/2")
        first = likes.by_uri(tx, "https://far.example/likes/1")
        assert first is not None

        likes.set_uri(tx, first, "https://far.example/likes/2")
        assert likes.by_uri(tx, "https://far.example/likes/1") == first
        likes.set_uri(tx, first, "https://far.example/likes/3")
        assert likes.by_uri(tx, "https://far.example/likes/1") is None
        moved = likes.by_uri(tx, "https://far.example/likes/3")
        assert moved is not None
        assert (moved.id, moved.account_id) == (first.id, rita.id)

    await node.db.write(unit)


async def test_likers_are_listed_without_blocks_and_suspended_accounts(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        for account in (bob, mallory, remote(tx)):
            likes.like(tx, account, post, uri=f"like:{account.id}")
        blocks.block(tx, bob, mallory)
        tx.run("UPDATE accounts SET suspended_at = 1 WHERE name = 'rita'")

        def names(viewer: Account | None) -> list[str]:
            return [one.account.name for one in likes.likers(tx, post, viewer, PAGE)]

        assert names(None) == ["mallory", "bob"]
        assert names(bob) == ["bob"]
        assert names(mallory) == ["mallory"]

    await node.db.write(unit)


async def test_the_likes_of_a_deleted_account_no_longer_count(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        likes.like(tx, bob, post)
        likes.like(tx, mallory, post)

        likes.delete_by_account(tx, bob)

        assert now(tx, post).likes_count == 1
        assert [one.account.name for one in likes.likers(tx, post, None, PAGE)] == ["mallory"]

    await node.db.write(unit)
