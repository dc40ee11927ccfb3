"""Bookmarks: what someone keeps for themselves. Owns the table `bookmarks`. Nobody else ever hears of them."""

from __future__ import annotations

from node.database import Writer
from node.ids import new_id, now_ms
from node.models.account import Account
from node.models.post import Post
from node.posts import permissions


def add(tx: Writer, who: Account, post: Post, *, is_seen: bool = False) -> None:
    """Keep a post. Doing it twice changes nothing.

    `is_seen`: in this unit of work they have been found to see the post.
    """
    permissions.check_sees(tx, who, post, is_seen=is_seen)
    tx.run(
        """INSERT INTO bookmarks (id, account_id, post_id, created_at) VALUES (:id, :who, :post, :now)
           ON CONFLICT DO NOTHING""",
        id=new_id(),
        who=who.id,
        post=post.id,
        now=now_ms(),
    )


def remove(tx: Writer, who: Account, post: Post) -> None:
    """Keep a post no longer."""
    tx.run("DELETE FROM bookmarks WHERE account_id = :who AND post_id = :post", who=who.id, post=post.id)


def forget(tx: Writer, post_id: int) -> None:
    """A post is gone, and the bookmarks of it."""
    tx.run("DELETE FROM bookmarks WHERE post_id = :post", post=post_id)


def forget_by(tx: Writer, account: Account) -> None:
    """Someone is gone, and what they kept with them."""
    tx.run("DELETE FROM bookmarks WHERE account_id = :who", who=account.id)
