"""Job `fan_out`: a sentence is written as a document once, and one delivery is queued per inbox.

The rendered bytes are kept, so every server and every retry hears the same. The ledger's rows, the jobs and
the end of this job are one unit of work: a crash before it changes nothing, after it nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Collection

from activitypub.client.cache import Memory
from activitypub.delivery import audience
from activitypub.documents import activities
from node.accounts import accounts
from node.database import Reader, Writer
from node.federation import deliveries, outbox, server_availability
from node.federation.outbox import Sentence
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.node import Node

Plan = tuple[Sentence, bytes, list[tuple[str, str]], bool]
"""A sentence, its document, its inboxes with their hosts, and whether the followers are to be compared."""


async def fan_out(node: Node, job: Job) -> bool:
    """True when the job was finished with what it queued."""
    memory = node.part(Memory)
    # What was just said may have changed what we answer about ourselves.
    memory.answers.clear()
    planned = await node.db.read(plan, job.payload["id"])
    if planned is None:
        return False
    sentence, body, inboxes, _ = planned
    memory.sentences.put((sentence.id, 0), body)
    # Who has answered lately goes first, so that nobody waits behind servers that may not be there at all.
    inboxes.sort(key=lambda one: memory.awake.get(one[1]) is None)
    gone = {inbox for inbox, _ in inboxes if memory.gone.get(inbox)}
    await node.db.write(_queue, job, planned, gone)
    return True


def plan(tx: Reader, id_: int) -> Plan | None:
    """The sentence, its document and where it goes; None when there is nobody to tell, or nothing left to say."""
    sentence = outbox.by_id(tx, id_)
    who = None if sentence is None else accounts.by_id(tx, sentence.account_id)
    if sentence is None or who is None:
        return None
    inboxes = audience.inboxes(tx, sentence, who)
    if not inboxes:
        return None
    is_compared = audience.is_for_followers(tx, sentence)
    body = activities.words(tx, sentence, who)
    return None if body is None else (sentence, body, inboxes, is_compared)


def _queue(tx: Writer, job: Job, planned: Plan, gone: Collection[str]) -> None:
    if not queue.finish(tx, job):
        return
    sentence, body, inboxes, is_compared = planned
    outbox.keep_document(tx, sentence, body.decode())
    asleep = server_availability.given_up(tx, {host for _, host in inboxes}, now_ms())
    awake = [(inbox, host) for inbox, host in inboxes if host not in asleep and inbox not in gone]
    deliveries.queue(tx, sentence, awake, is_synchronized=is_compared)
    deliveries.refuse(
        tx,
        sentence,
        [(inbox, host) for inbox, host in inboxes if host in asleep],
        "the server has not answered for a week",
    )
    deliveries.refuse(
        tx,
        sentence,
        [(inbox, host) for inbox, host in inboxes if inbox in gone and host not in asleep],
        "the inbox was gone within the last hour",
    )
