"""Job `receive`: processes the activities that the inbox accepted, many in one unit of work, as long as it is short.

Nothing here waits for the network. An activity that needs an object from another server becomes a `fetch` job
in that server's own lane, so a slow server delays only what needs it. An activity that fails does not take the
others with it: the worker retries the jobs of the batch one by one.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from activitypub import vocab
from activitypub.client import signing_keys
from activitypub.client.cache import FederationCache
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget
from activitypub.handlers.received_activity import Ignored, NeedsFetch, ReceivedActivity
from activitypub.handlers.registry import handle_activity, keys_of
from activitypub.inbox import forwarding
from activitypub.remote import notes as remote_notes
from activitypub.signatures import SigningKey
from activitypub.uris import Malformed, host_of
from activitypub.vocab import Activity, Note
from node.accounts import accounts
from node.database import Writer
from node.errors import Refused
from node.federation import recipients, seen_activities, server_availability
from node.federation.seen_activities import SeenRequest
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.models.account import Account
from node.node import Node

log = logging.getLogger("tintype.inbox")

MAX_ATTEMPTS = 4
MAX_FETCHES = 5
"""Requests per fetched post: its author may have to be fetched too, in both kinds of signature."""


UNIT_SECONDS = 1.0
"""After so long, the rest of a batch is another unit of work: others wait for the rows that one has changed."""


async def process_batch(node: Node, batch: list[Job]) -> None:
    """Processes `receive` jobs, and makes the inboxes of their actors available for deliveries again."""
    gone = node.component(FederationCache).gone_inboxes
    while batch:
        number, inboxes = await node.db.write(_process_first, batch)
        batch = batch[number:]
        for inbox in inboxes:
            gone.forget(inbox)


def _process_first(tx: Writer, batch: list[Job]) -> tuple[int, set[str]]:
    """Processes the first jobs of a batch. Returns their number, and the inboxes of the active actors: whatever
    became of their activities, those inboxes exist."""
    actors = accounts.by_ids(tx, {job.payload["by"] for job in batch})
    if len(batch) == 1 and not queue.finish(tx, batch[0]):
        return 1, set()  # done in a batch that failed later
    number = _handle_all(tx, batch, actors, {})
    if len(batch) > 1:
        queue.finish_all(tx, batch[:number])
    server_availability.record_contact(tx, {job.payload["host"] for job in batch[:number]})
    return number, {
        inbox
        for actor in actors.values()
        if not actor.is_inactive
        for inbox in (actor.inbox, actor.shared_inbox)
    }


def _handle_all(
    tx: Writer,
    batch: list[Job],
    actors: dict[int, Account],
    fetched: dict[str, tuple[Note, Account] | None],
) -> int:
    """Handles the activities of a batch, until it has taken too long; returns how many jobs are done."""
    ends = time.monotonic() + UNIT_SECONDS
    parsed = [
        (number, job.payload, *found)
        for number, job in enumerate(batch, 1)
        if (found := _parse(job.payload, actors)) is not None
    ]
    requests: dict[str, SeenRequest] = {}
    for _, payload, activity, actor in parsed:
        requests |= keys_of(actor, activity, payload.get("signed_at", 0)).requests()
    with seen_activities.unseen_activities(tx, requests) as unseen:
        for number, payload, activity, actor in parsed:
            received = ReceivedActivity(
                activity, actors[actor.id], unseen, fetched, payload.get("signed_at", 0)
            )
            _handle(tx, payload, received)
            if activity.type == "Delete":
                # If it deleted the account, the rest of the actor's activities in this batch is ignored.
                actors[actor.id] = accounts.get(tx, actor.id)
            if time.monotonic() > ends:
                return number
    return len(batch)


def _parse(payload: dict[str, Any], actors: dict[int, Account]) -> tuple[Activity, Account] | None:
    """Returns the activity and its verified actor; None, with a line in the log,
    if it is malformed or another actor's."""
    actor = actors.get(payload["by"])
    if actor is None:
        return None
    try:
        activity = vocab.parse_activity(payload["doc"])
    except Malformed as reason:
        _log_ignored(payload, actor, reason)
        return None
    if activity.actor != actor.uri:
        _log_ignored(payload, actor, "the signature is not by the actor")
        return None
    return activity, actor


def _handle(tx: Writer, payload: dict[str, Any], received: ReceivedActivity) -> None:
    try:
        handle_activity(tx, received)
        forwarding.forward_to_followers(tx, received.activity, received.actor)
    except NeedsFetch as needs:
        try:
            lane = f"fetch {host_of(needs.uri)}"
        except Malformed:
            return
        queue.add(tx, "fetch", {**payload, "uri": needs.uri}, lane=lane)
    except (Ignored, Malformed, Refused) as reason:
        _log_ignored(payload, received.actor, reason)


def _log_ignored(payload: dict[str, Any], actor: Account, reason: object) -> None:
    doc = payload["doc"]
    log.info("%s %s from %s ignored: %s", doc.get("type"), doc.get("id"), actor.uri, reason)


async def fetch_and_process(node: Node, job: Job) -> None:
    """Job `fetch`: fetches the object that an activity needs from its own server, then processes the activity."""
    uri = job.payload["uri"]
    fetched: tuple[Note, Account] | None = None
    try:
        key = await _signing_key_for_fetch(node, job)
        fetched = await remote_notes.fetch(node, uri, key=key, budget=FetchBudget(MAX_FETCHES))
    except Unfetchable as error:
        if error.temporary and job.attempts < MAX_ATTEMPTS:
            raise queue.RetryLater(now_ms() + (30_000 << (2 * job.attempts)), error.reason) from error
        log.info("%s could not be fetched: %s", uri, error.reason)
    except (Malformed, Refused) as error:
        log.info("%s is not usable: %s", uri, error)
    await node.db.write(_process_fetched, job, {uri: fetched})


async def _signing_key_for_fetch(node: Node, job: Job) -> SigningKey | None:
    """Returns the key of a local account that a non-public object is addressed to; None signs as the node."""
    activity = vocab.parse_activity(job.payload["doc"])
    addressed = [*activity.to, *activity.cc]
    if vocab.PUBLIC in addressed:
        return None
    reader = await node.db.read(recipients.local_reader, job.payload["by"], addressed)
    return None if reader is None else await signing_keys.by_account(node, reader)


def _process_fetched(tx: Writer, job: Job, fetched: dict[str, tuple[Note, Account] | None]) -> None:
    actor = accounts.by_id(tx, job.payload["by"])
    if queue.finish(tx, job) and actor is not None:
        _handle_all(tx, [job], {actor.id: actor}, fetched)
