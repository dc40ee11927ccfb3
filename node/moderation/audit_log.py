"""Who decided what about others: moderators' and admins' deeds, in order. Owns `audit_log`.

Every such deed writes its line in its own unit of work, so that nothing is decided without one. The
same line goes to the node's log once it is true.
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

KEPT_MS = 2 * 365 * 24 * 3_600_000
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """`by` is '' for what the node did by itself; `deed` is a word that the page knows a sentence for."""

    id: int
    by: str
    deed: str
    target: str
    detail: str
    created_at: int


def record(tx: Writer, by: Account | None, deed: str, target: str, detail: str = "") -> None:
    """Write down that `by` (None: the node itself) did something to `target`, a handle or a domain."""
    tx.run(
        """INSERT INTO audit_log (id, by_id, deed, target, detail, created_at)
           VALUES (:id, :by, :deed, :target, :detail, :now)""",
        id=new_id(),
        by=None if by is None else by.id,
        deed=deed,
        target=target[:LONGEST],
        detail=detail[:LONGEST],
        now=now_ms(),
    )
    who = "the node" if by is None else by.handle
    tx.after_commit(functools.partial(log.info, "%s: %s %s %s", who, deed, target, detail))


def page(tx: Reader, page: Page) -> list[Line]:
    """What was decided, the latest first."""
    rows = tx.all(
        f"""SELECT l.id, COALESCE(a.name, '') AS by_name, l.deed, l.target, l.detail, l.created_at
            FROM audit_log l LEFT JOIN accounts a ON a.id = l.by_id
            WHERE TRUE {page.clause("l.id")}""",  # noqa: S608
        **page.values,
    )
    return [
        Line(row["id"], row["by_name"], row["deed"], row["target"], row["detail"], row["created_at"])
        for row in page.ordered(rows)
    ]


def clean_up(tx: Writer, now: int) -> int:
    return tx.run("DELETE FROM audit_log WHERE created_at < :before", before=now - KEPT_MS)
