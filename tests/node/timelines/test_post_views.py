"""Post views: what a page shows of a post, in a number of queries that does not depend on its length."""

from __future__ import annotations

from typing import Any

import pytest

from node.database import Writer
from node.interactions import blocks, bookmarks, boosts, likes
from node.models.account import Account
from node.node import Node
from node.timelines import post_views
from node.timelines.timelines import TimelineEntry
from node.timelines.viewer_marks import ViewerMarks
from tests.support.people import remote
from tests.support.posting import picture, publish, receive_post


class Counting:
    """A reader that counts the queries that pass through it."""

    def __init__(self, tx: Writer) -> None:
        self.tx, self.queries = tx, 0

    def __getattr__(self, name: str) -> Any:
        if name in ("all", "one", "value"):
            self.queries += 1
        return getattr(self.tx, name)


async def test_a_page_takes_as_many_queries_as_a_post(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        made = []
        for number in range(30):
            author = remote(tx, f"r{number}")
            post = receive_post(
                tx, author, photos=[picture(f"{number}")], hashtags=[f"t{number}"], mentions=[alice, bob]
            )
            made.append(post.id)
            made.append(publish(tx, bob, "@alice hm", parent_id=post.id).id)
        few, many = Counting(tx), Counting(tx)
        assert len(post_views.by_entries(few, alice, made[:2])) == 2  # type: ignore[arg-type]
        assert len(post_views.by_entries(many, alice, made)) == 60  # type: ignore[arg-type]
        assert few.queries == many.queries == 6

    await node.db.write(unit)


async def test_a_view_carries_the_marks_of_its_viewer(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        [plain] = post_views.by_entries(tx, bob, [post.id])
        assert plain.marks == ViewerMarks()
        likes.like(tx, bob, post)
        boosts.boost(tx, bob, post)
        bookmarks.add(tx, bob, post)
        blocks.mute(tx, bob, alice)
        [marked] = post_views.by_entries(tx, bob, [post.id])
        assert marked.marks == ViewerMarks(liked=True, boosted=True, bookmarked=True, muted=True)
        assert marked.can_boost
        [anonymous] = post_views.by_entries(tx, None, [post.id])
        assert anonymous.marks == ViewerMarks()
        assert not anonymous.can_boost

    await node.db.write(unit)


async def test_views_keep_the_order_of_the_entries(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        one, two = publish(tx, alice, "1"), publish(tx, alice, "2")
        wanted = [
            TimelineEntry(900, two.id, bob.id),
            TimelineEntry(one.id, one.id),
            TimelineEntry(5, 12345),
            TimelineEntry(two.id, two.id),
        ]
        found = post_views.by_entries(tx, alice, wanted)
        assert [(view.entry_id, view.post.id) for view in found] == [
            (900, two.id),
            (one.id, one.id),
            (two.id, two.id),
        ]
        assert found[0].boosted_by is not None
        assert found[1].boosted_by is None

    await node.db.write(unit)


async def test_a_comment_shows_the_author_of_its_parent(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        comment = publish(tx, bob, "hm", parent_id=post.id)
        [view] = post_views.by_entries(tx, None, [comment.id])
        assert view.parent_account is not None
        assert (view.parent_id, view.parent_account.id, view.mentions) == (post.id, alice.id, [])

    await node.db.write(unit)


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_nothing_hidden_is_shown_whatever_ids_are_passed(
    node: Node, alice: Account, bob: Account, visibility: str
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, visibility=visibility)
        assert (
            post_views.by_entries(tx, bob, [post.id])
            == post_views.by_entries(tx, None, [TimelineEntry(1, post.id, alice.id)])
            == []
        )

    await node.db.write(unit)
