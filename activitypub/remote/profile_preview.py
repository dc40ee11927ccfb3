"""Fills the profile of a remote account with its latest posts and the counts that its server claims.

A node receives only posts of accounts that somebody on it follows, so any other remote profile would be empty. When a
local account opens one, its server is asked in the background, at most every `REFRESH_AFTER_MS`. Of the outbox only the
account's own posts on its own server are imported; the counts are for display only.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from activitypub import vocab
from activitypub.client import collections, documents
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget
from activitypub.remote import actors
from activitypub.remote import migration as remote_migration
from activitypub.remote import notes as remote_notes
from activitypub.uris import Malformed, host_of, same_origin
from activitypub.vocab import CollectionDoc, Note, Ref, values
from node.accounts import accounts
from node.cache import Cache
from node.database import Writer
from node.errors import Refused
from node.ids import has_passed
from node.jobs import queue
from node.jobs.queue import Job
from node.models.account import Account
from node.node import Node

log = logging.getLogger("tintype.conversations")

REFRESH_AFTER_MS = 6 * 3_600_000
PINS_AFTER_SECONDS = 900.0
MAX_POSTS = 40
MAX_PAGES = 3
WAIT_TIMEOUT_SECONDS = 1.5
"""Seconds that a page waits for the first preview of an account."""
FIRST_PAUSE_SECONDS = 0.1
"""Seconds before a page that waits looks for the first time."""


class RecentRequests:
    """Accounts that a preview was queued for in the last five minutes, or a read of their pinned posts in the last
    `PINS_AFTER_SECONDS`: `node.component(RecentRequests)`.
    """

    def __init__(self, node: Node) -> None:
        self.accounts: Cache[int, bool] = Cache(10_000, 300.0)
        self.pins: Cache[int, bool] = Cache(10_000, PINS_AFTER_SECONDS)


async def queue_refresh(node: Node, account: Account) -> bool:
    """Queues a preview if the last one is six hours old. Whether the account has had none so far.

    The pinned posts are read again too: not every server sends that they changed.
    """
    await _queue_pins(node, account)
    is_due = account.looked_at is None or has_passed(REFRESH_AFTER_MS, account.looked_at)
    if account.is_local or account.is_inactive or not is_due:
        return False
    recent = node.component(RecentRequests).accounts
    if not recent.get(account.id):
        recent.put(account.id, True)
        await node.db.write(_add_job, account)
    return account.looked_at is None


async def _queue_pins(node: Node, account: Account) -> None:
    recent = node.component(RecentRequests).pins
    if account.is_local or account.is_inactive or recent.get(account.id):
        return
    recent.put(account.id, True)
    await node.db.write(actors.queue_featured, account)


def _add_job(tx: Writer, account: Account) -> None:
    queue.add(tx, "look_at_person", {"id": account.id}, lane=f"look {host_of(account.uri)}")


async def wait_for_first(node: Node, account: Account) -> bool:
    """Queues a preview, and waits briefly for it if it is the first. Whether there is something new to show."""
    if not await queue_refresh(node, account):
        return False
    end = asyncio.get_running_loop().time() + WAIT_TIMEOUT_SECONDS
    pause = FIRST_PAUSE_SECONDS
    while asyncio.get_running_loop().time() < end:
        await asyncio.sleep(pause)
        pause *= 1.5  # whoever waits long gets it a little later, and costs a third of the looks
        if await node.db.read(accounts.looked_at, account.id) is not None:
            return True
    return False


async def refresh(node: Node, job: Job) -> None:
    """Job `look_at_person`: fetches follower counts and the outbox of a remote account, and stores its posts."""
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
        log.info("the posts of %s cannot be fetched: %s", account.uri, error.reason)
    await _find_move_target(node, account)
    await node.db.write(_save, job, account, found, posts, followers, following)


async def _find_move_target(node: Node, account: Account) -> None:
    try:
        await remote_migration.find_target(node, account)
    except Unfetchable as error:
        log.info("the account that %s moved to cannot be fetched: %s", account.uri, error.reason)


async def _fetch_follow_collection(
    node: Node, account: Account, uri: str, budget: FetchBudget
) -> CollectionDoc | None:
    if not uri or not same_origin(uri, account.uri):
        return None
    try:
        return vocab.parse_collection(await documents.fetch_collection(node, uri, budget))
    except (Unfetchable, Malformed):
        return None


def _hides_members(collection: CollectionDoc | None) -> bool | None:
    """Returns whether a collection has a total but lists nobody, i.e. is hidden;
    None when that is unknown."""
    if collection is None or not collection.total:
        return None
    return not collection.items and not collection.first


async def _resolve_own_post(node: Node, account: Account, item: Ref, budget: FetchBudget) -> Note | None:
    """Returns the account's own post behind an outbox item; None for comments, boosts and anything else."""
    doc: Any = item.doc
    try:
        if doc is None and item.uri is not None:
            doc = await documents.fetch(node, item.uri, budget=budget)
        if isinstance(doc, dict) and values.type_name(doc) == "Create":
            doc = values.first(doc.get("object"))
        if isinstance(doc, str):
            doc = await documents.fetch(node, doc, budget=budget)
        if not isinstance(doc, dict):
            return None
        note = vocab.parse_note(doc)
    except (Unfetchable, Malformed):
        return None
    is_own = note.actor == account.uri and same_origin(note.id, account.uri)
    return note if is_own and note.in_reply_to is None and not note.is_vote else None


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
            log.info("%s is refused: %s", note.id, error)
    hidden = [
        is_hidden
        for collection in (followers, following)
        if (is_hidden := _hides_members(collection)) is not None
    ]
    accounts.set_claimed_counts(
        tx,
        account.id,
        posts=posts,
        followers=None if followers is None else followers.total,
        following=None if following is None else following.total,
        hides_follows=any(hidden) if hidden else None,
    )
