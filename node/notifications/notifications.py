"""Notifications: what happened that one of our people may want to know. Owns `notifications`.

Each happening is told once, never about oneself, never by someone blocked or muted, and it is taken
back when the deed is.
"""

from __future__ import annotations

from node.database import Writer
from node.ids import new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import no_block_between, no_mute_of_notifications

KINDS = ("like", "comment", "mention", "boost", "follow", "follow_request", "sign_up", "move", "quote")


def notify(tx: Writer, account_id: int, kind: str, by: Account, post: Post | None = None) -> None:
    """Tell one of our people that `by` did something. Does nothing for people elsewhere."""
    tx.run(
        f"""INSERT INTO notifications (id, account_id, kind, by_id, post_id, created_at)
           SELECT CAST(:id AS BIGINT), a.id, CAST(:kind AS TEXT), CAST(:by AS BIGINT),
                  CAST(:post AS BIGINT), CAST(:now AS BIGINT)
           FROM accounts a
           WHERE a.id = :account AND a.is_local AND a.id <> :by AND a.deleted_at IS NULL
             AND {no_block_between("a.id", ":by")}
             AND {no_mute_of_notifications("a.id", ":by")}
           ON CONFLICT DO NOTHING""",  # noqa: S608
        id=new_id(),
        account=account_id,
        kind=kind,
        by=by.id,
        post=post.id if post else None,
        now=now_ms(),
    )


def withdraw(
    tx: Writer, kind: str, by: Account, *, post: Post | None = None, account: Account | None = None
) -> None:
    """Take a notification back: `by` undid what they did, to the post or to the account."""
    if post is not None:
        tx.run(
            "DELETE FROM notifications WHERE post_id = :post AND kind = :kind AND by_id = :by",
            post=post.id,
            kind=kind,
            by=by.id,
        )
    if account is not None:
        tx.run(
            """DELETE FROM notifications
               WHERE by_id = :by AND account_id = :account AND kind = :kind AND post_id IS NULL""",
            by=by.id,
            account=account.id,
            kind=kind,
        )


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the notifications about a post."""
    tx.run("DELETE FROM notifications WHERE post_id = :post", post=post.id)


def delete_between(tx: Writer, one_id: int, other_id: int) -> None:
    """Forget what two people, who no longer want to meet, were told about each other."""
    tx.run(
        """DELETE FROM notifications WHERE (account_id = :one AND by_id = :other)
                                        OR (account_id = :other AND by_id = :one)""",
        one=one_id,
        other=other_id,
    )


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the notifications of an account, and those of others about what it did."""
    tx.run("DELETE FROM notifications WHERE account_id = :id", id=account.id)
    tx.run("DELETE FROM notifications WHERE by_id = :id", id=account.id)


def dismiss(tx: Writer, who: Account, id_: int) -> None:
    """Remove one of one's own notifications; that of someone else stays."""
    tx.run("DELETE FROM notifications WHERE id = :id AND account_id = :who", id=id_, who=who.id)


def clear(tx: Writer, who: Account) -> None:
    """Remove all of one's own notifications."""
    tx.run("DELETE FROM notifications WHERE account_id = :who", who=who.id)
