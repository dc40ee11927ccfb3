"""The job queue: work that an action leaves for later, written in its own transaction. Owns `jobs` and
`lanes`.

A claim is a lease: it moves `run_at` to the end of the lease, so what a killed worker held becomes due again
by itself and nothing is lost. Finishing belongs in the same unit of work as the effect, so nothing is done
twice.

Jobs of one lane (all that send to one server) run one after the other, in the order they were added. Only
the first of a lane has a time to run; the others are parked until it is finished. So a server that is
unavailable costs one row to check, however many wait behind it. Adding and finishing both lock the row of
the lane, so neither can miss the other.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from node.database import Reader, Row, Writer
from node.ids import new_id, now_ms

LEASE_MS = 5 * 60_000
MAX_ATTEMPTS = 8
FIRST_BACKOFF_MS = 10_000
PARKED_RUN_AT = 1 << 62

# Few shapes of statement, so that each is prepared once.
_ROWS_AT_ONCE = (64, 8, 1)
_PLACEHOLDERS = {
    size: ", ".join(f"(:lane_{n}, CAST(:more_{n} AS INTEGER))" for n in range(size)) for size in _ROWS_AT_ONCE
}


@dataclasses.dataclass(frozen=True)
class Job:
    """A claimed job. `attempts` counts this one, so it is 1 at the first try."""

    id: int
    kind: str
    lane: str
    payload: dict[str, Any]
    attempts: int


class RetryLater(Exception):
    """Raised by a handler: run the job again at `run_at` (milliseconds)."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.run_at = at
        self.reason = reason


class GiveUp(Exception):
    """Raised by a handler: running the job again will not help."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def add(tx: Writer, kind: str, payload: dict[str, Any], *, lane: str = "", run_at: int | None = None) -> int:
    """Adds a job and returns its id. It runs after this unit of work commits, never before."""
    return add_many(tx, kind, [(payload, lane)], run_at=run_at)[0]


def add_many(
    tx: Writer,
    kind: str,
    entries: Sequence[tuple[Mapping[str, Any] | bytes, str]],
    *,
    run_at: int | Sequence[int] | None = None,
) -> list[int]:
    """Adds a job for each (payload, lane), '' for no lane; returns their ids, which grow in the order of the
    entries.

    A payload may be JSON already. `run_at` (milliseconds) is one time for all of them, or one for each; in a
    lane only that of its first job counts.
    """
    now = now_ms()
    times = run_at if isinstance(run_at, Sequence) else [now if run_at is None else run_at] * len(entries)
    occupied = _enter_lanes(tx, [lane for _, lane in entries if lane])
    rows: list[dict[str, Any]] = []
    for (payload, lane), at in zip(entries, times, strict=True):
        if lane and lane in occupied:
            at = PARKED_RUN_AT
        occupied.add(lane)
        text = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        rows.append(
            {"id": new_id(), "kind": kind, "lane": lane, "payload": text.decode(), "at": at, "now": now}
        )
    tx.many(
        """INSERT INTO jobs (id, kind, lane, payload, run_at, created_at)
           VALUES (:id, :kind, :lane, :payload, :at, :now)""",
        rows,
    )
    if any(row["at"] <= now for row in rows):
        tx.after_commit(functools.partial(tx.wake, kind))
    return [row["id"] for row in rows]


def _enter_lanes(tx: Writer, lanes: list[str]) -> set[str]:
    """Counts jobs into their lanes; returns the lanes that held some before.

    Rows are locked in one order everywhere, so two units that add or finish many jobs cannot deadlock.
    """
    counts = sorted(Counter(lanes).items())
    held: set[str] = set()
    while counts:
        size = next(size for size in _ROWS_AT_ONCE if size <= len(counts))
        group, counts = counts[:size], counts[size:]
        values: dict[str, Any] = {f"lane_{n}": lane for n, (lane, _) in enumerate(group)}
        values |= {f"more_{n}": more for n, (_, more) in enumerate(group)}
        rows = tx.all(
            f"""INSERT INTO lanes (lane, jobs) VALUES {_PLACEHOLDERS[size]}
                ON CONFLICT (lane) DO UPDATE SET jobs = lanes.jobs + excluded.jobs
                RETURNING lane, jobs""",  # noqa: S608
            **values,
        )
        entered = dict(group)
        held.update(row["lane"] for row in rows if row["jobs"] > entered[row["lane"]])
    return held


def has_jobs(tx: Reader, kind: str) -> bool:
    """Returns whether any job of a kind waits or runs."""
    return (
        tx.value("SELECT id FROM jobs WHERE kind = :kind AND failed_at IS NULL LIMIT 1", kind=kind)
        is not None
    )


def add_once(tx: Writer, kind: str, payload: dict[str, Any], *, run_at: int | None = None) -> None:
    """Adds a job unless one of its kind exists already: for periodic work."""
    if not has_jobs(tx, kind):
        add(tx, kind, payload, run_at=run_at)


def claim(tx: Writer, kind: str, limit: int, now: int, lease: int = LEASE_MS) -> list[Job]:
    """Claims up to `limit` jobs of a kind that are due at `now`, for `lease` milliseconds; oldest first."""
    rows = tx.all(
        # The condition stands outside too: two workers that chose the same row on PostgreSQL
        # would otherwise both take it.
        """UPDATE jobs SET run_at = :until, claimed_until = :until, attempts = attempts + 1
           WHERE run_at <= :now AND failed_at IS NULL AND id IN (
               SELECT id FROM jobs
               WHERE kind = :kind AND run_at <= :now AND failed_at IS NULL
               ORDER BY run_at, id LIMIT :limit)
           RETURNING id, kind, lane, payload, attempts""",
        kind=kind,
        limit=limit,
        now=now,
        until=max(now, now_ms()) + lease,
    )
    return [_job(row) for row in sorted(rows, key=lambda row: row["id"])]


def _job(row: Row) -> Job:
    return Job(row["id"], row["kind"], row["lane"], msgspec.json.decode(row["payload"]), row["attempts"])


def finish(tx: Writer, job: Job) -> bool:
    """Deletes a job that is done, and lets the next in its lane run. False if it was finished before."""
    return job.id in finish_all(tx, [job])


def finish_all(tx: Writer, jobs: Iterable[Job]) -> set[int]:
    """Finishes many jobs; returns the ids of those that were not finished before."""
    lanes = {job.id: job.lane for job in jobs}
    if len(lanes) == 1:
        rows = tx.all("DELETE FROM jobs WHERE id = :id RETURNING id", id=next(iter(lanes)))
    else:
        rows = tx.all("DELETE FROM jobs WHERE id IN (:ids) RETURNING id", ids=list(lanes))
    gone = {row["id"] for row in rows}
    _leave_lanes(tx, [lanes[id_] for id_ in gone])
    return gone


def move_to_lane(
    tx: Writer, job: Job, lane: str, run_at: int, reason: str = "", kind: str | None = None
) -> None:
    """Moves a claimed job to another lane, behind what is there already; its own lane goes on without it.

    It runs at `run_at` if it is the first there. Lanes keep the order in which jobs were added, not moved.
    """
    # Both rows are locked in one order, as in `_enter_lanes`.
    if lane < job.lane:
        is_held = bool(_enter_lanes(tx, [lane]))
    moved = tx.run(
        """UPDATE jobs SET lane = :lane, kind = :kind, run_at = :parked, claimed_until = 0, reason = :reason
           WHERE id = :id AND failed_at IS NULL""",
        id=job.id,
        lane=lane,
        kind=kind or job.kind,
        parked=PARKED_RUN_AT,
        reason=reason[:500],
    )
    if not moved:
        if lane < job.lane:
            _leave_lanes(tx, [lane])
        return
    _leave_lanes(tx, [job.lane])
    if lane > job.lane:
        is_held = bool(_enter_lanes(tx, [lane]))
    if not is_held:
        tx.run("UPDATE jobs SET run_at = :at WHERE id = :id", id=job.id, at=run_at)
        if run_at <= now_ms():
            tx.after_commit(functools.partial(tx.wake, kind or job.kind))


def nonempty_lanes(tx: Reader, lanes: Iterable[str]) -> set[str]:
    """Returns those of these lanes that hold jobs."""
    return {row["lane"] for row in tx.all("SELECT lane FROM lanes WHERE lane IN (:names)", names=list(lanes))}


def has_sublane(tx: Reader, lane: str) -> bool:
    """Returns whether a sublane of this lane (named by it, a space and more) holds jobs."""
    found = tx.value(f"SELECT 1 FROM lanes WHERE {_IS_SUBLANE_SQL} LIMIT 1", **_sublane_values(lane))  # noqa: S608
    return found is not None


def delete_lanes(tx: Writer, lane: str) -> None:
    """Deletes all jobs of a lane and of its sublanes, but those that failed for good."""
    held = f"lane <> '' AND (lane = :lane OR {_IS_SUBLANE_SQL})"
    values = {**_sublane_values(lane), "lane": lane}
    tx.run(f"DELETE FROM jobs WHERE failed_at IS NULL AND {held}", **values)  # noqa: S608
    tx.run(f"DELETE FROM lanes WHERE {held}", **values)  # noqa: S608


_IS_SUBLANE_SQL = "substr(lane, 1, :length) = :start"


def _sublane_values(lane: str) -> dict[str, Any]:
    return {"start": f"{lane} ", "length": len(lane) + 1}


def reschedule(tx: Writer, job: Job, run_at: int, reason: str, kind: str | None = None) -> None:
    """Puts a claimed job off until `run_at`, as one of another kind if given; its lane waits with it."""
    tx.run(
        """UPDATE jobs SET run_at = :at, claimed_until = 0, reason = :reason, kind = :kind
           WHERE id = :id AND failed_at IS NULL""",
        id=job.id,
        at=run_at,
        reason=reason[:500],
        kind=kind or job.kind,
    )


def fail(tx: Writer, job: Job, reason: str) -> None:
    """Gives a job up: it is kept for staff to see, its lane goes on without it."""
    given_up = tx.run(
        """UPDATE jobs SET failed_at = :now, claimed_until = 0, reason = :reason
           WHERE id = :id AND failed_at IS NULL""",
        id=job.id,
        now=now_ms(),
        reason=reason[:500],
    )
    if given_up:
        _leave_lanes(tx, [job.lane])


def _leave_lanes(tx: Writer, lanes: Iterable[str]) -> None:
    left = sorted((lane, less) for lane, less in Counter(lanes).items() if lane)
    if not left:
        return
    names = [lane for lane, _ in left]
    tx.many(
        "UPDATE lanes SET jobs = jobs - :less WHERE lane = :lane",
        [{"lane": lane, "less": less} for lane, less in left],
    )
    ended = {
        row["lane"]
        for row in tx.all("DELETE FROM lanes WHERE lane IN (:names) AND jobs < 1 RETURNING lane", names=names)
    }
    if len(ended) < len(names):
        _run_lanes_now(tx, [name for name in names if name not in ended])


def run_lane_now(tx: Writer, lane: str) -> None:
    """Lets the first job of a lane and of each of its sublanes run now."""
    below = tx.all(f"SELECT lane FROM lanes WHERE {_IS_SUBLANE_SQL}", **_sublane_values(lane))  # noqa: S608
    _run_lanes_now(tx, [lane, *(row["lane"] for row in below)])


def _run_lanes_now(tx: Writer, lanes: list[str]) -> None:
    rows = tx.all(
        """UPDATE jobs SET run_at = :now
           WHERE id IN (SELECT MIN(id) FROM jobs
                        WHERE lane IN (:lanes) AND failed_at IS NULL AND lane <> '' GROUP BY lane)
             AND run_at > :now AND claimed_until = 0
           RETURNING kind""",
        lanes=lanes,
        now=now_ms(),
    )
    for kind in {row["kind"] for row in rows}:
        tx.after_commit(functools.partial(tx.wake, kind))


def retry_failed(tx: Writer, job_id: int) -> bool:
    """Queues a job again that was given up, in no lane and with no attempts counted; False if not found."""
    kind = tx.value(
        """UPDATE jobs SET failed_at = NULL, lane = '', attempts = 0, run_at = :now, reason = ''
           WHERE id = :id AND failed_at IS NOT NULL RETURNING kind""",
        id=job_id,
        now=now_ms(),
    )
    if kind is not None:
        tx.after_commit(functools.partial(tx.wake, kind))
    return kind is not None


def release_all_claims(tx: Writer) -> None:
    """Releases every claim. Only for a process that knows it is alone: SQLite, at its start."""
    tx.run("UPDATE jobs SET run_at = :now, claimed_until = 0 WHERE claimed_until > 0", now=now_ms())


def next_run_times(tx: Reader, kinds: list[str]) -> dict[str, int]:
    """Returns when the first job of each kind may run (milliseconds),
    for those of these kinds that have one."""
    due = {}
    for kind in kinds:
        at = tx.value(
            "SELECT run_at FROM jobs WHERE kind = :kind AND failed_at IS NULL ORDER BY run_at LIMIT 1",
            kind=kind,
        )
        if at is not None and at < PARKED_RUN_AT:
            due[kind] = at
    return due


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


def delete_failed(tx: Writer, before: int) -> int:
    """Deletes jobs given up before `before`, so that the table stays bounded; returns how many."""
    return tx.run("DELETE FROM jobs WHERE failed_at < :before", before=before)
