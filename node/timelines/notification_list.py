"""Reads the notifications of an account: pages, one by id, the number of unread ones. Owns no table.

Pages and the client API call it; `notifications` writes them and owns the table. What must not be shown now is
filtered on reading, not deleted.
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
    """One notification with the account that caused it (`by`), and the post it is about, if any."""

    id: int
    kind: str
    by: Account
    post: post_views.PostView | None
    created_at: int


# Notifications by accounts that are suspended, muted since, or of a limited server and not followed stay in the table,
# so that they come back when that ends. A follow request is shown even then: it needs an answer.
_VISIBLE_SQL = f"""n.account_id = :account AND by_.suspended_at IS NULL AND by_.deleted_at IS NULL
             AND {no_mute_of_notifications("n.account_id", "n.by_id")}
             AND (NOT by_.is_limited OR n.kind = 'follow_request' OR EXISTS (SELECT 1 FROM follows nf
                 WHERE nf.follower_id = n.account_id AND nf.followed_id = n.by_id
                   AND nf.state = 'accepted'))"""  # noqa: S608


def page(
    tx: Reader, account: Account, page: Page, kinds: Sequence[str] = notifications.KINDS
) -> list[NotificationView]:
    """Returns a page of notifications of these kinds, newest first; unknown kinds are ignored.

    One about a post that the account may no longer see is left out, so a page may be shorter than its limit.
    """
    rows = tx.all(
        f"""SELECT n.id, n.kind, n.by_id, n.post_id, n.created_at
            FROM notifications n JOIN accounts by_ ON by_.id = n.by_id
            WHERE {_VISIBLE_SQL} AND n.kind IN (:kinds) {page.clause("n.id")}""",  # noqa: S608
        account=account.id,
        kinds=[kind for kind in notifications.KINDS if kind in kinds],
        **page.values,
    )
    return _build_views(tx, account, page.newest_first(rows))


def by_id(tx: Reader, account: Account, id_: int) -> NotificationView | None:
    """Returns a notification of this account, or None if there is none that it may see."""
    rows = tx.all(
        f"""SELECT n.id, n.kind, n.by_id, n.post_id, n.created_at
            FROM notifications n JOIN accounts by_ ON by_.id = n.by_id
            WHERE {_VISIBLE_SQL} AND n.id = :id""",  # noqa: S608
        account=account.id,
        id=id_,
    )
    views = _build_views(tx, account, rows)
    return views[0] if views else None


def _build_views(tx: Reader, account: Account, rows: Sequence[Row]) -> list[NotificationView]:
    people = accounts.by_ids(tx, (row["by_id"] for row in rows))
    ids = list(dict.fromkeys(row["post_id"] for row in rows if row["post_id"] is not None))
    posts = {view.post.id: view for view in post_views.by_entries(tx, account, ids)} if ids else {}
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


def unread_count(tx: Reader, account: Account, limit: int = 100) -> int:
    """Returns the number of notifications newer than the last one read, counted up to `limit`.

    Those about posts that the account may no longer see are counted too: that keeps it one cheap query.
    """
    return int(
        tx.value(
            f"""SELECT COUNT(*) FROM (
                    SELECT 1 FROM notifications n JOIN accounts by_ ON by_.id = n.by_id
                    WHERE {_VISIBLE_SQL}
                      AND n.id > COALESCE((SELECT u.notifications_read_id FROM users u
                                           WHERE u.account_id = :account), 0)
                    LIMIT :limit) AS unread""",  # noqa: S608
            account=account.id,
            limit=limit,
        )
    )


def mark_read(tx: Writer, account: Account, up_to: int | None = None) -> None:
    """Marks notifications as read, up to an id, or all. The mark never goes back."""
    newest = (
        tx.value("SELECT MAX(id) FROM notifications WHERE account_id = :account", account=account.id) or 0
    )
    users.mark_notifications_read(tx, account.id, newest if up_to is None else min(up_to, newest))
