"""Writes notifications for local accounts. Owns `notifications`.

The modules of likes, boosts, follows, posts and so on call it in the unit of work of their own change. One event is
notified once, never to the account that caused it, never when either blocks the other or the actor is muted, and
the notification is withdrawn when the event is undone.

An account keeps the newest `MAX_NEWEST`, and `MAX_OLDER` of those before, which all servers share, and the accounts of
each server its part: what goes is of the account that caused most, on the server that did, the newest included. So
nobody pushes out what others did, however many mentions they send.
"""

from __future__ import annotations

import functools

from node.database import Writer
from node.database.walks import trim_next_account
from node.ids import new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import no_block_between, no_mute_of_notifications

MAX_NEWEST, MAX_OLDER = 4_000, 2_000
"""What an account keeps of what it was notified of. The rest is deleted once a day."""

KINDS = (
    "like",
    "comment",
    "mention",
    "boost",
    "follow",
    "follow_request",
    "sign_up",
    "move",
    "quote",
    "severed",
)


def notify(tx: Writer, account_id: int, kind: str, actor: Account, post: Post | None = None) -> None:
    """Notifies an account of what `actor` did, to `post` if given. `kind` is one of `KINDS`.

    Does nothing for a remote or deleted account, and nothing a second time.
    """
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
        by=actor.id,
        post=post.id if post else None,
        now=now_ms(),
    )


def withdraw(
    tx: Writer, kind: str, actor: Account, *, post: Post | None = None, account: Account | None = None
) -> None:
    """Deletes the notification of something that `actor` has undone, about the post or to the account."""
    if post is not None:
        tx.run(
            "DELETE FROM notifications WHERE post_id = :post AND kind = :kind AND by_id = :by",
            post=post.id,
            kind=kind,
            by=actor.id,
        )
    if account is not None:
        tx.run(
            """DELETE FROM notifications
               WHERE by_id = :by AND account_id = :account AND kind = :kind AND post_id IS NULL""",
            by=actor.id,
            account=account.id,
            kind=kind,
        )


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the notifications about a post."""
    tx.run("DELETE FROM notifications WHERE post_id = :post", post=post.id)


def delete_between(tx: Writer, one_id: int, other_id: int) -> None:
    """Deletes the notifications of two accounts about each other, when one blocks the other."""
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


def dismiss(tx: Writer, account: Account, id_: int) -> None:
    """Deletes a notification of this account. One of another account, or none, is left without an error."""
    tx.run("DELETE FROM notifications WHERE id = :id AND account_id = :account", id=id_, account=account.id)


def clear(tx: Writer, account: Account) -> None:
    """Deletes all notifications of an account."""
    tx.run("DELETE FROM notifications WHERE account_id = :account", account=account.id)


def trim(tx: Writer, now: int, after: int | None) -> int | None:
    """Deletes what the next account does not keep; returns which account it is, None at the end."""
    return trim_next_account(tx, "notifications", after, functools.partial(_trim_account, tx))


def _trim_account(tx: Writer, account_id: int) -> int:
    """Deletes a batch of the older ones, chosen among the oldest of them; returns how many."""
    surplus = tx.value(
        "SELECT id FROM notifications WHERE account_id = :account ORDER BY id DESC LIMIT 1 OFFSET :kept",
        account=account_id,
        kept=MAX_NEWEST + MAX_OLDER,
    )
    if surplus is None:
        return 0
    return tx.run(
        """DELETE FROM notifications WHERE id IN (
               WITH newest AS (
                   SELECT id, by_id FROM notifications WHERE account_id = :account ORDER BY id DESC LIMIT :newest),
               older AS (
                   SELECT id, by_id FROM notifications
                   WHERE account_id = :account AND id < (SELECT MIN(id) FROM newest)
                   ORDER BY id LIMIT :older + 500),
               by_account AS (
                   SELECT n.id, n.is_older, a.host,
                          ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY n.id DESC) AS nth_of_account
                   FROM (SELECT id, by_id, FALSE AS is_older FROM newest
                         UNION ALL SELECT id, by_id, TRUE FROM older) AS n JOIN accounts a ON a.id = n.by_id),
               by_host AS (
                   SELECT id, is_older, ROW_NUMBER() OVER (PARTITION BY host ORDER BY nth_of_account, id DESC) AS nth
                   FROM by_account)
               SELECT id FROM by_host WHERE is_older ORDER BY nth, id DESC LIMIT 500 OFFSET :older)""",
        account=account_id,
        newest=MAX_NEWEST,
        older=MAX_OLDER,
    )
