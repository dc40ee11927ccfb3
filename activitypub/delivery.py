"""Job `deliver`: one document to one inbox, signed anew at each try, and what the answer means.

    2xx            delivered
    404, 410       that inbox is gone
    401, 403       once more with the other kind of signature, then failed
    408, 429, 5xx  tried again later, and so is silence
    other 4xx      failed: the same words will not be liked better later

A server's deliveries are one lane, in order, so an edit never overtakes the post. While it does not answer
at all the whole lane sleeps, up to a week. A document that makes an otherwise healthy server stumble steps
out of the lane after a few tries, so that it does not hold up the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

from activitypub import signing_keys
from activitypub.client import Unfetchable
from activitypub.memory import Memory
from activitypub.signatures import SigningKey, sign_cavage, sign_rfc9421
from activitypub.uris import Malformed
from node import deliveries, hosts, jobs, outbox
from node.database import Reader, Writer
from node.errors import NotFound
from node.ids import now_ms
from node.jobs import Job, Later
from node.node import Node

TRIES_IN_LINE = 4
AWAY = frozenset({408, 429, 502, 503, 504})
"""Answers that say the server itself is not there, whatever is sent."""


async def deliver(node: Node, job: Job) -> None:
    body = await _body(node, job.payload["sentence"])
    if body is None:
        await node.db.write(_close, job, "failed", None, "the words are gone")
        return
    try:
        key = await signing_keys.of_account(node, job.payload["by"])
    except NotFound:
        await node.db.write(_close, job, "failed", None, "the sender has no key any more")
        return
    try:
        answer = await _knock(node, job.payload, key, body)
    except (Unfetchable, Malformed) as error:
        if isinstance(error, Unfetchable) and error.temporary:
            await _put_off(node, _silent, job, None, error.reason, None)
        else:
            reason = error.reason if isinstance(error, Unfetchable) else str(error)
            await node.db.write(_close, job, "failed", None, reason)
        return
    status = answer.status
    reason = f"answered {status}: {answer.body}"[:300]
    if 200 <= status < 300:
        await node.db.write(_close, job, "delivered", status, "")
    elif status in (404, 410):
        await node.db.write(_close, job, "gone", status, reason)
    elif status in AWAY:
        retry_after = _retry_after(answer.headers.get("Retry-After"))
        await _put_off(node, _silent, job, status, reason, retry_after)
    elif status >= 500:
        await _put_off(node, _stumbled, job, status, reason)
    else:
        await node.db.write(_close, job, "failed", status, reason)


async def _body(node: Node, sentence_id: int) -> bytes | None:
    memory = node.part(Memory)
    body = memory.sentences.get(sentence_id)
    if body is None:
        document = await node.db.read(_document, sentence_id)
        if document is None:
            return None
        body = document.encode()
        memory.sentences.put(sentence_id, body)
    return body


def _document(tx: Reader, sentence_id: int) -> str | None:
    sentence = outbox.by_id(tx, sentence_id)
    return None if sentence is None else sentence.document


async def _knock(node: Node, payload: dict[str, Any], key: SigningKey, body: bytes) -> Any:
    """POST, and if the signature is not understood, once more in the other dialect."""
    memory = node.part(Memory)
    host, inbox = payload["host"], payload["inbox"]
    style = memory.styles.get(host)
    if style is None:
        style = await node.db.read(hosts.style, host)
        memory.styles.put(host, style)
    first, second = (sign_cavage, sign_rfc9421) if style == "cavage" else (sign_rfc9421, sign_cavage)
    answer = await node.client.post(inbox, body, first(key, "POST", inbox, body, time.time()))
    if answer.status not in (401, 403):
        return answer
    again = await node.client.post(inbox, body, second(key, "POST", inbox, body, time.time()))
    if not 200 <= again.status < 300:
        return answer
    style = "rfc9421" if style == "cavage" else "cavage"
    memory.styles.put(host, style)
    await node.db.write(hosts.prefers, host, style)
    return again


def _close(tx: Writer, job: Job, state: str, status: int | None, reason: str) -> None:
    if not jobs.finish(tx, job):
        return
    deliveries.close(tx, job.payload["id"], state, status=status, reason=reason)
    if state in ("delivered", "gone"):
        hosts.answered(tx, job.payload["host"])


async def _put_off(
    node: Node, judge: Callable[..., int | None], job: Job, status: int | None, reason: str, *more: int | None
) -> None:
    at = await node.db.write(judge, job, status, reason, *more)
    if at is not None:
        raise Later(at, reason)


def _silent(tx: Writer, job: Job, status: int | None, reason: str, retry_after: int | None) -> int | None:
    """The server is not there: its lane sleeps until the time returned, unless it was silent for a week."""
    at = hosts.failed(tx, job.payload["host"], reason, retry_after_ms=retry_after)
    if _given_up(tx, job, status, reason):
        return None
    deliveries.tried(tx, job.payload["id"], status=status, reason=reason)
    return at


def _stumbled(tx: Writer, job: Job, status: int, reason: str) -> int | None:
    """The server is there but cannot take these words: later, and after some tries out of the others' way."""
    hosts.answered(tx, job.payload["host"])
    if _given_up(tx, job, status, reason):
        return None
    tries = deliveries.tried(tx, job.payload["id"], status=status, reason=reason)
    at = now_ms() + hosts.pause_ms(tries)
    aside = f"{job.payload['host']} {job.payload['id']}"
    if tries < TRIES_IN_LINE or job.lane == aside:
        return at
    if jobs.finish(tx, job):
        jobs.add(tx, "deliver", job.payload, lane=aside, run_at=at)
    return None


def _given_up(tx: Writer, job: Job, status: int | None, reason: str) -> bool:
    if now_ms() - job.payload["since"] <= hosts.GIVEN_UP_AFTER_MS:
        return False
    _close(tx, job, "failed", status, reason)
    return True


def _retry_after(value: str | None) -> int | None:
    """`Retry-After` in milliseconds from now: seconds, or a date."""
    if value is None:
        return None
    if value.strip().isdigit():
        return min(int(value.strip()[:8]), 7 * 86_400) * 1000
    try:
        return max(0, int(parsedate_to_datetime(value).timestamp() * 1000) - now_ms())
    except (ValueError, TypeError, OverflowError):
        return None
