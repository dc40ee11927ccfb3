"""Notifications: what happened that one of our people may want to know. Owns `notifications`.

Each happening is told once, never about oneself, never by someone blocked or muted, and it is taken
back when the deed is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from node import accounts, users, views
from node.accounts import Account
from node.database import Reader, Row, Writer
from node.ids import new_id, now_ms
from node.paging import Page
from node.visibility import no_block_between, no_mute_of_notifications

if TYPE_CHECKING:
    from node.posts import Post

KINDS = ("like", "comment", "mention", "boost", "follow", "follow_request", "sign_up", "move", "quote")


@dataclass(frozen=True, slots=True)
class NotificationView:
    """One notification with what the page needs: who did it, and to which post."""

    id: int
    kind: str
    by: Account
    post: views.PostView | None
    created_at: int


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


def remove_of_post(tx: Writer, post_id: int) -> None:
    """A post is gone, and with it whatever was told about it."""
    tx.run("DELETE FROM notifications WHERE post_id = :post", post=post_id)


def remove_between(tx: Writer, one_id: int, other_id: int) -> None:
    """Forget what two people, who no longer want to meet, were told about each other."""
    tx.run(
        """DELETE FROM notifications WHERE (account_id = :one AND by_id = :other)
                                        OR (account_id = :other AND by_id = :one)""",
        one=one_id,
        other=other_id,
    )


def remove_all_of(tx: Writer, account_id: int) -> None:
    """Someone is gone: forget what they did and what they were told."""
    tx.run("DELETE FROM notifications WHERE account_id = :id", id=account_id)
    tx.run("DELETE FROM notifications WHERE by_id = :id", id=account_id)


# Suspended people, those muted since, and strangers of limited servers stay in the table, so that lifting it
# brings them back. Somebody who asks to follow is always shown: the question needs an answer.
_SHOWN = f"""n.account_id = :who AND by_.suspended_at IS NULL AND by_.deleted_at IS NULL
             AND {no_mute_of_notifications("n.account_id", "n.by_id")}
             AND (NOT by_.is_limited OR n.kind = 'follow_request' OR EXISTS (SELECT 1 FROM follows nf
                 WHERE nf.follower_id = n.account_id AND nf.followed_id = n.by_id
                   AND nf.state = 'accepted'))"""  # noqa: S608


def page(tx: Reader, who: Account, page: Page, kinds: Sequence[str] = KINDS) -> list[NotificationView]:
    """Newest first. One about a post that may no longer be seen is left out."""
    rows = tx.all(
        f"""SELECT n.id, n.kind, n.by_id, n.post_id, n.created_at
            FROM notifications n JOIN accounts by_ ON by_.id = n.by_id
            WHERE {_SHOWN} AND n.kind IN (:kinds) {page.clause("n.id")}""",  # noqa: S608
        who=who.id,
        kinds=[kind for kind in KINDS if kind in kinds],
        **page.values,
    )
    return _viewed(tx, who, page.ordered(rows))


def by_id(tx: Reader, who: Account, id_: int) -> NotificationView | None:
    """One of someone's own notifications."""
    rows = tx.all(
        f"""SELECT n.id, n.kind, n.by_id, n.post_id, n.created_at
            FROM notifications n JOIN accounts by_ ON by_.id = n.by_id
            WHERE {_SHOWN} AND n.id = :id""",  # noqa: S608
        who=who.id,
        id=id_,
    )
    found = _viewed(tx, who, rows)
    return found[0] if found else None


def _viewed(tx: Reader, who: Account, rows: Sequence[Row]) -> list[NotificationView]:
    people = accounts.by_ids(tx, (row["by_id"] for row in rows))
    ids = list(dict.fromkeys(row["post_id"] for row in rows if row["post_id"] is not None))
    posts = {view.post.id: view for view in views.of(tx, who, ids)} if ids else {}
    return [
        NotificationView(
            row["id"],
            row["kind"],
            people[row["by_id"]],
            posts.get(row["post_id"]) if row["post_id"] is not None else None,
            row["created_at"],
        )
        for row in rows
        if row["post_id"] is None or row["post_id"] in posts
    ]


def unread_count(tx: Reader, who: Account, most: int = 100) -> int:
    """How many are newer than the last one read, counted no further than `most`."""
    return int(
        tx.value(
            f"""SELECT COUNT(*) FROM (
                    SELECT 1 FROM notifications n JOIN accounts by_ ON by_.id = n.by_id
                    WHERE {_SHOWN}
                      AND n.id > COALESCE((SELECT u.notifications_read_id FROM users u
                                           WHERE u.account_id = :who), 0)
                    LIMIT :most) AS unread""",  # noqa: S608
            who=who.id,
            most=most,
        )
    )


def mark_read(tx: Writer, who: Account, up_to: int | None = None) -> None:
    """Everything up to an id has been read; without one, everything there is."""
    newest = tx.value("SELECT MAX(id) FROM notifications WHERE account_id = :who", who=who.id) or 0
    users.mark_notifications_read(tx, who.id, newest if up_to is None else min(up_to, newest))


def dismiss(tx: Writer, who: Account, id_: int) -> None:
    """Remove one of one's own notifications; that of someone else stays."""
    tx.run("DELETE FROM notifications WHERE id = :id AND account_id = :who", id=id_, who=who.id)


def clear(tx: Writer, who: Account) -> None:
    """Remove all of one's own notifications."""
    tx.run("DELETE FROM notifications WHERE account_id = :who", who=who.id)
