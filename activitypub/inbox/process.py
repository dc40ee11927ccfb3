"""Job `receive`: what the inbox accepted is done, many activities in one unit of work.

Nothing waits for the network here. An activity that needs something from another server becomes a job
`fetch` in that server's own lane, so a slow server delays only what needs it. An activity that fails takes
nobody with it: the worker tries the batch again one by one.
"""

from __future__ import annotations

import logging
from typing import Any

from activitypub import vocab
from activitypub.client import signing_keys
from activitypub.client.cache import FederationCache
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget
from activitypub.handlers.received_activity import Ignored, NeedsFetch, ReceivedActivity, dedup_key
from activitypub.handlers.registry import handle_activity
from activitypub.inbox import forwarding
from activitypub.remote import notes as remote_notes
from activitypub.signatures import SigningKey
from activitypub.uris import Malformed, host_of
from activitypub.vocab import Activity, Note
from node.accounts import accounts
from node.database import Writer
from node.errors import Refused
from node.federation import recipients, seen_activities, server_availability
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.models.account import Account
from node.node import Node

log = logging.getLogger("tintype.inbox")

MAX_ATTEMPTS = 4
MAX_FETCHES = 5
"""Requests for the post itself: its author may have to be asked for too, in both kinds of signature."""


async def process_batch(node: Node, batch: list[Job]) -> None:
    gone = node.component(FederationCache).gone_inboxes
    for inbox in await node.db.write(_process_batch, batch):
        gone.forget(inbox)


def _process_batch(tx: Writer, batch: list[Job]) -> set[str]:
    """The inboxes of those who said something: whatever was believed of them, they are there."""
    people = accounts.by_ids(tx, {job.payload["by"] for job in batch})
    queue.finish_all(tx, batch)
    _handle_all(tx, batch, people, {})
    server_availability.record_contact(tx, {job.payload["host"] for job in batch})
    return {inbox for by in people.values() if not by.is_inactive for inbox in (by.inbox, by.shared_inbox)}


def _handle_all(
    tx: Writer,
    batch: list[Job],
    people: dict[int, Account],
    fetched: dict[str, tuple[Note, Account] | None],
) -> None:
    read = [(job.payload, *found) for job in batch if (found := _parse(job.payload, people)) is not None]
    named = [dedup_key(by, activity.id) for _, activity, by in read if activity.id is not None]
    with seen_activities.unseen_activities(tx, named) as unheard:
        for payload, activity, by in read:
            _handle(tx, payload, ReceivedActivity(activity, people[by.id], unheard, fetched))
            if activity.type == "Delete":
                # It may have been a farewell: what else they say in this batch comes too late.
                people[by.id] = accounts.get(tx, by.id)


def _parse(payload: dict[str, Any], people: dict[int, Account]) -> tuple[Activity, Account] | None:
    """The activity and who said it; None, and a line in the log, for what is neither one nor theirs."""
    by = people.get(payload["by"])
    if by is None:
        return None
    try:
        activity = vocab.parse_activity(payload["doc"])
    except Malformed as reason:
        _log_ignored(payload, by, reason)
        return None
    if activity.actor != by.uri:
        _log_ignored(payload, by, "the actor is not who signed")
        return None
    return activity, by


def _handle(tx: Writer, payload: dict[str, Any], heard: ReceivedActivity) -> None:
    try:
        handle_activity(tx, heard)
        forwarding.forward_to_followers(tx, heard.activity, heard.actor)
    except NeedsFetch as needs:
        try:
            lane = f"fetch {host_of(needs.uri)}"
        except Malformed:
            return
        queue.add(tx, "fetch", {**payload, "uri": needs.uri}, lane=lane)
    except (Ignored, Malformed, Refused) as reason:
        _log_ignored(payload, heard.actor, reason)


def _log_ignored(payload: dict[str, Any], by: Account, reason: object) -> None:
    said = payload["doc"]
    log.info("%s %s from %s ignored: %s", said.get("type"), said.get("id"), by.uri, reason)


async def fetch_and_process(node: Node, job: Job) -> None:
    """Job `fetch`: get what an activity needs from the server it belongs to, then do the activity."""
    uri = job.payload["uri"]
    found: tuple[Note, Account] | None = None
    try:
        key = await _signing_key_for_fetch(node, job)
        found = await remote_notes.fetch(node, uri, key=key, budget=FetchBudget(MAX_FETCHES))
    except Unfetchable as error:
        if error.temporary and job.attempts < MAX_ATTEMPTS:
            raise queue.RetryLater(now_ms() + (30_000 << (2 * job.attempts)), error.reason) from error
        log.info("%s could not be fetched: %s", uri, error.reason)
    except (Malformed, Refused) as error:
        log.info("%s is of no use: %s", uri, error)
    await node.db.write(_process_fetched, job, {uri: found})


async def _signing_key_for_fetch(node: Node, job: Job) -> SigningKey | None:
    """What is not open is asked for by somebody here it is meant for; None: by the node."""
    activity = vocab.parse_activity(job.payload["doc"])
    told = [*activity.to, *activity.cc]
    if vocab.PUBLIC in told:
        return None
    reader = await node.db.read(recipients.local_reader, job.payload["by"], told)
    return None if reader is None else await signing_keys.by_account(node, reader)


def _process_fetched(tx: Writer, job: Job, fetched: dict[str, tuple[Note, Account] | None]) -> None:
    by = accounts.by_id(tx, job.payload["by"])
    if queue.finish(tx, job) and by is not None:
        _handle_all(tx, [job], {by.id: by}, fetched)
