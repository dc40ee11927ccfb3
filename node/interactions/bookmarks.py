"""Bookmarks: what someone keeps for themselves. Owns the table `bookmarks`. Nobody else ever hears of them."""

from __future__ import annotations

from node.database import Writer
from node.ids import new_id, now_ms
from node.models import deletion_hooks
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


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the bookmarks of a post."""
    tx.run("DELETE FROM bookmarks WHERE post_id = :post", post=post.id)


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the bookmarks of an account."""
    tx.run("DELETE FROM bookmarks WHERE account_id = :who", who=account.id)
