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
from activitypub.client.fetch_budget import FetchBudget
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

REFRESH_AFTER_MS = 6 * 3_600_000
MAX_POSTS = 40
MAX_PAGES = 3
WAIT_TIMEOUT_SECONDS = 1.5
"""Seconds that a page waits for what it has never seen before."""


class RecentRequests:
    """Whose server was asked in the last minutes: `node.part(Asked)`."""

    def __init__(self, node: Node) -> None:
        self.accounts: Cache[int, bool] = Cache(10_000, 300.0)


async def queue_refresh(node: Node, account: Account) -> bool:
    """Queue a look if the last one is long ago. Whether one is on its way and there was none before."""
    is_due = account.looked_at is None or account.looked_at < now_ms() - REFRESH_AFTER_MS
    if account.is_local or account.is_inactive or not is_due:
        return False
    lately = node.component(RecentRequests).accounts
    if not lately.get(account.id):
        lately.put(account.id, True)
        await node.db.write(_add_job, account)
    return account.looked_at is None


def _add_job(tx: Writer, account: Account) -> None:
    queue.add(tx, "look_at_person", {"id": account.id}, lane=f"look {host_of(account.uri)}")


async def wait_for_first(node: Node, account: Account) -> bool:
    """Ask, and wait a moment for the answer if it is the first. Whether there is something new to show."""
    if not await queue_refresh(node, account):
        return False
    end = asyncio.get_running_loop().time() + WAIT_TIMEOUT_SECONDS
    while asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.1)
        now = await node.db.read(accounts.by_id, account.id)
        if now is None or now.looked_at is not None:
            return now is not None
    return False


async def refresh(node: Node, job: Job) -> None:
    """Job `look_at_person`."""
    account = await node.db.read(accounts.by_id, job.payload["id"])
    if account is None or account.is_local or account.is_inactive:
        return
    budget = FetchBudget(hosts=2)
    followers, following = [
        await _fetch_follow_collection(node, account, uri, budget)
        for uri in (account.followers_uri, account.following_uri)
    ]
    posts: int | None = None
    found: list[Note] = []
    try:
        if account.outbox and same_origin(account.outbox, account.uri):
            listed = await collections.fetch_items(
                node, Ref(uri=account.outbox), account.uri, budget, max_pages=MAX_PAGES, max_items=MAX_POSTS
            )
            posts = listed.total
            found = [
                note
                for item in listed.items
                if (note := await _resolve_own_post(node, account, item, budget))
            ]
    except Unfetchable as error:
        log.info("the posts of %s cannot be had: %s", account.uri, error.reason)
    await node.db.write(_save, job, account, found, posts, followers, following)


async def _fetch_follow_collection(
    node: Node, account: Account, uri: str, budget: FetchBudget
) -> CollectionDoc | None:
    if not uri or not same_origin(uri, account.uri):
        return None
    try:
        return vocab.parse_collection(await documents.fetch_collection(node, uri, budget))
    except (Unfetchable, Malformed):
        return None


def _hides_members(circle: CollectionDoc | None) -> bool | None:
    """Whether somebody counts people and names nobody: they keep that to themselves. None: that cannot be told."""
    if circle is None or not circle.total:
        return None
    return not circle.items and not circle.first


async def _resolve_own_post(node: Node, account: Account, item: Ref, budget: FetchBudget) -> Note | None:
    """A post of theirs from a line of their outbox; comments and boosts are left where they are."""
    said: Any = item.doc
    try:
        if said is None and item.uri is not None:
            said = await documents.fetch(node, item.uri, budget=budget)
        if isinstance(said, dict) and values.type_name(said) == "Create":
            said = values.first(said.get("object"))
        if isinstance(said, str):
            said = await documents.fetch(node, said, budget=budget)
        if not isinstance(said, dict):
            return None
        note = vocab.parse_note(said)
    except (Unfetchable, Malformed):
        return None
    is_theirs = note.actor == account.uri and same_origin(note.id, account.uri)
    return note if is_theirs and note.in_reply_to is None and not note.is_vote else None


def _save(
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
            remote_notes.import_note(tx, note, account)
        except Refused as error:
            log.info("%s may not come in: %s", note.id, error)
    hidden = [
        is_hidden for circle in (followers, following) if (is_hidden := _hides_members(circle)) is not None
    ]
    accounts.set_claimed_counts(
        tx,
        account.id,
        posts=posts,
        followers=None if followers is None else followers.total,
        following=None if following is None else following.total,
        hides_follows=any(hidden) if hidden else None,
    )
