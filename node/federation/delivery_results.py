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
from node.federation.deliveries import GIVE_UP_AFTER_MS, FinishedDelivery
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job

MAX_ATTEMPTS_IN_HOST_LANE = 3
REDELIVER_KIND = "redeliver"
"""The kind of job of what has failed before: it has places of its own, so it never takes those of the others."""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """A delivery that is over: `state` is delivered, failed or gone. `has_responded`: the server is there."""

    job: Job
    state: str
    status: int | None
    reason: str
    has_responded: bool = True


def retry_lane(job: Job) -> str:
    """The lane for what this job's inbox stumbles over."""
    said = job.payload
    return f"{said['host']} {said['inbox']} {said.get('about', said['id'])}"


def is_in_retry_lane(job: Job) -> bool:
    return bool(job.lane != job.payload["host"])


def record_results(tx: Writer, results: Iterable[DeliveryResult]) -> None:
    """These are over, each once."""
    by_job = {outcome.job.id: outcome for outcome in results}
    over = [by_job[id_] for id_ in queue.finish_all(tx, [one.job for one in by_job.values()])]
    deliveries.finish(
        tx, [FinishedDelivery(one.job.payload["id"], one.state, one.status, one.reason) for one in over]
    )
    there = {one.job.payload["host"] for one in over if one.has_responded}
    if there:
        server_availability.record_success(tx, there)


def move_to_retry_lane(tx: Writer, job: Job) -> None:
    """Something about the same is aside already: this goes behind it."""
    queue.move_to_lane(tx, job, retry_lane(job), now_ms(), "", REDELIVER_KIND)


def record_unavailable(
    tx: Writer, job: Job, status: int | None, reason: str, retry_after: int | None
) -> None:
    """The server is not there: its lane sleeps, unless it has been silent for a week."""
    host = job.payload["host"]
    if is_in_retry_lane(job):
        # The lane of the server knocks; what is aside only waits until it might be back.
        at = now_ms() + server_availability.backoff_ms(job.attempts, retry_after)
    else:
        at = server_availability.record_failure(
            tx, host, reason, retry_after_ms=retry_after, is_rate_limited=status == 429
        )
    if not _give_up_if_expired(tx, job, status, reason, has_responded=False):
        deliveries.record_attempt(tx, job.payload["id"], status=status, reason=reason)
        queue.reschedule(tx, job, at, reason, REDELIVER_KIND)


def record_local_error(tx: Writer, job: Job, reason: str) -> None:
    """Something here went wrong, and nothing is known of the server: later."""
    if _give_up_if_expired(tx, job, None, reason, has_responded=False):
        return
    tries = deliveries.record_attempt(tx, job.payload["id"], status=None, reason=reason)
    queue.reschedule(tx, job, now_ms() + server_availability.backoff_ms(tries), reason, REDELIVER_KIND)


def record_error_response(tx: Writer, job: Job, status: int, reason: str) -> None:
    """The server is there but cannot take these words: later, and after some tries out of the others' way."""
    said = job.payload
    if _give_up_if_expired(tx, job, status, reason, has_responded=True):
        return
    server_availability.record_success(tx, [said["host"]])
    tries = deliveries.record_attempt(tx, said["id"], status=status, reason=reason)
    at = now_ms() + server_availability.backoff_ms(tries)
    if is_in_retry_lane(job) or (
        tries < MAX_ATTEMPTS_IN_HOST_LANE and not queue.has_sublane(tx, f"{said['host']} {said['inbox']}")
    ):
        queue.reschedule(tx, job, at, reason, REDELIVER_KIND)
    else:
        queue.move_to_lane(tx, job, retry_lane(job), at, reason, REDELIVER_KIND)


def _give_up_if_expired(
    tx: Writer, job: Job, status: int | None, reason: str, *, has_responded: bool
) -> bool:
    if now_ms() - job.payload["since"] <= GIVE_UP_AFTER_MS:
        return False
    record_results(tx, [DeliveryResult(job, "failed", status, reason, has_responded)])
    return True
