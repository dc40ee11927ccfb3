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
from typing import Any

import msgspec

from node.database import Reader, Row, Writer
from node.ids import new_id, now_ms

LEASE = 5 * 60_000
MOST_ATTEMPTS = 8
FIRST_WAIT = 10_000
PARKED = 1 << 62


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
    now = now_ms()
    at = now if run_at is None else run_at
    if lane:
        waiting = tx.value(
            """INSERT INTO lanes (lane, jobs) VALUES (:lane, 1)
               ON CONFLICT (lane) DO UPDATE SET jobs = lanes.jobs + 1 RETURNING jobs""",
            lane=lane,
        )
        if waiting > 1:
            at = PARKED
    id_ = new_id()
    tx.run(
        """INSERT INTO jobs (id, kind, lane, payload, run_at, created_at)
           VALUES (:id, :kind, :lane, :payload, :at, :now)""",
        id=id_,
        kind=kind,
        lane=lane,
        payload=msgspec.json.encode(payload).decode(),
        at=at,
        now=now,
    )
    if at <= now:
        tx.after_commit(functools.partial(tx.wake, kind))
    return id_


def add_many(tx: Writer, kind: str, entries: list[tuple[dict[str, Any], str]]) -> None:
    """Add a job for each (payload, lane). Lanes are locked in one order, so two fan-outs cannot deadlock."""
    for payload, lane in sorted(entries, key=lambda entry: entry[1]):
        add(tx, kind, payload, lane=lane)


def add_once(tx: Writer, kind: str, payload: dict[str, Any], *, run_at: int | None = None) -> None:
    """Add a job unless one of its kind already waits: for what repeats itself."""
    if tx.value("SELECT id FROM jobs WHERE kind = :kind AND failed_at IS NULL LIMIT 1", kind=kind) is None:
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
    if tx.value("DELETE FROM jobs WHERE id = :id RETURNING id", id=job.id) is None:
        return False
    _leave_lane(tx, job)
    return True


def finish_all(tx: Writer, jobs: list[Job]) -> None:
    """Finish many jobs that are in no lane."""
    tx.run("DELETE FROM jobs WHERE id IN (:ids)", ids=[job.id for job in jobs])


def retry(tx: Writer, job: Job, at: int, reason: str) -> None:
    """Put a job off until `at`; its lane waits with it."""
    tx.run(
        "UPDATE jobs SET run_at = :at, claimed_until = 0, reason = :reason WHERE id = :id AND failed_at IS NULL",
        id=job.id,
        at=at,
        reason=reason[:500],
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
        _leave_lane(tx, job)


def _leave_lane(tx: Writer, job: Job) -> None:
    if not job.lane:
        return
    left = tx.value("UPDATE lanes SET jobs = jobs - 1 WHERE lane = :lane RETURNING jobs", lane=job.lane)
    if not left or left < 1:
        tx.run("DELETE FROM lanes WHERE lane = :lane", lane=job.lane)
        return
    hurry(tx, job.lane)


def hurry(tx: Writer, lane: str) -> None:
    """Let a lane's first job run now: its server has just been heard from."""
    kind = tx.value(
        """UPDATE jobs SET run_at = :now
           WHERE id = (SELECT MIN(id) FROM jobs WHERE lane = :lane AND failed_at IS NULL AND lane <> '')
             AND run_at > :now AND claimed_until = 0
           RETURNING kind""",
        lane=lane,
        now=now_ms(),
    )
    if kind is not None:
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
