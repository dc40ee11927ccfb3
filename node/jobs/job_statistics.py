"""What the queue holds, for staff to see. Owns no table."""

from __future__ import annotations

import dataclasses

from node.database import Reader, Row


@dataclasses.dataclass(frozen=True)
class KindStats:
    """The jobs of one kind, for staff: how many wait, run, and were given up; when the oldest was added."""

    kind: str
    waiting: int
    working: int
    failed: int
    oldest_at: int | None


def stats_by_kind(tx: Reader) -> list[KindStats]:
    rows = tx.all(
        """SELECT kind,
                  COUNT(*) FILTER (WHERE failed_at IS NULL AND claimed_until = 0) AS waiting,
                  COUNT(*) FILTER (WHERE failed_at IS NULL AND claimed_until > 0) AS working,
                  COUNT(*) FILTER (WHERE failed_at IS NOT NULL) AS failed,
                  MIN(created_at) FILTER (WHERE failed_at IS NULL) AS oldest_at
           FROM jobs GROUP BY kind ORDER BY kind"""
    )
    return [
        KindStats(row["kind"], row["waiting"], row["working"], row["failed"], row["oldest_at"])
        for row in rows
    ]


def failures(tx: Reader, limit: int = 50) -> list[Row]:
    """Returns the jobs given up last: id, kind, lane, attempts, reason, failed_at."""
    return tx.all(
        """SELECT id, kind, lane, attempts, reason, failed_at FROM jobs
           WHERE failed_at IS NOT NULL ORDER BY failed_at DESC LIMIT :limit""",
        limit=limit,
    )


def longest_lanes(tx: Reader, limit: int = 50) -> list[Row]:
    """Returns the longest lanes: lane, jobs."""
    return tx.all("SELECT lane, jobs FROM lanes ORDER BY jobs DESC, lane LIMIT :limit", limit=limit)
