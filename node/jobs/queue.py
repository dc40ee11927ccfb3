"""The job queue: work that an action leaves for later, written in its own transaction. Owns `jobs`.

A claim is a lease: it moves `run_at` to its end, so what a killed worker held becomes due again by itself. Leases are
short and renewed. Finishing belongs in the same unit of work as the effect, so nothing is done twice.

Jobs of one lane (all that send to one server) run one after the other, in the order they were added. Only
the first of a lane has a time to run; the others are parked until it is finished. So a server that is
unavailable costs one row to check, however many wait behind it (see `lanes`).
"""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from node.database import Reader, Writer
from node.ids import new_id, now_ms
from node.jobs import lanes, payloads

log = logging.getLogger("tintype.jobs")

LEASE_MS = 30_000
MAX_ATTEMPTS, MAX_IDS = 8, 256
FAILED_RETENTION_MS = 30 * 24 * 3_600_000
FIRST_BACKOFF_MS = 10_000
PARKED_RUN_AT = 1 << 62
MAX_AHEAD_MS = 2 * 24 * 3_600_000  # a time beyond it was made while the clock was wrong
UNDECODABLE, UNKNOWN_KIND = "its payload cannot be decoded", "no handler for this kind of job"


@dataclasses.dataclass(frozen=True)
class Job:
    """A claimed job. `attempts` counts this one, so it is 1 at the first try; the claim ends at `claimed_until`."""

    id: int
    kind: str
    lane: str
    payload: dict[str, Any]
    attempts: int
    claimed_until: int = 0


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
    occupied = lanes.enter(tx, [lane for _, lane in entries if lane])
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


def has_jobs(tx: Reader, kind: str) -> bool:
    """Returns whether any job of a kind waits or runs."""
    return bool(tx.value("SELECT 1 FROM jobs WHERE kind = :kind AND failed_at IS NULL LIMIT 1", kind=kind))


_LOCK_AND_BRING_FORWARD = """
    UPDATE jobs SET run_at = CASE WHEN run_at > :at AND claimed_until = 0 THEN :at ELSE run_at END
    WHERE kind = :kind AND failed_at IS NULL"""


def add_once(tx: Writer, kind: str, payload: dict[str, Any], *, run_at: int | None = None) -> None:
    """Adds a job unless one of its kind exists already: for periodic work. None is put off for longer than this one.

    A unit that finishes that one and then reads sees what was written here before, or a new job is added.
    """
    at = PARKED_RUN_AT if run_at is None else run_at
    # One of the units waits for the other. The second look sees the job that the other has added in its turn.
    if not any(tx.run(_LOCK_AND_BRING_FORWARD, kind=kind, at=at) for _ in range(2)):
        add(tx, kind, payload, run_at=run_at)


def claim(tx: Writer, kind: str, limit: int, now: int, lease: int = LEASE_MS) -> list[Job]:
    """Claims up to `limit` jobs of a kind that are due at `now`, for `lease` milliseconds; oldest first."""
    return claim_until(tx, kind, limit, now, max(now, now_ms()) + lease)


def claim_until(tx: Writer, kind: str, limit: int, now: int, until: int) -> list[Job]:
    """Claims as `claim` does, until a given time.

    A job whose payload cannot be decoded is given up, with a line in the log; the others are claimed all the same.
    """
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
        until=until,
    )
    found = []
    for row in sorted(rows, key=lambda row: row["id"]):
        payload = payloads.decode(row["payload"])
        job = Job(
            row["id"], row["kind"], row["lane"], {} if payload is None else payload, row["attempts"], until
        )
        if payload is not None:
            found.append(job)
            continue
        log.error("job %s %d given up: %s", job.kind, job.id, UNDECODABLE)
        fail(tx, job, UNDECODABLE)
    return found


def renew(tx: Writer, claims: Mapping[int, int], until: int) -> set[int]:
    """Extends claims to `until`; `claims` maps the id of each job to the end of its claim. Returns the ids renewed."""
    return _update_claims(tx, claims, "run_at = :until, claimed_until = :until", until=until)


def release(tx: Writer, claims: Mapping[int, int]) -> set[int]:
    """Ends claims, so that the jobs run again at once; the attempt does not count. Returns the ids released.

    `claims` is as for `renew`: what another worker has claimed since is left to it.
    """
    change = "run_at = :now, claimed_until = 0, attempts = attempts - 1"
    released = _update_claims(tx, claims, change, now=now_ms())
    for row in tx.all("SELECT DISTINCT kind FROM jobs WHERE id IN (:ids)", ids=released):
        tx.after_commit(functools.partial(tx.wake, row["kind"]))
    return released


def _update_claims(tx: Writer, claims: Mapping[int, int], change: str, **values: int) -> set[int]:
    by_end: dict[int, list[int]] = {}
    for id_, end in sorted(claims.items()):
        by_end.setdefault(end, []).append(id_)
    changed: set[int] = set()
    for end, ids in by_end.items():
        rows = tx.all(
            f"""UPDATE jobs SET {change}
                WHERE id IN (:ids) AND claimed_until = :end AND failed_at IS NULL RETURNING id""",  # noqa: S608
            ids=ids,
            end=end,
            **values,
        )
        changed.update(row["id"] for row in rows)
    return changed


def release_lost(tx: Writer, kind: str, until: int) -> int:
    """Releases the claims of one `claim_until` whose answer was lost with the connection."""
    sql = "SELECT id FROM jobs WHERE kind = :kind AND run_at = :until AND failed_at IS NULL"
    rows = tx.all(sql, kind=kind, until=until)
    return len(release(tx, {row["id"]: until for row in rows}))


def _kinds(tx: Reader) -> list[str]:
    """Returns the kinds that have jobs: one look into the index for each, however many jobs there are."""
    found = [""]
    sql = "SELECT kind FROM jobs WHERE kind > :after AND failed_at IS NULL ORDER BY kind LIMIT 1"
    while (kind := tx.value(sql, after=found[-1])) is not None:
        found.append(kind)
    return found[1:]


def give_up_unknown_kinds(tx: Writer, known: Iterable[str], now: int) -> int:
    """Gives up the jobs that are due and of no known kind, so that their lanes go on; returns how many."""
    given_up = 0
    for kind in set(_kinds(tx)).difference(known):
        rows = tx.all(
            """SELECT id, lane, attempts FROM jobs
               WHERE kind = :kind AND run_at <= :now AND failed_at IS NULL ORDER BY run_at, id LIMIT :limit""",
            kind=kind,
            now=now,
            limit=MAX_IDS,
        )
        for row in rows:
            fail(tx, Job(row["id"], kind, row["lane"], {}, row["attempts"], 0), UNKNOWN_KIND)
            log.error("job %s %d given up: %s", kind, row["id"], UNKNOWN_KIND)
        given_up += len(rows)
    return given_up


def bring_back(tx: Writer, now: int) -> int:
    """Lets run what is put off or claimed for longer than anything is: the clock was wrong. Returns how many."""
    claimed = "claimed_until > 0 AND claimed_until > :latest AND failed_at IS NULL"
    sql = f"UPDATE jobs SET run_at = :now, claimed_until = 0 WHERE {claimed}"  # noqa: S608
    late = tx.run(sql, now=now, latest=now + 4 * LEASE_MS)
    for kind in _kinds(tx):
        late += tx.run(
            """UPDATE jobs SET run_at = :now
               WHERE kind = :kind AND run_at > :latest AND run_at < :parked AND claimed_until = 0
                 AND failed_at IS NULL""",
            kind=kind,
            now=now,
            latest=now + MAX_AHEAD_MS,
            parked=PARKED_RUN_AT,
        )
    return late


def finish(tx: Writer, job: Job) -> bool:
    """Deletes a job that is done, and lets the next in its lane run. False if it was finished before."""
    return job.id in finish_all(tx, [job])


def finish_all(tx: Writer, jobs: Iterable[Job]) -> set[int]:
    """Finishes many jobs; returns the ids of those that were not finished before."""
    lane_of = {job.id: job.lane for job in jobs}
    if len(lane_of) == 1:
        rows = tx.all("DELETE FROM jobs WHERE id = :id RETURNING id", id=next(iter(lane_of)))
    else:
        rows = tx.all("DELETE FROM jobs WHERE id IN (:ids) RETURNING id", ids=list(lane_of))
    gone = {row["id"] for row in rows}
    _leave_lanes(tx, [lane_of[id_] for id_ in gone])
    return gone


def move_to_lane(
    tx: Writer, job: Job, lane: str, run_at: int, reason: str = "", kind: str | None = None
) -> None:
    """Moves a claimed job to another lane, behind what is there already; its own lane goes on without it.

    It runs at `run_at` if it is the first there. Lanes keep the order in which jobs were added, not moved.
    """
    # Both rows are locked in one order, as in `lanes.enter`.
    if lane < job.lane:
        is_held = bool(lanes.enter(tx, [lane]))
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
        is_held = bool(lanes.enter(tx, [lane]))
    if not is_held:
        tx.run("UPDATE jobs SET run_at = :at WHERE id = :id", id=job.id, at=run_at)
        if run_at <= now_ms():
            tx.after_commit(functools.partial(tx.wake, kind or job.kind))


def delete_lanes(tx: Writer, lane: str) -> None:
    """Deletes all jobs of a lane and of its sublanes, but those that failed for good."""
    for name in lanes.delete(tx, lane):
        tx.run("DELETE FROM jobs WHERE failed_at IS NULL AND lane = :lane", lane=name)


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


def _leave_lanes(tx: Writer, left: Iterable[str]) -> None:
    if going_on := lanes.leave(tx, left):
        _run_lanes_now(tx, going_on)


def run_lane_now(tx: Writer, lane: str) -> None:
    """Lets the first job of a lane and of each of its sublanes run now."""
    _run_lanes_now(tx, [lane, *lanes.sublanes(tx, lane)])


def _run_lanes_now(tx: Writer, names: list[str]) -> None:
    rows = tx.all(
        """UPDATE jobs SET run_at = :now
           WHERE id IN (SELECT (SELECT MIN(j.id) FROM jobs j
                                WHERE j.lane = l.lane AND j.failed_at IS NULL AND j.lane <> '')
                        FROM lanes l WHERE l.lane IN (:lanes))
             AND run_at > :now AND claimed_until = 0
           RETURNING kind""",
        lanes=names,
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
    """Returns when the first job of each of these kinds may run (milliseconds), for those that have one."""
    due = {}
    for kind in kinds:
        at = tx.value(
            "SELECT run_at FROM jobs WHERE kind = :kind AND failed_at IS NULL ORDER BY run_at LIMIT 1",
            kind=kind,
        )
        if at is not None and at < PARKED_RUN_AT:
            due[kind] = at
    return due


def clean_up(tx: Writer, now: int) -> int:
    """Deletes a batch of the jobs that were given up `FAILED_RETENTION_MS` ago, and returns how many."""
    return tx.run(
        """DELETE FROM jobs WHERE id IN (
               SELECT id FROM jobs WHERE failed_at < :before ORDER BY failed_at LIMIT 500)""",
        before=now - FAILED_RETENTION_MS,
    )
