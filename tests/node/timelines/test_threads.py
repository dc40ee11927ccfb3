"""Threads: the tree of comments under a post, with gaps where a comment is not visible."""

from __future__ import annotations

from node.database import Writer
from node.models.account import Account
from node.node import Node
from node.posts import posts
from node.publishing import post_deletion
from node.timelines import threads, timelines
from tests.support.posting import publish


async def test_comments_on_a_deleted_comment_stay_readable_under_a_gap(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "photo")
        gone = publish(tx, bob, "gone", parent_id=post.id)
        kept = publish(tx, alice, "kept", parent_id=gone.id)
        other = publish(tx, bob, "other", parent_id=post.id)
        lonely = publish(tx, bob, "lonely", parent_id=post.id)
        post_deletion.delete(tx, bob, gone)
        post_deletion.delete(tx, bob, lonely)

        gap, second = threads.comment_tree(tx, None, post)
        assert gap.view is None
        assert [branch.view.post.id for branch in gap.children if branch.view] == [kept.id]
        assert second.view is not None
        assert second.view.post.id == other.id
        assert timelines.thread(tx, None, kept)[0] == [post.id]
        current = posts.by_id(tx, post.id)
        assert current is not None
        assert current.comments_count == 1

    await node.db.write(unit)


async def test_a_deep_conversation_is_shown_whole(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = last = publish(tx, alice, "photo")
        for depth in range(150):
            last = publish(tx, alice, f"{depth}", parent_id=last.id)
        branches, depth = threads.comment_tree(tx, None, post), 0
        while branches:
            [branch] = branches
            branches, depth = branch.children, depth + 1
        assert depth == 150
        assert len(timelines.thread(tx, None, last)[0]) == 150

    await node.db.write(unit)
