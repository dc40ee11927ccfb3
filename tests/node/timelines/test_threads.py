"""Threads: the tree of comments under a post, with gaps where a comment is not visible."""

from __future__ import annotations

from node.database import Reader, Writer
from node.interactions import blocks
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts
from node.publishing import post_deletion
from node.timelines import threads, timelines
from node.timelines.post_views import CommentNode
from tests.support.posting import publish


async def test_comments_on_a_deleted_comment_stay_visible_under_a_gap(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "photo")
        deleted = publish(tx, bob, "deleted", parent_id=post.id)
        kept = publish(tx, alice, "kept", parent_id=deleted.id)
        other = publish(tx, bob, "other", parent_id=post.id)
        childless = publish(tx, bob, "childless", parent_id=post.id)
        post_deletion.delete(tx, bob, deleted)
        post_deletion.delete(tx, bob, childless)

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


async def test_a_deep_thread_is_shown_in_full(node: Node, alice: Account) -> None:
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


def shape(branches: list[CommentNode]) -> list[tuple[str, object]]:
    """The tree as nested (caption, comments), with '' for a gap."""
    return [(one.view.post.source if one.view else "", shape(one.children)) for one in branches]


def tree(tx: Reader, viewer: Account | None, post: Post) -> list[tuple[str, object]]:
    return shape(threads.comment_tree(tx, viewer, post))


async def test_comments_are_oldest_first_on_every_level(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "photo")
        one = publish(tx, bob, "1", parent_id=post.id)
        publish(tx, alice, "2", parent_id=post.id)
        publish(tx, alice, "1.1", parent_id=one.id)
        publish(tx, bob, "1.2", parent_id=one.id)

        assert tree(tx, None, post) == [("1", [("1.1", []), ("1.2", [])]), ("2", [])]
        assert tree(tx, None, one) == [("1.1", []), ("1.2", [])]

    await node.db.write(unit)


async def test_a_hidden_comment_is_a_gap_for_those_who_may_not_see_it(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "photo")
        hidden = publish(tx, bob, "hidden", parent_id=post.id)
        publish(tx, alice, "visible", parent_id=hidden.id)
        blocks.block(tx, bob, mallory)

        assert tree(tx, None, post) == [("hidden", [("visible", [])])]
        assert tree(tx, mallory, post) == [("", [("visible", [])])]

    await node.db.write(unit)


async def test_gaps_follow_each_other_but_end_no_branch(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "photo")
        chain = [post]
        for number in range(5):
            chain.append(publish(tx, alice, f"{number}", parent_id=chain[-1].id))
        for deleted in (chain[1], chain[2], chain[5]):
            post_deletion.delete(tx, alice, deleted)

        assert tree(tx, None, post) == [("", [("", [("2", [("3", [])])])])]

    await node.db.write(unit)


async def test_a_post_without_comments_has_an_empty_tree(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "photo")
        publish(tx, alice, "another post")

        assert tree(tx, alice, post) == []

    await node.db.write(unit)
