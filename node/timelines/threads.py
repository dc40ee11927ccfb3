"""Threads: the tree of comments under a post, at any depth. Owns no table.

The page of a post calls it. A comment that is deleted, or hidden from the viewer, does not hide the replies to it: it
is a gap in the tree, a node without a view, with the visible replies under it.
"""

from __future__ import annotations

from node.database import Reader
from node.models.account import Account
from node.models.post import Post
from node.timelines import post_views, timelines
from node.timelines.post_views import CommentNode


def comment_tree(tx: Reader, viewer: Account | None, post: Post) -> list[CommentNode]:
    """Returns the comments on a post, oldest first on every level.

    Gaps are kept only where a visible comment is below.

    At most `timelines.MAX_DESCENDANTS` comments are shown.
    """
    _, visible = timelines.thread(tx, viewer, post)
    views = {view.post.id: view for view in post_views.by_entries(tx, viewer, visible)}
    parents = _parents(tx, post, list(views))
    children: dict[int, list[int]] = {}
    for id_ in sorted(parents):
        children.setdefault(parents[id_], []).append(id_)
    branches: dict[int, CommentNode] = {}
    for id_ in _bottom_up(post.id, children):
        replies = [branches[child] for child in children.get(id_, ())]
        branches[id_] = CommentNode(views.get(id_), replies)
    return branches[post.id].children if post.id in branches else []


def _bottom_up(root: int, children: dict[int, list[int]]) -> list[int]:
    order, stack = [], [root]
    while stack:
        id_ = stack.pop()
        order.append(id_)
        stack.extend(children.get(id_, ()))
    return order[::-1]


def _parents(tx: Reader, post: Post, visible_ids: list[int]) -> dict[int, int]:
    """Returns the parent id of every visible comment, and of every gap between it and the post."""
    rows = tx.all(
        """WITH RECURSIVE path (id, parent_id) AS (
               SELECT p.id, p.parent_id FROM posts p WHERE p.id IN (:visible)
               UNION SELECT up.parent_id, (SELECT p.parent_id FROM posts p WHERE p.id = up.parent_id)
               FROM path up WHERE up.parent_id IS NOT NULL AND up.parent_id <> :post)
           SELECT id, parent_id FROM path WHERE parent_id IS NOT NULL LIMIT :most""",
        visible=visible_ids,
        post=post.id,
        most=timelines.MAX_VISITED_DESCENDANTS,
    )
    return {row["id"]: row["parent_id"] for row in rows}
