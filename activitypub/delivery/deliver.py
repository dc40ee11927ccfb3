"""Jobs `deliver` and `redeliver`: one document to one inbox, signed anew at each try, and what the answer means.

    2xx            delivered
    404, 410       that inbox is gone
    401, 403       once more with the other kind of signature, then failed (400 too, if it speaks of signatures)
    408, 429, 5xx  tried again later, and so is silence
    other 4xx      failed: the same words will not be liked better later

A server's deliveries are one lane, in order, so an edit never overtakes the post. `node.federation.delivery_results` says what
waits for what when something does not work.
"""

from __future__ import annotations

import asyncio
import logging
import time
from email.utils import parsedate_to_datetime

from activitypub.client import signature_style, signing_keys
from activitypub.client.client import Answer, Unfetchable
from activitypub.delivery.batch_lookups import Desk, Facts
from activitypub.signatures import SIGN, SigningKey
from activitypub.signatures.follower_digest import HEADER
from activitypub.uris import Malformed
from node.federation import delivery_results
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.node import Node

log = logging.getLogger("tintype.delivery")

AWAY = frozenset({408, 429, 502, 503, 504})
"""Answers that say the server itself is not there, whatever is sent."""

LONGEST_WAIT = 7 * 86_400


async def deliver(node: Node, job: Job) -> bool:
    """Always True: the job is finished, or put off, in the unit that writes down what became of it."""
    try:
        await _deliver(node, node.part(Desk), job)
    except Exception as error:
        # A fault of our own must not cost the letter: it has its week like any other.
        log.exception("%s could not be sent to %s", job.payload["sentence"], job.payload["inbox"])
        await node.db.write(delivery_results.hiccup, job, f"{type(error).__name__}: {error}")
    return True


async def _deliver(node: Node, desk: Desk, job: Job) -> None:
    facts = await desk.look(job)
    if facts.is_blocked:
        await desk.over(
            job, "failed", None, "this node does not exchange anything with that server", answered=False
        )
    elif facts.is_withdrawn:
        await desk.over(job, "failed", None, "the post has been deleted or hidden since", answered=False)
    elif facts.is_left_out:
        reason = "nobody there may see the post any more"
        await desk.over(job, "failed", None, reason, answered=False)
    elif facts.is_behind:
        await node.db.write(delivery_results.step_aside, job)
    elif facts.asleep_until:
        reason = "the server asked to be left alone"
        await node.db.write(queue.retry, job, facts.asleep_until, reason, delivery_results.AGAIN)
    else:
        await _send(node, desk, job, facts)


async def _send(node: Node, desk: Desk, job: Job, facts: Facts) -> None:
    body, key = await desk.body(job, facts), await desk.key(job, facts)
    if body is None or key is None:
        reason = "the words are gone" if body is None else "the sender has no key any more"
        await desk.over(job, "failed", None, reason, answered=False)
        return
    try:
        answer = await _knock(node, job, facts, key, body)
    except (Unfetchable, Malformed) as error:
        if isinstance(error, Unfetchable) and error.temporary:
            await desk.silent(job, None, error.reason, None)
        else:
            reason = error.reason if isinstance(error, Unfetchable) else str(error)
            await desk.over(job, "failed", None, reason, answered=False)
        return
    status = answer.status
    reason = f"answered {status}: {answer.body}"[:300]
    if 200 <= status < 300:
        await desk.over(job, "delivered", status, "", answered=True)
    elif status in (404, 410):
        await desk.over(job, "gone", status, reason, answered=True)
    elif status in AWAY:
        wait = _retry_after(answer.headers.get("Retry-After"))
        await desk.silent(job, status, reason, wait)
    elif status >= 500:
        await node.db.write(delivery_results.stumbled, job, status, reason)
    else:
        await desk.over(job, "failed", status, reason, answered=True)


async def _knock(node: Node, job: Job, facts: Facts, key: SigningKey, body: bytes) -> Answer:
    """POST, and if the signature is not taken, once more in the other dialect; last with the key before this."""
    host: str = job.payload["host"]
    answer = await _post(node, job, facts, facts.style, key, body)
    if not signature_style.is_refusal(answer.status, answer.headers, answer.body):
        return answer
    style = signature_style.other(facts.style)
    again = await _post(node, job, facts, style, key, body)
    if 200 <= again.status < 300:
        await signature_style.learned(node, host, style)
        return again
    former = await signing_keys.replaced_of(node, job.payload["by"])
    if former is not None:
        last = await _post(node, job, facts, facts.style, former, body)
        if 200 <= last.status < 300:
            return last
    return answer


async def _post(node: Node, job: Job, facts: Facts, style: str, key: SigningKey, body: bytes) -> Answer:
    inbox: str = job.payload["inbox"]
    more = ((HEADER, facts.synchronization),) if facts.synchronization else ()
    headers = SIGN[style](key, "POST", inbox, body, time.time(), more)
    # Whatever is ready is signed before the first is posted: RSA drives the rest out of the processor's caches.
    await asyncio.sleep(0)
    answer: Answer = await node.client.post(inbox, body, headers, is_judged=False)
    return answer


def _retry_after(value: str | None) -> int | None:
    """`Retry-After` in milliseconds from now: seconds, or a date."""
    if value is None:
        return None
    if value.isascii() and value.strip().isdigit():
        return min(int(value.strip()[:8]), LONGEST_WAIT) * 1000
    try:
        return max(0, int(parsedate_to_datetime(value).timestamp() * 1000) - now_ms())
    except (ValueError, TypeError, OverflowError):
        return None
