"""What becomes of a delivery that was tried: ledger, host and queue change in one unit of work. Owns no table.

A server's deliveries are one lane, in order. While it does not answer at all, the whole lane sleeps. When it
answers and stumbles over what one of its inboxes was told, that waits with growing pauses, and after
`TRIES_IN_LINE` tries it steps aside into a lane for this inbox and what it is about (one post, two people):
what follows about the same goes behind it, and everything else goes on. While an inbox has something aside,
whatever else it stumbles over steps aside at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.database import Writer
from node.federation import deliveries, server_availability
from node.federation.deliveries import GIVEN_UP_AFTER_MS, End
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job

TRIES_IN_LINE = 3
AGAIN = "redeliver"
"""The kind of job of what has failed before: it has places of its own, so it never takes those of the others."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A delivery that is over: `state` is delivered, failed or gone. `has_answered`: the server is there."""

    job: Job
    state: str
    status: int | None
    reason: str
    has_answered: bool = True


def aside(job: Job) -> str:
    """The lane for what this job's inbox stumbles over."""
    said = job.payload
    return f"{said['host']} {said['inbox']} {said.get('about', said['id'])}"


def is_aside(job: Job) -> bool:
    return bool(job.lane != job.payload["host"])


def close(tx: Writer, outcomes: Iterable[Outcome]) -> None:
    """These are over, each once."""
    by_job = {outcome.job.id: outcome for outcome in outcomes}
    over = [by_job[id_] for id_ in queue.finish_all(tx, [one.job for one in by_job.values()])]
    deliveries.close(tx, [End(one.job.payload["id"], one.state, one.status, one.reason) for one in over])
    there = {one.job.payload["host"] for one in over if one.has_answered}
    if there:
        server_availability.answered(tx, there)


def step_aside(tx: Writer, job: Job) -> None:
    """Something about the same is aside already: this goes behind it."""
    queue.move(tx, job, aside(job), now_ms(), "", AGAIN)


def silent(tx: Writer, job: Job, status: int | None, reason: str, retry_after: int | None) -> None:
    """The server is not there: its lane sleeps, unless it has been silent for a week."""
    host = job.payload["host"]
    if is_aside(job):
        # The lane of the server knocks; what is aside only waits until it might be back.
        at = now_ms() + server_availability.pause_ms(job.attempts, retry_after)
    else:
        at = server_availability.failed(tx, host, reason, retry_after_ms=retry_after, is_busy=status == 429)
    if not _given_up(tx, job, status, reason, has_answered=False):
        deliveries.tried(tx, job.payload["id"], status=status, reason=reason)
        queue.retry(tx, job, at, reason, AGAIN)


def hiccup(tx: Writer, job: Job, reason: str) -> None:
    """Something here went wrong, and nothing is known of the server: later."""
    if _given_up(tx, job, None, reason, has_answered=False):
        return
    tries = deliveries.tried(tx, job.payload["id"], status=None, reason=reason)
    queue.retry(tx, job, now_ms() + server_availability.pause_ms(tries), reason, AGAIN)


def stumbled(tx: Writer, job: Job, status: int, reason: str) -> None:
    """The server is there but cannot take these words: later, and after some tries out of the others' way."""
    said = job.payload
    if _given_up(tx, job, status, reason, has_answered=True):
        return
    server_availability.answered(tx, [said["host"]])
    tries = deliveries.tried(tx, said["id"], status=status, reason=reason)
    at = now_ms() + server_availability.pause_ms(tries)
    if is_aside(job) or (
        tries < TRIES_IN_LINE and not queue.holds_aside(tx, f"{said['host']} {said['inbox']}")
    ):
        queue.retry(tx, job, at, reason, AGAIN)
    else:
        queue.move(tx, job, aside(job), at, reason, AGAIN)


def _given_up(tx: Writer, job: Job, status: int | None, reason: str, *, has_answered: bool) -> bool:
    if now_ms() - job.payload["since"] <= GIVEN_UP_AFTER_MS:
        return False
    close(tx, [Outcome(job, "failed", status, reason, has_answered)])
    return True
