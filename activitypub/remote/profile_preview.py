"""A first look at somebody of another server: their last posts, and how much their own server says there is.

What reaches a node is only what somebody here follows, so a stranger's profile would look empty. When one of ours
opens it, their server is asked in the background, at most every `AGAIN_AFTER_MS`. Their outbox is believed as
far as it speaks of their own posts on their own server; the numbers are shown and never counted with.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from activitypub import vocab
from activitypub.client import collections, documents
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import Budget
from activitypub.remote import notes as remote_notes
from activitypub.uris import Malformed, host_of, same_origin
from activitypub.vocab import CollectionDoc, Note, Ref, values
from node.accounts import accounts
from node.cache import Cache
from node.database import Writer
from node.errors import Refused
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.models.account import Account
from node.node import Node

log = logging.getLogger("tintype.conversations")

AGAIN_AFTER_MS = 6 * 3_600_000
MOST_POSTS = 40
MOST_PAGES = 3
PATIENCE = 1.5
"""Seconds that a page waits for what it has never seen before."""


class Asked:
    """Whose server was asked in the last minutes: `node.part(Asked)`."""

    def __init__(self, node: Node) -> None:
        self.lately: Cache[int, bool] = Cache(10_000, 300.0)


async def ask(node: Node, account: Account) -> bool:
    """Queue a look if the last one is long ago. Whether one is on its way and there was none before."""
    is_due = account.looked_at is None or account.looked_at < now_ms() - AGAIN_AFTER_MS
    if account.is_local or account.is_gone or not is_due:
        return False
    lately = node.part(Asked).lately
    if not lately.get(account.id):
        lately.put(account.id, True)
        await node.db.write(_queue, account)
    return account.looked_at is None


def _queue(tx: Writer, account: Account) -> None:
    queue.add(tx, "look_at_person", {"id": account.id}, lane=f"look {host_of(account.uri)}")


async def wait(node: Node, account: Account) -> bool:
    """Ask, and wait a moment for the answer if it is the first. Whether there is something new to show."""
    if not await ask(node, account):
        return False
    end = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.1)
        now = await node.db.read(accounts.by_id, account.id)
        if now is None or now.looked_at is not None:
            return now is not None
    return False


async def look(node: Node, job: Job) -> None:
    """Job `look_at_person`."""
    account = await node.db.read(accounts.by_id, job.payload["id"])
    if account is None or account.is_local or account.is_gone:
        return
    budget = Budget(hosts=2)
    followers, following = [
        await _circle(node, account, uri, budget) for uri in (account.followers_uri, account.following_uri)
    ]
    posts: int | None = None
    found: list[Note] = []
    try:
        if account.outbox and same_origin(account.outbox, account.uri):
            listed = await collections.members(
                node, Ref(uri=account.outbox), account.uri, budget, pages=MOST_PAGES, most=MOST_POSTS
            )
            posts = listed.total
            found = [note for item in listed.items if (note := await _own(node, account, item, budget))]
    except Unfetchable as error:
        log.info("the posts of %s cannot be had: %s", account.uri, error.reason)
    await node.db.write(_keep, job, account, found, posts, followers, following)


async def _circle(node: Node, account: Account, uri: str, budget: Budget) -> CollectionDoc | None:
    if not uri or not same_origin(uri, account.uri):
        return None
    try:
        return vocab.collection(await documents.list_at(node, uri, budget))
    except (Unfetchable, Malformed):
        return None


def _hides(circle: CollectionDoc | None) -> bool | None:
    """Whether somebody counts people and names nobody: they keep that to themselves. None: that cannot be told."""
    if circle is None or not circle.total:
        return None
    return not circle.items and not circle.first


async def _own(node: Node, account: Account, item: Ref, budget: Budget) -> Note | None:
    """A post of theirs from a line of their outbox; comments and boosts are left where they are."""
    said: Any = item.doc
    try:
        if said is None and item.uri is not None:
            said = await documents.document(node, item.uri, budget=budget)
        if isinstance(said, dict) and values.kind(said) == "Create":
            said = values.first(said.get("object"))
        if isinstance(said, str):
            said = await documents.document(node, said, budget=budget)
        if not isinstance(said, dict):
            return None
        note = vocab.note(said)
    except (Unfetchable, Malformed):
        return None
    is_theirs = note.actor == account.uri and same_origin(note.id, account.uri)
    return note if is_theirs and note.in_reply_to is None and not note.is_vote else None


def _keep(
    tx: Writer,
    job: Job,
    account: Account,
    found: list[Note],
    posts: int | None,
    followers: CollectionDoc | None,
    following: CollectionDoc | None,
) -> None:
    if not queue.finish(tx, job):
        return
    for note in found:
        try:
            remote_notes.take_in(tx, note, account)
        except Refused as error:
            log.info("%s may not come in: %s", note.id, error)
    hidden = [is_hidden for circle in (followers, following) if (is_hidden := _hides(circle)) is not None]
    accounts.set_claims(
        tx,
        account.id,
        posts=posts,
        followers=None if followers is None else followers.total,
        following=None if following is None else following.total,
        hides_follows=any(hidden) if hidden else None,
    )
