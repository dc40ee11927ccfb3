"""Conversations: a post and the tree of comments under it, at any depth.

Deleting a comment, or hiding it from somebody, does not take away what others said below it: where that
happened the tree has a gap, with the comments that can still be read under it.
"""

from __future__ import annotations

from node.database import Reader
from node.models.account import Account
from node.models.post import Post
from node.timelines import post_views, timelines
from node.timelines.post_views import Branch


def tree(tx: Reader, viewer: Account | None, post: Post) -> list[Branch]:
    """The comments on a post, oldest first on every level, with gaps only where something hangs under them."""
    _, readable = timelines.conversation(tx, viewer, post)
    shown = {view.post.id: view for view in post_views.of(tx, viewer, readable)}
    parents = _parents(tx, post, list(shown))
    children: dict[int, list[int]] = {}
    for id_ in sorted(parents):
        children.setdefault(parents[id_], []).append(id_)
    branches: dict[int, Branch] = {}
    for id_ in _bottom_up(post.id, children):
        below = [branches[child] for child in children.get(id_, ())]
        branches[id_] = Branch(shown.get(id_), below)
    return branches[post.id].children if post.id in branches else []


def _bottom_up(root: int, children: dict[int, list[int]]) -> list[int]:
    order, stack = [], [root]
    while stack:
        id_ = stack.pop()
        order.append(id_)
        stack.extend(children.get(id_, ()))
    return order[::-1]


def _parents(tx: Reader, post: Post, readable: list[int]) -> dict[int, int]:
    """The parent of every readable comment, and of every gap on its way up to the post."""
    rows = tx.all(
        """WITH RECURSIVE way (id, parent_id) AS (
               SELECT p.id, p.parent_id FROM posts p WHERE p.id IN (:readable)
               UNION SELECT p.id, p.parent_id FROM way w JOIN posts p ON p.id = w.parent_id
               WHERE p.id <> :post)
           SELECT id, parent_id FROM way WHERE parent_id IS NOT NULL""",
        readable=readable,
        post=post.id,
    )
    return {row["id"]: row["parent_id"] for row in rows}
