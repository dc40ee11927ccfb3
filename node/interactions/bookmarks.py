"""Bookmarks: posts that an account keeps for itself. Owns `bookmarks`. Nothing of them is sent or shown to others."""

from __future__ import annotations

from node.database import Writer
from node.ids import new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.posts import permissions


def add(tx: Writer, account: Account, post: Post, *, visibility_checked: bool = False) -> None:
    """Bookmarks a post. Doing it twice changes nothing. Raises NotFound for a post the account may not see.

    `visibility_checked`: the caller has checked that in this unit of work.
    """
    permissions.check_sees(tx, account, post, visibility_checked=visibility_checked)
    tx.run(
        """INSERT INTO bookmarks (id, account_id, post_id, created_at) VALUES (:id, :account, :post, :now)
           ON CONFLICT DO NOTHING""",
        id=new_id(),
        account=account.id,
        post=post.id,
        now=now_ms(),
    )


def remove(tx: Writer, account: Account, post: Post) -> None:
    """Removes a bookmark. Without one, nothing changes."""
    tx.run(
        "DELETE FROM bookmarks WHERE account_id = :account AND post_id = :post",
        account=account.id,
        post=post.id,
    )


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the bookmarks of a post."""
    tx.run("DELETE FROM bookmarks WHERE post_id = :post", post=post.id)


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the bookmarks of an account."""
    tx.run("DELETE FROM bookmarks WHERE account_id = :account", account=account.id)
