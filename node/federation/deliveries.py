"""Deliveries: one outgoing activity to one inbox, from queued to finished. Owns the table `deliveries`.

The whole retry story is told here. `activitypub.delivery` makes the requests and calls these functions,
`server_availability` holds what is known of a server, `node.jobs.queue` runs the lanes, and
`delivery_reports` shows the table to authors and staff. A row, its job and the row of its server always
change in one unit of work, so "delivered to 43 of 45 servers" is true after any crash.

             ┌─ try later ─┐
    queue ──►│   waiting   ├──► delivered   2xx
             └──────▲──────┼──► gone        404, 410: this inbox does not exist
                    │      └──► failed      any other final response, given up, or never tried
                    └─ retry, by the author or by staff, of what is gone or failed

Queued. `queue` adds a `waiting` row and a job `deliver` for each inbox. An inbox is `failed` without an
attempt if its server has not responded for 7 days and is still unavailable, or if it was gone within the
last hour.

Attempted. A host's deliveries are one lane: one at a time, in the order they were queued, so an edit never
overtakes its post. Before each request it is checked that the server is not blocked, the post not deleted,
and (for posts that are not public and have waited for a minute, and all that are retried by hand) that the
inbox is still among the recipients: else `failed`.

Server unavailable: no response, 408, 429, 502, 503, 504 (`record_unavailable`). The lane of the host pauses
for 30 seconds, twice as long after each failure in a row, up to 12 hours, give or take a fifth, and
longer if `Retry-After` says so, up to a day. Then its first job is the probe. The pause ends early when the
server sends us an activity, unless it had responded 429 (`server_availability.record_contact`).

Server available, but it fails on this activity: any other 5xx (`record_error_response`). The same pauses,
counted by the attempts of this delivery. At the third attempt, or at once if the inbox has a retry lane
already, it moves to the retry lane named "host inbox ordering-key": deliveries with the same ordering key
(one post, or two accounts) queue behind it, all others of the host go on. A retry lane neither counts
failures of the server nor runs while it is unavailable.

Error in this program (`record_local_error`). The same pauses by attempts; nothing is held against the
server.

Whatever failed once has the job kind `redeliver`, which has worker slots of its own (32, of 200 at most,
beside the 128 of `deliver`), so retries never take those of first attempts.

Given up. An attempt that fails more than 7 days after the delivery was queued is the last: `failed`. So is
everything that waits for a host when staff give it up or block it (`give_up_host`).

Retried by hand. `retry` queues failed and gone deliveries again, at the end of the host's lane and for
another 7 days, unless their author has since undone or replaced the activity; a post is rendered again as
it is now.

Forgotten. Finished rows are kept for 30 days; a waiting row is closed after 14, since its job is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from node.database import Writer
from node.federation import outbox, server_availability
from node.federation.outbox import OutgoingActivity
from node.federation.server_availability import GIVE_UP_AFTER_MS
from node.ids import id_at, new_id, now_ms
from node.jobs import lanes
from node.jobs import queue as jobs
from node.jobs.queue import Job

RETENTION_MS = 30 * 24 * 3600 * 1000
MAX_ATTEMPTS_IN_HOST_LANE = 3
MAX_RETRIED_ACTIVITIES = 200
MAX_ROWS_AT_ONCE = 500
REDELIVER_KIND = "redeliver"
"""The job kind of what has failed before."""


@dataclass(frozen=True, slots=True)
class QueuedDelivery:
    """A delivery with its claimed job. `id` is its row in `deliveries`.

    `queued_at` is when its week began, in milliseconds. `rerendered_at` is 0, or when a post was retried by
    hand: its document is then rendered again. `sends_follower_digest`: see `queue`.
    """

    job: Job
    id: int
    inbox: str
    host: str
    activity_id: int
    account_id: int
    ordering_key: str
    queued_at: int
    rerendered_at: int
    sends_follower_digest: bool

    @classmethod
    def from_job(cls, job: Job) -> QueuedDelivery:
        """Reads the payload that `_add_jobs` writes."""
        payload = job.payload
        return cls(
            job=job,
            id=payload["id"],
            inbox=payload["inbox"],
            host=payload["host"],
            activity_id=payload["sentence"],
            account_id=payload["by"],
            ordering_key=payload.get("about", str(payload["id"])),
            queued_at=payload["since"],
            rerendered_at=payload.get("anew", 0),
            sends_follower_digest=payload.get("synchronized", False),
        )

    @property
    def is_in_retry_lane(self) -> bool:
        return self.job.lane != self.host

    @property
    def retry_lane(self) -> str:
        """The lane for everything with the same ordering key that this inbox fails on."""
        return f"{self.host} {self.inbox} {self.ordering_key}"


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How a delivery ended: `state` is delivered, failed or gone. `has_responded`: the server is available.

    `status` is the last HTTP status, or None without a response.
    """

    delivery: QueuedDelivery
    state: str
    status: int | None
    reason: str
    has_responded: bool = True


def queue(
    tx: Writer,
    activity: OutgoingActivity,
    inboxes: Iterable[tuple[str, str]],
    *,
    sends_follower_digest: bool = False,
) -> int:
    """Adds a row and a job for each (inbox, host) that has no row yet; returns how many.

    `sends_follower_digest`: each request tells the server which followers of the author we believe it has
    (FEP-8fcf).
    """
    known = {
        row["inbox"] for row in tx.all("SELECT inbox FROM deliveries WHERE outbox_id = :id", id=activity.id)
    }
    now = now_ms()
    rows = [
        {"id": new_id(), "outbox_id": activity.id, "inbox": inbox, "host": host, "now": now}
        for inbox, host in dict.fromkeys(inboxes)
        if inbox not in known
    ]
    if rows:
        tx.many(
            """INSERT INTO deliveries (id, outbox_id, inbox, host, created_at)
               VALUES (:id, :outbox_id, :inbox, :host, :now)""",
            rows,
        )
        extra = {"synchronized": True} if sends_follower_digest else {}
        _add_jobs(tx, "deliver", activity, rows, {"since": now, **extra})
    return len(rows)


def _add_jobs(
    tx: Writer,
    kind: str,
    activity: OutgoingActivity,
    rows: Iterable[Mapping[str, Any]],
    extra: Mapping[str, Any],
) -> None:
    """Adds a job for each row, in the lane of its host; `QueuedDelivery.from_job` reads the payload."""
    shared = {
        "sentence": activity.id,
        "by": activity.account_id,
        "about": ordering_key(activity),
        **extra,
    }
    jobs.add_many(
        tx,
        kind,
        [
            ({"id": row["id"], "inbox": row["inbox"], "host": row["host"], **shared}, row["host"])
            for row in rows
        ],
    )


def ordering_key(activity: OutgoingActivity) -> str:
    """Returns the key of what must arrive in order: all activities about one post,
    or between two accounts."""
    if activity.post_id is not None:
        return f"post:{activity.post_id}"
    if activity.target_id is not None:
        return f"people:{activity.account_id}:{activity.target_id}"
    return f"person:{activity.account_id}"


def record_refused(
    tx: Writer, activity: OutgoingActivity, inboxes: Iterable[tuple[str, str]], reason: str
) -> None:
    """Records that these (inbox, host) are not even tried, and why."""
    now = now_ms()
    rows = [
        {"id": new_id(), "outbox_id": activity.id, "inbox": inbox, "host": host, "reason": reason, "now": now}
        for inbox, host in inboxes
    ]
    if rows:
        tx.many(
            """INSERT INTO deliveries (id, outbox_id, inbox, host, state, reason, created_at, finished_at)
               VALUES (:id, :outbox_id, :inbox, :host, 'failed', :reason, :now, :now)
               ON CONFLICT DO NOTHING""",
            rows,
        )


def record_results(tx: Writer, results: Iterable[DeliveryResult]) -> None:
    """Finishes deliveries, each once however often it is given; servers that responded are available."""
    by_job = {result.delivery.job.id: result for result in results}
    finished = jobs.finish_all(tx, [result.delivery.job for result in by_job.values()])
    ended = [by_job[id_] for id_ in finished]
    now = now_ms()
    tx.many(
        """UPDATE deliveries SET state = :state, status = :status, reason = :reason,
                  attempts = attempts + 1, finished_at = :now
           WHERE id = :id""",
        [
            {
                "id": result.delivery.id,
                "state": result.state,
                "status": result.status,
                "reason": result.reason[:500],
                "now": now,
            }
            for result in ended
        ],
    )
    available = {result.delivery.host for result in ended if result.has_responded}
    if available:
        server_availability.record_success(tx, available)


def move_to_retry_lane(tx: Writer, delivery: QueuedDelivery) -> None:
    """Queues a delivery behind one with the same ordering key that is in the retry lane already."""
    jobs.move_to_lane(tx, delivery.job, delivery.retry_lane, now_ms(), "", REDELIVER_KIND)


def record_unavailable(
    tx: Writer, delivery: QueuedDelivery, status: int | None, reason: str, retry_after_ms: int | None
) -> None:
    """Pauses the lane of a host, or gives up: its server did not respond, or says that it is unavailable.

    `retry_after_ms` is what the server asked for, in milliseconds from now.
    """
    if delivery.is_in_retry_lane:
        # The lane of the host probes the server; a retry lane only waits until it might be available again.
        at = now_ms() + server_availability.backoff_ms(delivery.job.attempts, retry_after_ms)
    else:
        at = server_availability.record_failure(
            tx, delivery.host, reason, retry_after_ms=retry_after_ms, is_rate_limited=status == 429
        )
    if not _give_up_if_expired(tx, delivery, status, reason, has_responded=False):
        _record_attempt(tx, delivery, status, reason)
        jobs.reschedule(tx, delivery.job, at, reason, REDELIVER_KIND)


def record_local_error(tx: Writer, delivery: QueuedDelivery, reason: str) -> None:
    """Tries a delivery again later, or gives up: this program failed, and nothing is known of the server."""
    if _give_up_if_expired(tx, delivery, None, reason, has_responded=False):
        return
    attempts = _record_attempt(tx, delivery, None, reason)
    at = now_ms() + server_availability.backoff_ms(attempts)
    jobs.reschedule(tx, delivery.job, at, reason, REDELIVER_KIND)


def record_error_response(tx: Writer, delivery: QueuedDelivery, status: int, reason: str) -> None:
    """Tries a delivery again later, or gives up: the server is available but fails on this activity."""
    if _give_up_if_expired(tx, delivery, status, reason, has_responded=True):
        return
    server_availability.record_success(tx, [delivery.host])
    attempts = _record_attempt(tx, delivery, status, reason)
    at = now_ms() + server_availability.backoff_ms(attempts)
    if delivery.is_in_retry_lane or (
        attempts < MAX_ATTEMPTS_IN_HOST_LANE
        and not lanes.has_sublane(tx, f"{delivery.host} {delivery.inbox}")
    ):
        jobs.reschedule(tx, delivery.job, at, reason, REDELIVER_KIND)
    else:
        jobs.move_to_lane(tx, delivery.job, delivery.retry_lane, at, reason, REDELIVER_KIND)


def _give_up_if_expired(
    tx: Writer, delivery: QueuedDelivery, status: int | None, reason: str, *, has_responded: bool
) -> bool:
    if now_ms() - delivery.queued_at <= GIVE_UP_AFTER_MS:
        return False
    record_results(tx, [DeliveryResult(delivery, "failed", status, reason, has_responded)])
    return True


def _record_attempt(tx: Writer, delivery: QueuedDelivery, status: int | None, reason: str) -> int:
    """Counts a failed attempt, after which another follows; returns how many there were."""
    attempts: int | None = tx.value(
        """UPDATE deliveries SET status = :status, reason = :reason, attempts = attempts + 1
           WHERE id = :id RETURNING attempts""",
        status=status,
        reason=reason[:500],
        id=delivery.id,
    )
    return attempts or 1


def retry(tx: Writer, activity: OutgoingActivity, *, host: str | None = None) -> int:
    """Queues the failed and gone deliveries of an activity again (to one host, or to all); returns how many.

    They go to the end of their host's lane, and have another week. An activity that was undone or replaced
    since is not sent again (0); a post is rendered again as it is now.
    """
    if outbox.is_superseded(tx, activity):
        return 0
    now = now_ms()
    rows = tx.all(
        """UPDATE deliveries SET state = 'waiting', created_at = :now, finished_at = NULL
           WHERE outbox_id = :activity AND state IN ('failed', 'gone') AND (:host = '' OR host = :host)
           RETURNING id, inbox, host""",
        activity=activity.id,
        host=host or "",
        now=now,
    )
    extra = {"since": now}
    if rows and activity.verb in ("Create", "Update"):
        outbox.clear_document(tx, activity)
        extra["anew"] = now
    _add_jobs(tx, REDELIVER_KIND, activity, rows, extra)
    return len(rows)


def retry_host(tx: Writer, host: str) -> int:
    """Retries the newest `MAX_RETRIED_ACTIVITIES` activities that failed at a host; counts the deliveries."""
    rows = tx.all(
        """SELECT DISTINCT outbox_id FROM deliveries WHERE host = :host AND state IN ('failed', 'gone')
           ORDER BY outbox_id DESC LIMIT :most""",
        host=host,
        most=MAX_RETRIED_ACTIVITIES,
    )
    found = (outbox.by_id(tx, row["outbox_id"]) for row in reversed(rows))
    return sum(retry(tx, activity, host=host) for activity in found if activity is not None)


def give_up_host(tx: Writer, host: str, reason: str) -> int:
    """Gives up everything that waits for a host, in all its lanes; returns how many deliveries."""
    jobs.delete_lanes(tx, host)
    return tx.run(
        """UPDATE deliveries SET state = 'failed', reason = :reason, finished_at = :now
           WHERE host = :host AND state = 'waiting'""",
        host=host,
        reason=reason,
        now=now_ms(),
    )


def clean_up(tx: Writer, now: int, after: int | None) -> int | None:
    """Deletes the old finished rows among the next, closes old waiting ones whose job is lost.

    Returns where to go on, None at the end.
    """
    lost_before, old_before = now - 2 * GIVE_UP_AFTER_MS, now - RETENTION_MS
    rows = tx.all(
        """SELECT id, state, created_at, finished_at FROM deliveries
           WHERE id > :after AND id < :end ORDER BY id LIMIT :most""",
        after=after or 0,
        end=id_at(lost_before),
        most=MAX_ROWS_AT_ONCE,
    )
    tx.run(
        "UPDATE deliveries SET state = 'failed', finished_at = :now WHERE id IN (:ids)",
        now=now,
        ids=[row["id"] for row in rows if row["state"] == "waiting" and row["created_at"] < lost_before],
    )
    old = [row["id"] for row in rows if row["state"] != "waiting" and (row["finished_at"] or 0) < old_before]
    tx.run("DELETE FROM deliveries WHERE id IN (:ids)", ids=old)
    return rows[-1]["id"] if rows else None
