"""Markers: up to where an account has read its home feed and its notifications. Owns `markers`.

Apps set them, so that one goes on where another stopped. That of the notifications is set by pages, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.database import Reader, Writer, build, columns
from node.ids import now_ms
from node.models import deletion_hooks
from node.models.account import Account

TIMELINES = ("home", "notifications")


@dataclass(frozen=True, slots=True)
class Marker:
    """`version` is how often it was changed; `updated_at` is in milliseconds."""

    timeline: str
    last_read_id: int
    version: int
    updated_at: int


def by_account(tx: Reader, account: Account, timelines: Sequence[str]) -> dict[str, Marker]:
    """Returns the markers of an account for these timelines; unknown names and what was never set are left out."""
    rows = tx.all(
        f"""SELECT {columns(Marker)} FROM markers WHERE account_id = :account AND timeline IN (:names)
            ORDER BY timeline""",  # noqa: S608
        account=account.id,
        names=list(timelines),
    )
    return {row["timeline"]: build(Marker, row) for row in rows}


def store(tx: Writer, account: Account, timeline: str, last_read_id: int) -> None:
    """Sets a marker, one of `TIMELINES`. What is unread on pages is not its business: `notification_list.mark_read`."""
    tx.run(
        """INSERT INTO markers (account_id, timeline, last_read_id, version, updated_at)
           VALUES (:account, :timeline, :id, 1, :now)
           ON CONFLICT (account_id, timeline) DO UPDATE SET
               last_read_id = excluded.last_read_id, version = markers.version + 1, updated_at = excluded.updated_at
           WHERE markers.last_read_id <> excluded.last_read_id""",
        account=account.id,
        timeline=timeline,
        id=last_read_id,
        now=now_ms(),
    )


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the markers of an account."""
    tx.run("DELETE FROM markers WHERE account_id = :account", account=account.id)
