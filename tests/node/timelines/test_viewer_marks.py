"""Viewer marks: each is read in one query, and shown to its viewer alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from node.database import Writer
from node.interactions import blocks, bookmarks, boosts, likes, pins
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.timelines import post_summaries, post_views, viewer_marks
from node.timelines.timelines import TimelineEntry
from node.timelines.viewer_marks import ViewerMarks
from tests.support.people import remote
from tests.support.posting import publish, receive_post

Set = Callable[[Writer, Account, Post], Any]
SETTING: dict[str, Set] = {
    "liked": likes.like,
    "boosted": boosts.boost,
    "bookmarked": bookmarks.add,
    "muted": lambda tx, viewer, post: blocks.mute(tx, viewer, remote(tx)),
    "pinned": pins.pin,
}


def test_the_index_of_a_combination_is_its_number_in_sql() -> None:
    for index, marks in enumerate(viewer_marks.ALL):
        assert marks == tuple(bool(index >> n & 1) for n in range(len(ViewerMarks._fields)))


@pytest.mark.parametrize("mark", ViewerMarks._fields)
async def test_a_mark_is_shown_alone_and_only_to_its_viewer(
    node: Node, alice: Account, bob: Account, mark: str
) -> None:
    def unit(tx: Writer) -> None:
        local, other = publish(tx, alice), publish(tx, alice)
        by_rita = receive_post(tx, remote(tx)) if mark == "muted" else None
        post = by_rita or local
        SETTING[mark](tx, alice, post)

        def seen(viewer: Account | None) -> list[tuple[ViewerMarks, ViewerMarks]]:
            ids = [post.id, other.id]
            summaries = post_summaries.by_entries(tx, viewer, [TimelineEntry(id_, id_) for id_ in ids])
            return [
                (view.marks, summary.viewer_marks)
                for view, summary in zip(post_views.by_entries(tx, viewer, ids), summaries, strict=True)
            ]

        only, none = ViewerMarks(**{mark: True}), ViewerMarks()
        assert seen(alice) == [(only, only), (none, none)]
        assert seen(bob) == seen(None) == [(none, none), (none, none)]

    await node.db.write(unit)
