"""The one queue: work that a deed leaves for later, written in the deed's own transaction.

A claim is a lease: it moves `run_at` to its end, so what a killed worker held comes back by itself and
nothing is lost. Finishing belongs in the same unit of work as the effect, so nothing is done twice.

Jobs that talk to one server share a lane and run one after the other, in the order they were added. Only
the first of a lane has a time to run; the others are parked until it is finished. So a server that is
down costs its own lane one row to look at, however many wait behind it. The lane's row is locked by
adding and by finishing, so neither can miss the other.
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

LEASE = 5 * 60_000
MOST_ATTEMPTS = 8
FIRST_WAIT = 10_000
PARKED = 1 << 62

# Few shapes of statement, so that each is prepared once.
_ROWS_AT_ONCE = (64, 8, 1)
_PLACES = {
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


class Later(Exception):
    """Raised by a handler: try again at `at` (milliseconds)."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason


class GiveUp(Exception):
    """Raised by a handler: trying again will not help."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def add(tx: Writer, kind: str, payload: dict[str, Any], *, lane: str = "", run_at: int | None = None) -> int:
    """Add a job and return its id. It runs after this unit of work commits, never before."""
    return add_many(tx, kind, [(payload, lane)], run_at=run_at)[0]


def add_many(
    tx: Writer,
    kind: str,
    entries: Sequence[tuple[Mapping[str, Any] | bytes, str]],
    *,
    run_at: int | Sequence[int] | None = None,
) -> list[int]:
    """Add a job for each (payload, lane) and return their ids, which are in the order of the entries.

    A payload may be JSON already. `run_at` is a time for all of them, or one for each; in a lane only its
    first job has one.
    """
    now = now_ms()
    times = run_at if isinstance(run_at, Sequence) else [now if run_at is None else run_at] * len(entries)
    taken = _enter_lanes(tx, [lane for _, lane in entries if lane])
    rows: list[dict[str, Any]] = []
    for (payload, lane), at in zip(entries, times, strict=True):
        if lane and lane in taken:
            at = PARKED
        taken.add(lane)
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
    """Count jobs into their lanes; those lanes that held some before.

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
            f"""INSERT INTO lanes (lane, jobs) VALUES {_PLACES[size]}
                ON CONFLICT (lane) DO UPDATE SET jobs = lanes.jobs + excluded.jobs
                RETURNING lane, jobs""",  # noqa: S608
            **values,
        )
        entered = dict(group)
        held.update(row["lane"] for row in rows if row["jobs"] > entered[row["lane"]])
    return held


def holds(tx: Reader, kind: str) -> bool:
    """Whether any job of a kind waits or is worked on."""
    return (
        tx.value("SELECT id FROM jobs WHERE kind = :kind AND failed_at IS NULL LIMIT 1", kind=kind)
        is not None
    )


def add_once(tx: Writer, kind: str, payload: dict[str, Any], *, run_at: int | None = None) -> None:
    """Add a job unless one of its kind already waits: for what repeats itself."""
    if not holds(tx, kind):
        add(tx, kind, payload, run_at=run_at)


def claim(tx: Writer, kind: str, limit: int, now: int, lease: int = LEASE) -> list[Job]:
    """Take up to `limit` due jobs of a kind, oldest first."""
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
    """Done: the job goes, the next in its lane may run. False when it was finished before."""
    return job.id in finish_all(tx, [job])


def finish_all(tx: Writer, jobs: Iterable[Job]) -> set[int]:
    """Finish many jobs; the ids of those that were not finished before."""
    lanes = {job.id: job.lane for job in jobs}
    if len(lanes) == 1:
        rows = tx.all("DELETE FROM jobs WHERE id = :id RETURNING id", id=next(iter(lanes)))
    else:
        rows = tx.all("DELETE FROM jobs WHERE id IN (:ids) RETURNING id", ids=list(lanes))
    gone = {row["id"] for row in rows}
    _leave_lanes(tx, [lanes[id_] for id_ in gone])
    return gone


def move(tx: Writer, job: Job, lane: str, at: int, reason: str = "", kind: str | None = None) -> None:
    """Let a claimed job wait in another lane, behind what is there already; its own goes on without it.

    It runs at `at` if it is the first there. Lanes keep the order in which jobs were added.
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
        parked=PARKED,
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
        tx.run("UPDATE jobs SET run_at = :at WHERE id = :id", id=job.id, at=at)
        if at <= now_ms():
            tx.after_commit(functools.partial(tx.wake, kind or job.kind))


def among_lanes(tx: Reader, names: Iterable[str]) -> set[str]:
    """Those of the lanes that hold jobs now."""
    return {row["lane"] for row in tx.all("SELECT lane FROM lanes WHERE lane IN (:names)", names=list(names))}


def holds_aside(tx: Reader, lane: str) -> bool:
    """Whether a lane under this one (its name, a space and more) holds jobs."""
    return tx.value(f"SELECT 1 FROM lanes WHERE {_UNDER} LIMIT 1", **_under(lane)) is not None  # noqa: S608


def drop_lanes(tx: Writer, lane: str) -> None:
    """Forget everything in a lane and in those under it."""
    held = f"lane <> '' AND (lane = :lane OR {_UNDER})"
    values = {**_under(lane), "lane": lane}
    tx.run(f"DELETE FROM jobs WHERE failed_at IS NULL AND {held}", **values)  # noqa: S608
    tx.run(f"DELETE FROM lanes WHERE {held}", **values)  # noqa: S608


_UNDER = "substr(lane, 1, :length) = :start"


def _under(lane: str) -> dict[str, Any]:
    return {"start": f"{lane} ", "length": len(lane) + 1}


def retry(tx: Writer, job: Job, at: int, reason: str, kind: str | None = None) -> None:
    """Put a job off until `at`, as one of another kind if that is given; its lane waits with it."""
    tx.run(
        """UPDATE jobs SET run_at = :at, claimed_until = 0, reason = :reason, kind = :kind
           WHERE id = :id AND failed_at IS NULL""",
        id=job.id,
        at=at,
        reason=reason[:500],
        kind=kind or job.kind,
    )


def fail(tx: Writer, job: Job, reason: str) -> None:
    """Give up: the job is kept for the admin to see, its lane goes on without it."""
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
        _hurry(tx, [name for name in names if name not in ended])


def hurry(tx: Writer, lane: str) -> None:
    """Let the first job of a lane, and of each under it, run now: their server has just been heard from."""
    below = tx.all(f"SELECT lane FROM lanes WHERE {_UNDER}", **_under(lane))  # noqa: S608
    _hurry(tx, [lane, *(row["lane"] for row in below)])


def _hurry(tx: Writer, lanes: list[str]) -> None:
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


def again(tx: Writer, job_id: int) -> bool:
    """Put a job that was given up back in the queue, outside any lane, with its attempts forgotten."""
    kind = tx.value(
        """UPDATE jobs SET failed_at = NULL, lane = '', attempts = 0, run_at = :now, reason = ''
           WHERE id = :id AND failed_at IS NOT NULL RETURNING kind""",
        id=job_id,
        now=now_ms(),
    )
    if kind is not None:
        tx.after_commit(functools.partial(tx.wake, kind))
    return kind is not None


def release_all(tx: Writer) -> None:
    """Free every claim. Only for a process that knows it is alone: SQLite, at its start."""
    tx.run("UPDATE jobs SET run_at = :now, claimed_until = 0 WHERE claimed_until > 0", now=now_ms())


def next_due(tx: Reader, kinds: list[str]) -> dict[str, int]:
    """For each kind with work, when its first job may run."""
    due = {}
    for kind in kinds:
        at = tx.value(
            "SELECT run_at FROM jobs WHERE kind = :kind AND failed_at IS NULL ORDER BY run_at LIMIT 1",
            kind=kind,
        )
        if at is not None and at < PARKED:
            due[kind] = at
    return due


@dataclasses.dataclass(frozen=True)
class Stats:
    """One kind of job, for the admin: how many wait, are worked on, were given up; how old the oldest is."""

    kind: str
    waiting: int
    working: int
    failed: int
    oldest_at: int | None


def stats(tx: Reader) -> list[Stats]:
    rows = tx.all(
        """SELECT kind,
                  COUNT(*) FILTER (WHERE failed_at IS NULL AND claimed_until = 0) AS waiting,
                  COUNT(*) FILTER (WHERE failed_at IS NULL AND claimed_until > 0) AS working,
                  COUNT(*) FILTER (WHERE failed_at IS NOT NULL) AS failed,
                  MIN(created_at) FILTER (WHERE failed_at IS NULL) AS oldest_at
           FROM jobs GROUP BY kind ORDER BY kind"""
    )
    return [
        Stats(row["kind"], row["waiting"], row["working"], row["failed"], row["oldest_at"]) for row in rows
    ]


def failures(tx: Reader, limit: int = 50) -> list[Row]:
    """The jobs most recently given up: id, kind, lane, attempts, reason, failed_at."""
    return tx.all(
        """SELECT id, kind, lane, attempts, reason, failed_at FROM jobs
           WHERE failed_at IS NOT NULL ORDER BY failed_at DESC LIMIT :limit""",
        limit=limit,
    )


def lanes(tx: Reader, limit: int = 50) -> list[Row]:
    """The longest lanes: lane, jobs."""
    return tx.all("SELECT lane, jobs FROM lanes ORDER BY jobs DESC, lane LIMIT :limit", limit=limit)


def forget_failed(tx: Writer, before: int) -> int:
    """Drop jobs given up before `before`, so that the table stays bounded."""
    return tx.run("DELETE FROM jobs WHERE failed_at < :before", before=before)
