"""What people of other servers show first: told with Add and Remove, or read from their `featured` collection.

An Add counts only for the actor's own collection and the actor's own posts. A collection is believed only on
its actor's server, one page of it, and as far as its members are the actor's.
"""

from __future__ import annotations

import logging

from activitypub import vocab
from activitypub.client import documents
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import Budget, refusal
from activitypub.remote import notes as remote_notes
from activitypub.uris import Malformed, same_origin
from activitypub.vocab import Note, Ref
from node.accounts import accounts
from node.database import Reader, Writer
from node.errors import Refused
from node.ids import now_ms
from node.interactions import pins
from node.jobs.queue import Job, Later
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts

log = logging.getLogger("tintype.inbox")

MOST_REQUESTS = 8
MOST_TRIES = 3


async def read(node: Node, job: Job) -> None:
    """Job `read_featured`: what somebody elsewhere has pinned now."""
    who = await node.db.read(accounts.by_id, job.payload["id"])
    if who is None or who.is_local or who.is_gone or not same_origin(who.featured_uri, who.uri):
        return
    budget = Budget(MOST_REQUESTS, hosts=1)
    try:
        items = await _items(node, who.featured_uri, budget)
    except Unfetchable as error:
        if error.temporary and job.attempts < MOST_TRIES:
            raise Later(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("the pinned posts of %s cannot be read: %s", who.uri, error.reason)
        return
    except Malformed as error:
        log.info("the pinned posts of %s cannot be read: %s", who.uri, error)
        return
    found = [await _note(node, who, ref, budget) for ref in items[: pins.MOST]]
    await node.db.write(_keep, who, [one for one in found if one is not None])


async def _items(node: Node, uri: str, budget: Budget) -> list[Ref]:
    """The members, or those of the first page. A page is no collection: what it calls its own first is not asked."""
    doc = vocab.collection(await documents.list_at(node, uri, budget))
    if doc.items or not doc.first:
        return doc.items
    if doc.first.doc is not None:
        return vocab.collection(doc.first.doc).items
    if not same_origin(doc.first.uri, uri):
        raise refusal(uri, "the first page is on another server")
    return vocab.collection(await documents.list_at(node, str(doc.first.uri), budget)).items


async def _note(node: Node, who: Account, ref: Ref, budget: Budget) -> Note | str | None:
    """A member: the uri of a post that is here, or the post as its author's own server gives it."""
    if ref.uri is None or not same_origin(ref.uri, who.uri):
        return None
    if await node.db.read(_is_here, ref.uri):
        return ref.uri
    try:
        if ref.doc is not None:
            note = vocab.note(ref.doc)
        else:
            note = vocab.note(await documents.document(node, ref.uri, budget=budget))
    except (Unfetchable, Malformed, Refused) as error:
        log.info("the pinned post %s is of no use: %s", ref.uri, error)
        return None
    return note if note.actor == who.uri and same_origin(note.id, who.uri) else None


def _is_here(tx: Reader, uri: str) -> bool:
    return posts.by_uri(tx, uri) is not None


def _keep(tx: Writer, who: Account, found: list[Note | str]) -> None:
    taken: list[Post] = []
    for one in found:
        post = posts.by_uri(tx, one) if isinstance(one, str) else remote_notes.take_in(tx, one, who)
        if post is not None:
            taken.append(post)
    pins.receive_all(tx, who, taken)
