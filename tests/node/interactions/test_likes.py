from __future__ import annotations

import pytest

from node.database import Writer
from node.errors import NotFound
from node.interactions import blocks, likes
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.timelines import post_views, timelines
from tests.support.people import remote, said, told
from tests.support.posting import publish

PAGE = Page()


def now(tx: Writer, post: Post) -> Post:
    current = posts.by_id(tx, post.id)
    assert current is not None
    return current


async def test_a_like_is_counted_once_told_and_sent(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        likes.like(tx, bob, post)
        likes.like(tx, bob, post)

        assert now(tx, post).likes_count == 1
        assert told(tx, alice) == [("like", bob.id)]
        assert [one.account.id for one in likes.likers(tx, post, None, PAGE)] == [bob.id]
        assert [entry.post_id for entry in timelines.likes(tx, bob, PAGE)] == [post.id]
        [view] = post_views.by_entries(tx, bob, [post.id])
        assert view.marks.liked
        [(verb, uri, _)] = said(tx, bob)
        assert (verb, uri) == ("Like", post.uri)

        likes.unlike(tx, bob, post)
        likes.unlike(tx, bob, post)

        assert now(tx, post).likes_count == 0
        assert told(tx, alice) == []
        verb, uri, extra = said(tx, bob)[-1]
        assert verb == "Undo"
        assert extra == {"verb": "Like", "uri": uri, "object_uri": post.uri}
        assert len(said(tx, bob)) == 2

    await node.db.write(unit)


async def test_a_like_from_elsewhere_is_the_same_deed_but_is_not_sent(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post = publish(tx, alice)
        likes.like(tx, rita, post, uri="https://far.example/likes/1")
        likes.like(tx, rita, post, uri="https://far.example/likes/2")

        assert now(tx, post).likes_count == 1
        found = likes.by_uri(tx, "https://far.example/likes/1")
        assert found is not None
        assert found.account_id == rita.id
        assert said(tx, rita) == []

    await node.db.write(unit)


async def test_a_blocked_person_cannot_like(node: Node, alice: Account, mallory: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        blocks.block(tx, alice, mallory)
        with pytest.raises(NotFound):
            likes.like(tx, mallory, post)

    await node.db.write(unit)
