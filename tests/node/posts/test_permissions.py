from __future__ import annotations

from typing import Any

import pytest

from node.database import Writer
from node.errors import NotFound
from node.interactions import bookmarks, boosts, likes
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.posts import posts
from tests.support.people import remote, told
from tests.support.posting import publish

PAGE = Page()


def now(tx: Writer, post: Post) -> Post:
    current = posts.by_id(tx, post.id)
    assert current is not None
    return current


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_nobody_reacts_to_what_they_may_not_see(node: Node, alice: Account, visibility: str) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post = publish(tx, alice, visibility=visibility)
        deeds: list[Any] = [likes.like, boosts.boost, bookmarks.add]
        for deed in deeds:
            with pytest.raises(NotFound):
                deed(tx, rita, post)
        assert now(tx, post) == post
        assert told(tx, alice) == []

    await node.db.write(unit)
