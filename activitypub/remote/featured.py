"""Imports the pinned posts of remote actors from their `featured` collection; Add and Remove come through `handlers`.

A collection is read only from its actor's own server, one page of it, and only the actor's own posts in it count.
"""

from __future__ import annotations

import logging

from activitypub import vocab
from activitypub.client import documents
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget, permanent_failure
from activitypub.remote import notes as remote_notes
from activitypub.uris import Malformed, same_origin
from activitypub.vocab import Note, Ref
from node.accounts import accounts
from node.database import Reader, Writer
from node.errors import Refused
from node.ids import now_ms
from node.interactions import pins
from node.jobs.queue import Job, RetryLater
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts

log = logging.getLogger("tintype.inbox")

MAX_REQUESTS = 8
MAX_ATTEMPTS = 3


async def update_pins(node: Node, job: Job) -> None:
    """Job `read_featured`: fetches the pinned posts of a remote account and replaces the stored pins."""
    account = await node.db.read(accounts.by_id, job.payload["id"])
    if account is None or account.is_local or account.is_inactive:
        return
    if not same_origin(account.featured_uri, account.uri):
        return
    budget = FetchBudget(MAX_REQUESTS, hosts=1)
    try:
        items = await _fetch_items(node, account.featured_uri, budget)
    except Unfetchable as error:
        if error.temporary and job.attempts < MAX_ATTEMPTS:
            raise RetryLater(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("the pinned posts of %s cannot be read: %s", account.uri, error.reason)
        return
    except Malformed as error:
        log.info("the pinned posts of %s cannot be read: %s", account.uri, error)
        return
    found = [await _resolve_item(node, account, ref, budget) for ref in items[: pins.MAX_PINS]]
    await node.db.write(_save, account, [item for item in found if item is not None])


async def _fetch_items(node: Node, uri: str, budget: FetchBudget) -> list[Ref]:
    """Fetches the members of a collection, or of its first page; the `first` of a page is not followed."""
    doc = vocab.parse_collection(await documents.fetch_collection(node, uri, budget))
    if doc.items or not doc.first:
        return doc.items
    if doc.first.doc is not None:
        return vocab.parse_collection(doc.first.doc).items
    if not same_origin(doc.first.uri, uri):
        raise permanent_failure(uri, "the first page is on another server")
    return vocab.parse_collection(await documents.fetch_collection(node, str(doc.first.uri), budget)).items


async def _resolve_item(node: Node, account: Account, ref: Ref, budget: FetchBudget) -> Note | str | None:
    """Resolves a member: the uri of a known post, or the post from its author's own server;
    None if it cannot be used."""
    if ref.uri is None or not same_origin(ref.uri, account.uri):
        return None
    if await node.db.read(_is_known, ref.uri):
        return ref.uri
    try:
        if ref.doc is not None:
            note = vocab.parse_note(ref.doc)
        else:
            note = vocab.parse_note(await documents.fetch(node, ref.uri, budget=budget))
    except (Unfetchable, Malformed, Refused) as error:
        log.info("the pinned post %s cannot be used: %s", ref.uri, error)
        return None
    return note if note.actor == account.uri and same_origin(note.id, account.uri) else None


def _is_known(tx: Reader, uri: str) -> bool:
    return posts.by_uri(tx, uri) is not None


def _save(tx: Writer, account: Account, found: list[Note | str]) -> None:
    pinned: list[Post] = []
    for item in found:
        post = (
            posts.by_uri(tx, item) if isinstance(item, str) else remote_notes.import_note(tx, item, account)
        )
        if post is not None:
            pinned.append(post)
    pins.replace_remote_pins(tx, account, pinned)
