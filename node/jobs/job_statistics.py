"""What the queue holds, for staff to see. Owns no table."""

from __future__ import annotations

import dataclasses

from node.database import Reader, Row
from node.ids import now_ms
from node.jobs import queue


@dataclasses.dataclass(frozen=True)
class KindStats:
    """The jobs of one kind, for staff: how many wait, run, and were given up; when the oldest of those was added.

    `scheduled` are for a later time: they do not wait yet. One that is tried again later does.
    """

    kind: str
    waiting: int
    scheduled: int
    working: int
    failed: int
    oldest_at: int | None


_IS_SCHEDULED = "claimed_until = 0 AND attempts = 0 AND run_at > :now AND run_at < :parked"


def stats_by_kind(tx: Reader) -> list[KindStats]:
    rows = tx.all(
        f"""SELECT kind,
                   COUNT(*) FILTER (WHERE failed_at IS NULL AND claimed_until = 0 AND NOT ({_IS_SCHEDULED})) AS waiting,
                   COUNT(*) FILTER (WHERE failed_at IS NULL AND {_IS_SCHEDULED}) AS scheduled,
                   COUNT(*) FILTER (WHERE failed_at IS NULL AND claimed_until > 0) AS working,
                   COUNT(*) FILTER (WHERE failed_at IS NOT NULL) AS failed,
                   MIN(created_at) FILTER (WHERE failed_at IS NULL AND NOT ({_IS_SCHEDULED})) AS oldest_at
            FROM jobs GROUP BY kind ORDER BY kind""",  # noqa: S608
        now=now_ms(),
        parked=queue.PARKED_RUN_AT,
    )
    return [KindStats(**{name: row[name] for name in KindStats.__dataclass_fields__}) for row in rows]


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
