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
from node.database.bounded_pages import MAX_VISITED, Walk, clause, merged, read
from node.models.account import Account
from node.models.visibility import no_mute_of_notifications
from node.notifications import markers, notifications
from node.paging import Found, Page
from node.timelines import post_summaries, post_views
from node.timelines.post_summaries import PostSummary
from node.timelines.timelines import TimelineEntry


@dataclass(frozen=True, slots=True)
class NotificationView:
    """One notification with the account that caused it (`by`), and the post it is about, if any."""

    id: int
    kind: str
    by: Account
    post: post_views.PostView | None
    created_at: int


@dataclass(frozen=True, slots=True)
class NotificationSummary:
    """A notification as `NotificationView` has it, with a summary of the post instead of all that is shown of it."""

    id: int
    kind: str
    by: Account
    post: PostSummary | None
    created_at: int


# Notifications by accounts that are suspended, muted since, or of a limited server and not followed stay in the table,
# so that they come back when that ends. A follow request is shown even then, and a sign-up that waits, which is hidden
# meanwhile as if suspended: both need an answer.
_VISIBLE_SQL = f"""n.account_id = :account AND by_.deleted_at IS NULL
             AND (by_.suspended_at IS NULL OR (n.kind = 'sign_up' AND EXISTS (
                 SELECT 1 FROM users waiting WHERE waiting.account_id = n.by_id AND waiting.state = 'pending')))
             AND {no_mute_of_notifications("n.account_id", "n.by_id")}
             AND (NOT by_.is_limited OR n.kind = 'follow_request' OR EXISTS (SELECT 1 FROM follows nf
                 WHERE nf.follower_id = n.account_id AND nf.followed_id = n.by_id
                   AND nf.state = 'accepted'))"""  # noqa: S608


def page(
    tx: Reader,
    account: Account,
    page: Page,
    kinds: Sequence[str] = notifications.KINDS,
    *,
    by_id: int | None = None,
) -> Found[NotificationView]:
    """Returns a page of notifications of these kinds, newest first, by one account if `by_id` is given; unknown kinds
    are ignored.

    One about a post that the account may no longer see is left out, so a page may be shorter than its limit.
    """
    found = _rows(tx, account, page, kinds, by_id)
    return found.replaced_by(_build_views(tx, account, found))


def summaries(
    tx: Reader, account: Account, page: Page, kinds: Sequence[str], *, by_id: int | None = None
) -> Found[NotificationSummary]:
    """Returns the page of `page`, for callers that have cached what they show of most posts."""
    found = _rows(tx, account, page, kinds, by_id)
    people = accounts.by_ids(tx, (row["by_id"] for row in found))
    ids = dict.fromkeys(row["post_id"] for row in found if row["post_id"] is not None)
    entries = [TimelineEntry(id_, id_) for id_ in ids]
    posts = {one.post_id: one for one in post_summaries.by_entries(tx, account, entries)} if entries else {}
    return found.replaced_by(
        [
            NotificationSummary(
                row["id"], row["kind"], people[row["by_id"]], posts.get(row["post_id"]), row["created_at"]
            )
            for row in found
            if row["post_id"] is None or row["post_id"] in posts
        ]
    )


def _rows(tx: Reader, account: Account, page: Page, kinds: Sequence[str], by_id: int | None) -> Found[Row]:
    wanted = [kind for kind in notifications.KINDS if kind in kinds]
    if not wanted:
        return Found()
    conditions = ["n.account_id = :account"]
    if by_id is not None:
        conditions = [f"{conditions[0]} AND n.by_id = :by"]
    elif len(wanted) < len(notifications.KINDS):
        conditions = [f"{conditions[0]} AND n.kind = '{kind}'" for kind in wanted]
    parts = [
        f"""SELECT n.id, n.kind, n.by_id, n.post_id, n.created_at
            FROM notifications n JOIN accounts by_ ON by_.id = n.by_id
            WHERE {condition} AND {_VISIBLE_SQL} AND n.kind IN (:kinds) {clause(page, "n.id")}"""  # noqa: S608
        for condition in conditions
    ]
    return read(
        tx,
        page,
        [Walk("n.id", f"notifications n WHERE {condition}") for condition in conditions],
        parts[0] if len(parts) == 1 else merged(page, parts),
        account=account.id,
        by=by_id or 0,
        kinds=wanted,
    )


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

    Only the newest `MAX_VISITED` are looked at. Those about posts that the account may no longer see are counted too: that keeps it one cheap query.
    """
    count = int(
        tx.value(
            # Whether they are shown is asked once for each account that caused some.
            f"""SELECT COALESCE(SUM(n.many), 0)
                FROM (SELECT newest.account_id, newest.by_id, newest.kind, COUNT(*) AS many
                      FROM (SELECT n.account_id, n.by_id, n.kind FROM notifications n
                            WHERE n.account_id = :account
                              AND n.id > COALESCE((SELECT u.notifications_read_id FROM users u
                                                   WHERE u.account_id = :account), 0)
                            ORDER BY n.id DESC LIMIT :most) AS newest
                      GROUP BY newest.account_id, newest.by_id, newest.kind) AS n
                JOIN accounts by_ ON by_.id = n.by_id
                WHERE {_VISIBLE_SQL}""",  # noqa: S608
            account=account.id,
            most=max(limit, MAX_VISITED),
        )
    )
    return min(limit, count)


def mark_read(tx: Writer, account: Account, up_to: int | None = None) -> None:
    """Marks notifications as read, up to an id, or all. The mark never goes back."""
    newest = (
        tx.value("SELECT MAX(id) FROM notifications WHERE account_id = :account", account=account.id) or 0
    )
    read_id = newest if up_to is None else min(up_to, newest)
    if users.mark_notifications_read(tx, account.id, read_id):
        markers.store(tx, account, "notifications", read_id)
