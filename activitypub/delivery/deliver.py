"""Jobs `deliver` and `redeliver`: send one document to one inbox, signed anew at each attempt.

    2xx                              delivered
    404, 410                         that inbox is gone
    401, 403                         once more with the other kind of signature, then failed
                                     (400 too, if it is about the signature)
    408, 429, 502, 503, 504, none    the server is unavailable: later
    other 5xx                        the server fails on this activity: later
    any other                        failed: sending the same again would not help

What "later" means, and the order of deliveries, is told in `node.federation.deliveries`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from email.utils import parsedate_to_datetime

from activitypub.client import signature_style, signing_keys
from activitypub.client.client import PostResponse, Unfetchable
from activitypub.delivery.batch_lookups import BatchLookups, DeliveryLookup
from activitypub.documents.private_media import bind_to_server
from activitypub.signatures import SIGNERS, SigningKey
from activitypub.signatures.follower_digest import HEADER
from activitypub.uris import Malformed
from node.errors import DatabaseUnavailable
from node.federation import deliveries
from node.federation.deliveries import QueuedDelivery
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.node import Node

log = logging.getLogger("tintype.delivery")

UNAVAILABLE_STATUSES = frozenset({408, 429, 502, 503, 504})
"""Responses that say the server itself is unavailable, whatever is sent."""

MAX_RETRY_AFTER_SECONDS = 7 * 86_400


async def deliver(node: Node, job: Job) -> bool:
    """Delivers an activity to one inbox.

    Returns True always: the unit of work that records what became of it finishes the job, or puts it off.
    """
    delivery = QueuedDelivery.from_job(job)
    try:
        await _deliver(node, node.component(BatchLookups), delivery)
    except DatabaseUnavailable:
        raise  # the worker runs the job again when the database answers
    except Exception as error:
        # An error in this program must not cost the delivery: it has its week like any other.
        log.exception("activity %s could not be sent to %s", delivery.activity_id, delivery.inbox)
        reason = f"{type(error).__name__}: {error}"
        await node.db.write(deliveries.record_local_error, delivery, reason)
    return True


async def _deliver(node: Node, lookups: BatchLookups, delivery: QueuedDelivery) -> None:
    lookup = await lookups.look_up(delivery)
    if refusal := _refusal(lookup):
        await lookups.record_result(delivery, "failed", None, refusal, has_responded=False)
    elif lookup.is_queued_behind:
        await node.db.write(deliveries.move_to_retry_lane, delivery)
    elif lookup.unavailable_until:
        reason = "the server asked to be left alone"
        await node.db.write(
            queue.reschedule, delivery.job, lookup.unavailable_until, reason, deliveries.REDELIVER_KIND
        )
    else:
        await _send(node, lookups, delivery, lookup)


def _refusal(lookup: DeliveryLookup) -> str:
    """Returns why a delivery must not be sent any more, or ''."""
    if lookup.is_blocked:
        return "this node does not exchange anything with that server"
    if lookup.is_withdrawn:
        return "the post has been deleted or hidden since"
    if lookup.is_excluded:
        return "nobody there may see the post any more"
    return ""


async def _send(node: Node, lookups: BatchLookups, delivery: QueuedDelivery, lookup: DeliveryLookup) -> None:
    body, key = await lookups.load_body(delivery, lookup), await lookups.load_key(delivery, lookup)
    if body is None or key is None:
        reason = "there is nothing left to send" if body is None else "the sender has no key any more"
        await lookups.record_result(delivery, "failed", None, reason, has_responded=False)
        return
    try:
        body = bind_to_server(node.site, body, delivery.host)
        response = await _post_with_fallback(node, delivery, lookup, key, body)
    except (Unfetchable, Malformed) as error:
        if isinstance(error, Unfetchable) and error.temporary:
            await lookups.record_unavailable(delivery, None, error.reason, None)
        else:
            reason = error.reason if isinstance(error, Unfetchable) else str(error)
            await lookups.record_result(delivery, "failed", None, reason, has_responded=False)
        return
    await _record_response(node, lookups, delivery, response)


async def _record_response(
    node: Node, lookups: BatchLookups, delivery: QueuedDelivery, response: PostResponse
) -> None:
    status = response.status
    reason = f"answered {status}: {response.body}"[:300]
    if 200 <= status < 300:
        await lookups.record_result(delivery, "delivered", status, "", has_responded=True)
    elif status in (404, 410):
        await lookups.record_result(delivery, "gone", status, reason, has_responded=True)
    elif status in UNAVAILABLE_STATUSES:
        retry_after_ms = _retry_after_ms(response.headers.get("Retry-After"))
        await lookups.record_unavailable(delivery, status, reason, retry_after_ms)
    elif status >= 500:
        await node.db.write(deliveries.record_error_response, delivery, status, reason)
    else:
        await lookups.record_result(delivery, "failed", status, reason, has_responded=True)


async def _post_with_fallback(
    node: Node, delivery: QueuedDelivery, lookup: DeliveryLookup, key: SigningKey, body: bytes
) -> PostResponse:
    """Posts the body; if the signature is rejected, again in the other style,
    at last with the previous key."""
    first = await _post(node, delivery, lookup, lookup.signature_style, key, body)
    if not signature_style.is_rejection(first.status, first.headers, first.body):
        return first
    style = signature_style.other(lookup.signature_style)
    second = await _post(node, delivery, lookup, style, key, body)
    if 200 <= second.status < 300:
        await signature_style.remember(node, delivery.host, style)
        return second
    previous = await signing_keys.previous_key(node, delivery.account_id)
    if previous is not None:
        third = await _post(node, delivery, lookup, lookup.signature_style, previous, body)
        if 200 <= third.status < 300:
            return third
    return first


async def _post(
    node: Node, delivery: QueuedDelivery, lookup: DeliveryLookup, style: str, key: SigningKey, body: bytes
) -> PostResponse:
    extra = ((HEADER, lookup.synchronization_header),) if lookup.synchronization_header else ()
    headers = SIGNERS[style](key, "POST", delivery.inbox, body, time.time(), extra)
    # Whatever is ready is signed before the first is posted: RSA drives the rest out of the processor's caches.
    await asyncio.sleep(0)
    response: PostResponse = await node.client.post(delivery.inbox, body, headers, check_blocked=False)
    return response


def _retry_after_ms(value: str | None) -> int | None:
    """Converts a `Retry-After` (seconds, or a date) to milliseconds from now; None for anything else."""
    if value is None:
        return None
    if value.isascii() and value.strip().isdigit():
        return min(int(value.strip()[:8]), MAX_RETRY_AFTER_SECONDS) * 1000
    try:
        return max(0, int(parsedate_to_datetime(value).timestamp() * 1000) - now_ms())
    except (ValueError, TypeError, OverflowError):
        return None
