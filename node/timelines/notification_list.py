"""Reads notifications for their owner: pages, one by id, the number of unread ones.

`notifications` writes them and owns the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.accounts import accounts
from node.auth import users
from node.database import Reader, Row, Writer
from node.models.account import Account
from node.models.visibility import no_mute_of_notifications
from node.notifications import notifications
from node.paging import Page
from node.timelines import post_views


@dataclass(frozen=True, slots=True)
class NotificationView:
    """One notification with what the page needs: who did it, and to which post."""

    id: int
    kind: str
    by: Account
    post: post_views.PostView | None
    created_at: int


# Suspended people, those muted since, and strangers of limited servers stay in the table, so that lifting it
# brings them back. Somebody who asks to follow is always shown: the question needs an answer.
_SHOWN = f"""n.account_id = :who AND by_.suspended_at IS NULL AND by_.deleted_at IS NULL
             AND {no_mute_of_notifications("n.account_id", "n.by_id")}
             AND (NOT by_.is_limited OR n.kind = 'follow_request' OR EXISTS (SELECT 1 FROM follows nf
                 WHERE nf.follower_id = n.account_id AND nf.followed_id = n.by_id
                   AND nf.state = 'accepted'))"""  # noqa: S608


def page(
    tx: Reader, who: Account, page: Page, kinds: Sequence[str] = notifications.KINDS
) -> list[NotificationView]:
    """Newest first. One about a post that may no longer be seen is left out."""
    rows = tx.all(
        f"""SELECT n.id, n.kind, n.by_id, n.post_id, n.created_at
            FROM notifications n JOIN accounts by_ ON by_.id = n.by_id
            WHERE {_SHOWN} AND n.kind IN (:kinds) {page.clause("n.id")}""",  # noqa: S608
        who=who.id,
        kinds=[kind for kind in notifications.KINDS if kind in kinds],
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
    posts = {view.post.id: view for view in post_views.of(tx, who, ids)} if ids else {}
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
