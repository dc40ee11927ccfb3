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
from activitypub.client.documents import is_ours
from activitypub.client.fetch_budget import Budget
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
from node.jobs.queue import Job, Later
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import mentions, posts

log = logging.getLogger("tintype.conversations")

AGAIN_AFTER = 300.0
MOST_NEW = 5
"""New comments taken in from one list in one pass."""
MOST_TRIES = 4
MOST_AT_ONCE, MOST_CLIMBED = 10, 200
"""Requests for what a comment answers: at once, and in all. With those that brought it, 20 at most."""
ON_AFTER_MS = 60_000


class Looked:
    """Which conversations were asked for lately: `node.part(Looked)`."""

    def __init__(self, node: Node) -> None:
        self.at: Cache[int, bool] = Cache(10_000, AGAIN_AFTER)


def orphaned(tx: Writer, post: Post) -> None:
    """A comment has come without what it answers: ask for that."""
    queue.add(tx, "climb", {"id": post.id}, lane=_lane(post.parent_uri))


async def climb(node: Node, job: Job) -> None:
    """Job `climb`: what a comment answers, and what that answers. It appears there when that arrives."""
    post = await node.db.read(posts.by_id, job.payload["id"])
    if post is None or post.deleted_at is not None or post.parent_id is not None:
        return
    key = None
    if not post.is_open and (reader := await node.db.read(_reader, post)) is not None:
        key = await signing_keys.of_account(node, reader)
    try:
        await remote_notes.find(node, post.parent_uri, key=key, budget=Budget(MOST_AT_ONCE))
    except Unfetchable as error:
        if error.temporary and job.attempts < MOST_TRIES:
            raise Later(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("what %s answers cannot be had: %s", post.uri, error.reason)
    except Refused as error:
        log.info("what %s answers may not come in: %s", post.uri, error)
    else:
        await node.db.write(_climb_on, post.id, job.payload.get("climbed", 0))


def _reader(tx: Reader, post: Post) -> int | None:
    """One of ours who may see a post, and so perhaps what it answers."""
    named = [mention.account.uri for mention in mentions.of(tx, post)]
    return recipients.reader_here(tx, post.account_id, named)


def _climb_on(tx: Writer, post_id: int, climbed: int) -> None:
    """The way up is long: the rest of it a little later, and not without end."""
    post = posts.by_id(tx, post_id)
    top = None if post is None else posts.by_id(tx, post.root_id)
    if top is None or not top.is_comment or top.parent_id is not None or top.id == post_id:
        return
    if climbed + MOST_AT_ONCE < MOST_CLIMBED:
        payload = {"id": top.id, "climbed": climbed + MOST_AT_ONCE}
        # In no lane: there it would go on as soon as the one before it is done.
        queue.add(tx, "climb", payload, run_at=now_ms() + ON_AFTER_MS)


async def look(node: Node, post: Post) -> None:
    """Somebody looks at a post of another server: ask there what else has been said, once in a while."""
    looked = node.part(Looked).at
    if post.is_local or not post.is_open or post.deleted_at is not None or looked.get(post.id):
        return
    looked.put(post.id, True)
    await node.db.write(_queue, post)


def _queue(tx: Writer, post: Post) -> None:
    queue.add(tx, "crawl", {"id": post.id}, lane=_lane(post.uri))


def _lane(uri: str) -> str:
    try:
        return f"fetch {host_of(uri)}"
    except Malformed:
        return ""


async def crawl(node: Node, job: Job) -> None:
    """Job `crawl`: upwards if the beginning is missing, then down from the post, level by level."""
    post = await node.db.read(posts.by_id, job.payload["id"])
    if post is None or post.deleted_at is not None:
        return
    budget = Budget()
    await _upwards(node, post, budget)
    waiting, asked = deque([post.uri]), {post.uri}
    while waiting:
        try:
            below = await _answers(node, waiting.popleft(), budget)
        except (Unfetchable, Malformed, Refused) as error:
            log.info("the conversation at %s cannot be read: %s", post.uri, error)
            continue
        waiting += [uri for uri in below if uri not in asked]
        asked.update(below)


async def _upwards(node: Node, post: Post, budget: Budget) -> None:
    top = await node.db.read(posts.by_id, post.root_id)
    if top is None or not top.is_comment or top.parent_id is not None:
        return
    try:
        await remote_notes.find(node, top.parent_uri, budget=budget)
    except (Unfetchable, Refused) as error:
        log.info("what %s answers cannot be had: %s", top.uri, error)


async def _answers(node: Node, uri: str, budget: Budget) -> list[str]:
    """Take in new answers to a post; all those of other servers that are here now. Raises Unfetchable or Malformed."""
    doc = await documents.document(node, uri, budget=budget)
    note = vocab.note(doc)
    listed = await collections.members(node, ref(doc.get("replies")), note.id, budget)
    found, new = [], 0
    for answer in [*listed.uris, *await _whole(node, note, budget)]:
        if is_ours(node, answer):
            continue
        if await node.db.read(_is_here, answer):
            found.append(answer)
        elif new < MOST_NEW:
            new += 1
            if await _take_in(node, answer, budget):
                found.append(answer)
    return found


async def _whole(node: Node, note: Note, budget: Budget) -> list[str]:
    """The rest of the conversation, where its server keeps it as one collection (FEP-7888, FEP-f228)."""
    if note.context is None or note.in_reply_to is not None or not same_origin(note.context, note.id):
        return []
    try:
        return (await collections.members(node, Ref(uri=note.context), note.id, budget)).uris
    except Unfetchable:
        return []


async def _take_in(node: Node, uri: str, budget: Budget) -> bool:
    try:
        note, author = await remote_notes.read(node, uri, budget=budget)
        if note.is_vote or note.in_reply_to is None:
            return False
        return await node.db.write(_take_in_answer, note, author) is not None
    except (Unfetchable, Refused) as error:
        log.info("the comment %s cannot be had: %s", uri, error)
        return False


def _take_in_answer(tx: Writer, note: Note, author: Account) -> Post | None:
    """Only below something that is here: lists can name anything."""
    if note.in_reply_to is None or remote_notes.known(tx, note.in_reply_to) is None:
        return None
    return remote_notes.take_in(tx, note, author)


def _is_here(tx: Reader, uri: str) -> bool:
    return posts.by_uri(tx, uri) is not None
