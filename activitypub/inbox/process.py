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
from activitypub.client.cache import Memory
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import Budget
from activitypub.handlers.received_activity import Heard, Ignored, Needs, seen_as
from activitypub.handlers.registry import perform
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

MOST_TRIES = 4
MOST_FIRST = 5
"""Requests for the post itself: its author may have to be asked for too, in both kinds of signature."""


async def receive(node: Node, batch: list[Job]) -> None:
    gone = node.part(Memory).gone
    for inbox in await node.db.write(_receive, batch):
        gone.forget(inbox)


def _receive(tx: Writer, batch: list[Job]) -> set[str]:
    """The inboxes of those who said something: whatever was believed of them, they are there."""
    people = accounts.by_ids(tx, {job.payload["by"] for job in batch})
    queue.finish_all(tx, batch)
    _perform_all(tx, batch, people, {})
    server_availability.knocked(tx, {job.payload["host"] for job in batch})
    return {inbox for by in people.values() if not by.is_gone for inbox in (by.inbox, by.shared_inbox)}


def _perform_all(
    tx: Writer,
    batch: list[Job],
    people: dict[int, Account],
    fetched: dict[str, tuple[Note, Account] | None],
) -> None:
    read = [(job.payload, *found) for job in batch if (found := _read(job.payload, people)) is not None]
    named = [seen_as(by, activity.id) for _, activity, by in read if activity.id is not None]
    with seen_activities.first_heard(tx, named) as unheard:
        for payload, activity, by in read:
            _perform(tx, payload, Heard(activity, people[by.id], unheard, fetched))
            if activity.type == "Delete":
                # It may have been a farewell: what else they say in this batch comes too late.
                people[by.id] = accounts.get(tx, by.id)


def _read(payload: dict[str, Any], people: dict[int, Account]) -> tuple[Activity, Account] | None:
    """The activity and who said it; None, and a line in the log, for what is neither one nor theirs."""
    by = people.get(payload["by"])
    if by is None:
        return None
    try:
        activity = vocab.activity(payload["doc"])
    except Malformed as reason:
        _ignored(payload, by, reason)
        return None
    if activity.actor != by.uri:
        _ignored(payload, by, "the actor is not who signed")
        return None
    return activity, by


def _perform(tx: Writer, payload: dict[str, Any], heard: Heard) -> None:
    try:
        perform(tx, heard)
        forwarding.pass_on(tx, heard.activity, heard.by)
    except Needs as needs:
        try:
            lane = f"fetch {host_of(needs.uri)}"
        except Malformed:
            return
        queue.add(tx, "fetch", {**payload, "uri": needs.uri}, lane=lane)
    except (Ignored, Malformed, Refused) as reason:
        _ignored(payload, heard.by, reason)


def _ignored(payload: dict[str, Any], by: Account, reason: object) -> None:
    said = payload["doc"]
    log.info("%s %s from %s ignored: %s", said.get("type"), said.get("id"), by.uri, reason)


async def fetch_first(node: Node, job: Job) -> None:
    """Job `fetch`: get what an activity needs from the server it belongs to, then do the activity."""
    uri = job.payload["uri"]
    found: tuple[Note, Account] | None = None
    try:
        key = await _reading_key(node, job)
        found = await remote_notes.read(node, uri, key=key, budget=Budget(MOST_FIRST))
    except Unfetchable as error:
        if error.temporary and job.attempts < MOST_TRIES:
            raise queue.Later(now_ms() + (30_000 << (2 * job.attempts)), error.reason) from error
        log.info("%s could not be fetched: %s", uri, error.reason)
    except (Malformed, Refused) as error:
        log.info("%s is of no use: %s", uri, error)
    await node.db.write(_after_fetch, job, {uri: found})


async def _reading_key(node: Node, job: Job) -> SigningKey | None:
    """What is not open is asked for by somebody here it is meant for; None: by the node."""
    activity = vocab.activity(job.payload["doc"])
    told = [*activity.to, *activity.cc]
    if vocab.PUBLIC in told:
        return None
    reader = await node.db.read(recipients.reader_here, job.payload["by"], told)
    return None if reader is None else await signing_keys.of_account(node, reader)


def _after_fetch(tx: Writer, job: Job, fetched: dict[str, tuple[Note, Account] | None]) -> None:
    by = accounts.by_id(tx, job.payload["by"])
    if queue.finish(tx, job) and by is not None:
        _perform_all(tx, [job], {by.id: by}, fetched)
