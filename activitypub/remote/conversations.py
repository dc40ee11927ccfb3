"""Completes conversations: fetches the parents of a comment, and the replies to a remote post.

The job `climb` fetches the ancestors of a comment that arrived without its parent. The job `crawl` goes down: when
somebody opens a remote post, the replies that its own server lists are fetched, and theirs, a few at a time. Nothing
in a list is believed: each comment is fetched from its own server. One job fetches at most twenty documents from five
servers; the next view continues where it ended.
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
"""New comments imported from one list in one pass."""
MAX_ATTEMPTS = 4
MAX_ANCESTORS_PER_JOB, MAX_ANCESTORS = 10, 200
"""Fetches of ancestors: in one job, and in all. With the fetches of the activity itself, 20 at most."""
CONTINUE_AFTER_MS = 60_000


class RecentCrawls:
    """Posts that a crawl was queued for in the last five minutes: `node.component(RecentCrawls)`."""

    def __init__(self, node: Node) -> None:
        self.posts: Cache[int, bool] = Cache(10_000, CRAWL_INTERVAL_SECONDS)


def queue_ancestors(tx: Writer, post: Post) -> None:
    """Queues the fetch of the parent of a comment that arrived without it."""
    queue.add(tx, "climb", {"id": post.id}, lane=_fetch_lane(post.parent_uri))


async def fetch_ancestors(node: Node, job: Job) -> None:
    """Job `climb`: fetches the parent of a comment and its ancestors. The comment joins the thread when they arrive."""
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
        log.info("the parent of %s cannot be fetched: %s", post.uri, error.reason)
    except Refused as error:
        log.info("the parent of %s is refused: %s", post.uri, error)
    else:
        await node.db.write(_queue_more_ancestors, post.id, job.payload.get("climbed", 0))


def _local_reader(tx: Reader, post: Post) -> int | None:
    """Returns a local account that may see a post, and so perhaps its parent."""
    mentioned = [mention.account.uri for mention in mentions.by_post(tx, post)]
    return recipients.local_reader(tx, post.account_id, mentioned)


def _queue_more_ancestors(tx: Writer, post_id: int, climbed: int) -> None:
    """Queues the rest of a long chain of ancestors for a minute later, up to the limit in all."""
    post = posts.by_id(tx, post_id)
    top = None if post is None else posts.by_id(tx, post.root_id)
    if top is None or not top.is_comment or top.parent_id is not None or top.id == post_id:
        return
    if climbed + MAX_ANCESTORS_PER_JOB < MAX_ANCESTORS:
        payload = {"id": top.id, "climbed": climbed + MAX_ANCESTORS_PER_JOB}
        # Without a lane: in one it would run as soon as this job is done.
        queue.add(tx, "climb", payload, run_at=now_ms() + CONTINUE_AFTER_MS)


async def queue_crawl(node: Node, post: Post) -> None:
    """Queues a crawl for an open remote post that somebody views, at most every five minutes."""
    recent = node.component(RecentCrawls).posts
    if post.is_local or not post.is_open or post.deleted_at is not None or recent.get(post.id):
        return
    recent.put(post.id, True)
    await node.db.write(_add_crawl_job, post)


def _add_crawl_job(tx: Writer, post: Post) -> None:
    queue.add(tx, "crawl", {"id": post.id}, lane=_fetch_lane(post.uri))


def _fetch_lane(uri: str) -> str:
    try:
        return f"fetch {host_of(uri)}"
    except Malformed:
        return ""


async def crawl_replies(node: Node, job: Job) -> None:
    """Job `crawl`: fetches missing ancestors, then the replies below the post, level by level."""
    post = await node.db.read(posts.by_id, job.payload["id"])
    if post is None or post.deleted_at is not None:
        return
    budget = FetchBudget()
    await _fetch_missing_ancestors(node, post, budget)
    pending, seen = deque([post.uri]), {post.uri}
    while pending:
        try:
            replies = await _import_replies(node, pending.popleft(), budget)
        except (Unfetchable, Malformed, Refused) as error:
            log.info("the conversation at %s cannot be fetched: %s", post.uri, error)
            continue
        pending += [uri for uri in replies if uri not in seen]
        seen.update(replies)


async def _fetch_missing_ancestors(node: Node, post: Post, budget: FetchBudget) -> None:
    top = await node.db.read(posts.by_id, post.root_id)
    if top is None or not top.is_comment or top.parent_id is not None:
        return
    try:
        await remote_notes.find(node, top.parent_uri, budget=budget)
    except (Unfetchable, Refused) as error:
        log.info("the parent of %s cannot be fetched: %s", top.uri, error)


async def _import_replies(node: Node, uri: str, budget: FetchBudget) -> list[str]:
    """Imports new replies to a post; returns all its remote replies that are stored now. Raises Unfetchable or Malformed."""
    doc = await documents.fetch(node, uri, budget=budget)
    note = vocab.parse_note(doc)
    listed = await collections.fetch_items(node, ref(doc.get("replies")), note.id, budget)
    found, new = [], 0
    for reply in [*listed.uris, *await _context_items(node, note, budget)]:
        if is_local_uri(node, reply):
            continue
        if await node.db.read(_is_known, reply):
            found.append(reply)
        elif new < MAX_NEW_REPLIES:
            new += 1
            if await _import_reply(node, reply, budget):
                found.append(reply)
    return found


async def _context_items(node: Node, note: Note, budget: FetchBudget) -> list[str]:
    """Returns the whole conversation, if the server of its root has it as one collection (FEP-7888,
    FEP-f228)."""
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
        log.info("the comment %s cannot be fetched: %s", uri, error)
        return False


def _save_reply(tx: Writer, note: Note, author: Account) -> Post | None:
    """Stores a reply if its parent is known: lists can name anything."""
    if note.in_reply_to is None or remote_notes.by_uri_or_url(tx, note.in_reply_to) is None:
        return None
    return remote_notes.import_note(tx, note, author)


def _is_known(tx: Reader, uri: str) -> bool:
    return posts.by_uri(tx, uri) is not None
