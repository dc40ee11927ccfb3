"""The audit log: what moderators and admins decided about accounts and servers. Owns `audit_log`.

The modules that decide (`domain_rules`, `block_lists`, `account_actions`, …) call `record` in the unit of work of
the decision, so that none is made without its entry. The same line goes to the node's log after the commit.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass

from node.database import Reader, Writer
from node.ids import new_id, now_ms
from node.models.account import Account
from node.paging import Page

log = logging.getLogger("tintype.audit")

RETENTION_MS = 2 * 365 * 24 * 3_600_000
MAX_FIELD_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One decision. `by_name` is '' for what the node did by itself; the admin page has a text for each `action`."""

    id: int
    by_name: str
    action: str
    target: str
    detail: str
    created_at: int


def record(tx: Writer, moderator: Account | None, action: str, target: str, detail: str = "") -> None:
    """Adds an entry: `moderator` (None: the node itself) did `action` to `target`,
    a handle, a domain or a list.

    `target` and `detail` are cut at `MAX_FIELD_LENGTH` characters.
    """
    tx.run(
        """INSERT INTO audit_log (id, by_id, deed, target, detail, created_at)
           VALUES (:id, :by, :deed, :target, :detail, :now)""",
        id=new_id(),
        by=None if moderator is None else moderator.id,
        deed=action,
        target=target[:MAX_FIELD_LENGTH],
        detail=detail[:MAX_FIELD_LENGTH],
        now=now_ms(),
    )
    name = "the node" if moderator is None else moderator.handle
    tx.after_commit(functools.partial(log.info, "%s: %s %s %s", name, action, target, detail))


def entries(tx: Reader, page: Page) -> list[AuditEntry]:
    """Returns a page of entries, newest first."""
    rows = tx.all(
        f"""SELECT l.id, COALESCE(a.name, '') AS by_name, l.deed, l.target, l.detail, l.created_at
            FROM audit_log l LEFT JOIN accounts a ON a.id = l.by_id
            WHERE TRUE {page.clause("l.id")}""",  # noqa: S608
        **page.values,
    )
    return [
        AuditEntry(row["id"], row["by_name"], row["deed"], row["target"], row["detail"], row["created_at"])
        for row in page.newest_first(rows)
    ]


def clean_up(tx: Writer, now: int) -> int:
    """Deletes entries older than two years; returns how many. `now` is in milliseconds."""
    return tx.run(
        """DELETE FROM audit_log WHERE id IN (
               SELECT id FROM audit_log WHERE id < :end AND created_at < :before ORDER BY id LIMIT 500)""",
        end=(now - RETENTION_MS) << 16,
        before=now - RETENTION_MS,
    )
