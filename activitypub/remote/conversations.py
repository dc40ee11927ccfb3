"""Whole conversations: what a comment answers is fetched, and so is what others have answered elsewhere.

`climb` follows a comment upwards as soon as it arrives without what it answers. `crawl` goes down: when somebody
looks at a post, the replies that its own server lists are read, and theirs, a few at a time. Nothing of a
list is believed: each comment is read at its own server. One job asks for twenty documents of five servers
at most; looking again later goes on where it ended.
"""

from __future__ import annotations

import logging
from collections import deque

from activitypub import vocab
from activitypub.client import collections, documents, signing_keys
from activitypub.client.client import Unfetchable
from activitypub.client.documents import is_local_uri
from activitypub.client.fetch_budget import FetchBudget
from activitypub.remote import notes as remote_notes
from activitypub.uris import Malformed, host_of, same_origin
from activitypub.vocab import Note, Ref
from activitypub.vocab.values import ref
from node.cache import Cache
from node.database import Reader, Writer
from node.errors import Refused
from node.federation import recipients
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job, RetryLater
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import mentions, posts

log = logging.getLogger("tintype.conversations")

CRAWL_INTERVAL_SECONDS = 300.0
MAX_NEW_REPLIES = 5
"""New comments taken in from one list in one pass."""
MAX_ATTEMPTS = 4
MAX_ANCESTORS_PER_JOB, MAX_ANCESTORS = 10, 200
"""Requests for what a comment answers: at once, and in all. With those that brought it, 20 at most."""
CONTINUE_AFTER_MS = 60_000


class RecentCrawls:
    """Which conversations were asked for lately: `node.part(Looked)`."""

    def __init__(self, node: Node) -> None:
        self.posts: Cache[int, bool] = Cache(10_000, CRAWL_INTERVAL_SECONDS)


def queue_ancestors(tx: Writer, post: Post) -> None:
    """A comment has come without what it answers: ask for that."""
    queue.add(tx, "climb", {"id": post.id}, lane=_fetch_lane(post.parent_uri))


async def fetch_ancestors(node: Node, job: Job) -> None:
    """Job `climb`: what a comment answers, and what that answers. It appears there when that arrives."""
    post = await node.db.read(posts.by_id, job.payload["id"])
    if post is None or post.deleted_at is not None or post.parent_id is not None:
        return
    key = None
    if not post.is_open and (reader := await node.db.read(_local_reader, post)) is not None:
        key = await signing_keys.by_account(node, reader)
    try:
        await remote_notes.find(node, post.parent_uri, key=key, budget=FetchBudget(MAX_ANCESTORS_PER_JOB))
    except Unfetchable as error:
        if error.temporary and job.attempts < MAX_ATTEMPTS:
            raise RetryLater(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("what %s answers cannot be had: %s", post.uri, error.reason)
    except Refused as error:
        log.info("what %s answers may not come in: %s", post.uri, error)
    else:
        await node.db.write(_queue_more_ancestors, post.id, job.payload.get("climbed", 0))


def _local_reader(tx: Reader, post: Post) -> int | None:
    """One of ours who may see a post, and so perhaps what it answers."""
    named = [mention.account.uri for mention in mentions.by_post(tx, post)]
    return recipients.local_reader(tx, post.account_id, named)


def _queue_more_ancestors(tx: Writer, post_id: int, climbed: int) -> None:
    """The way up is long: the rest of it a little later, and not without end."""
    post = posts.by_id(tx, post_id)
    top = None if post is None else posts.by_id(tx, post.root_id)
    if top is None or not top.is_comment or top.parent_id is not None or top.id == post_id:
        return
    if climbed + MAX_ANCESTORS_PER_JOB < MAX_ANCESTORS:
        payload = {"id": top.id, "climbed": climbed + MAX_ANCESTORS_PER_JOB}
        # In no lane: there it would go on as soon as the one before it is done.
        queue.add(tx, "climb", payload, run_at=now_ms() + CONTINUE_AFTER_MS)


async def queue_crawl(node: Node, post: Post) -> None:
    """Somebody looks at a post of another server: ask there what else has been said, once in a while."""
    looked = node.component(RecentCrawls).posts
    if post.is_local or not post.is_open or post.deleted_at is not None or looked.get(post.id):
        return
    looked.put(post.id, True)
    await node.db.write(_add_crawl_job, post)


def _add_crawl_job(tx: Writer, post: Post) -> None:
    queue.add(tx, "crawl", {"id": post.id}, lane=_fetch_lane(post.uri))


def _fetch_lane(uri: str) -> str:
    try:
        return f"fetch {host_of(uri)}"
    except Malformed:
        return ""


async def crawl_replies(node: Node, job: Job) -> None:
    """Job `crawl`: upwards if the beginning is missing, then down from the post, level by level."""
    post = await node.db.read(posts.by_id, job.payload["id"])
    if post is None or post.deleted_at is not None:
        return
    budget = FetchBudget()
    await _fetch_missing_ancestors(node, post, budget)
    waiting, asked = deque([post.uri]), {post.uri}
    while waiting:
        try:
            below = await _import_replies(node, waiting.popleft(), budget)
        except (Unfetchable, Malformed, Refused) as error:
            log.info("the conversation at %s cannot be read: %s", post.uri, error)
            continue
        waiting += [uri for uri in below if uri not in asked]
        asked.update(below)


async def _fetch_missing_ancestors(node: Node, post: Post, budget: FetchBudget) -> None:
    top = await node.db.read(posts.by_id, post.root_id)
    if top is None or not top.is_comment or top.parent_id is not None:
        return
    try:
        await remote_notes.find(node, top.parent_uri, budget=budget)
    except (Unfetchable, Refused) as error:
        log.info("what %s answers cannot be had: %s", top.uri, error)


async def _import_replies(node: Node, uri: str, budget: FetchBudget) -> list[str]:
    """Take in new answers to a post; all those of other servers that are here now. Raises Unfetchable or Malformed."""
    doc = await documents.fetch(node, uri, budget=budget)
    note = vocab.parse_note(doc)
    listed = await collections.fetch_items(node, ref(doc.get("replies")), note.id, budget)
    found, new = [], 0
    for answer in [*listed.uris, *await _context_items(node, note, budget)]:
        if is_local_uri(node, answer):
            continue
        if await node.db.read(_is_known, answer):
            found.append(answer)
        elif new < MAX_NEW_REPLIES:
            new += 1
            if await _import_reply(node, answer, budget):
                found.append(answer)
    return found


async def _context_items(node: Node, note: Note, budget: FetchBudget) -> list[str]:
    """The rest of the conversation, where its server keeps it as one collection (FEP-7888, FEP-f228)."""
    if note.context is None or note.in_reply_to is not None or not same_origin(note.context, note.id):
        return []
    try:
        return (await collections.fetch_items(node, Ref(uri=note.context), note.id, budget)).uris
    except Unfetchable:
        return []


async def _import_reply(node: Node, uri: str, budget: FetchBudget) -> bool:
    try:
        note, author = await remote_notes.fetch(node, uri, budget=budget)
        if note.is_vote or note.in_reply_to is None:
            return False
        return await node.db.write(_save_reply, note, author) is not None
    except (Unfetchable, Refused) as error:
        log.info("the comment %s cannot be had: %s", uri, error)
        return False


def _save_reply(tx: Writer, note: Note, author: Account) -> Post | None:
    """Only below something that is here: lists can name anything."""
    if note.in_reply_to is None or remote_notes.by_uri_or_url(tx, note.in_reply_to) is None:
        return None
    return remote_notes.import_note(tx, note, author)


def _is_known(tx: Reader, uri: str) -> bool:
    return posts.by_uri(tx, uri) is not None
