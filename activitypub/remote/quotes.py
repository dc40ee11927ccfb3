"""Quotes between servers: who asks to quote a post of ours is answered; quotes in others' posts are looked into.

A quote is believed only with a stamp found at its own address on the server of whoever is quoted, naming
exactly this quote (`quotes.permits`). One that does not is no verdict: the genuine one may still come.
"""

from __future__ import annotations

import logging

from activitypub.client import documents
from activitypub.client.client import Unfetchable
from activitypub.client.documents import is_ours
from activitypub.client.fetch_budget import Budget
from activitypub.remote import notes as remote_notes
from activitypub.uris import Malformed
from activitypub.vocab import quotes as written
from node.accounts import accounts
from node.database import Reader
from node.errors import Refused
from node.ids import now_ms
from node.interactions import quotes
from node.jobs.queue import Job, Later
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts

log = logging.getLogger("tintype.inbox")

MOST_REQUESTS = 6
MOST_TRIES = 4


async def check(node: Node, job: Job) -> None:
    """Job `check_quote`: find what is quoted, and the permission."""
    found = await node.db.read(_quote, job.payload["id"])
    if found is None:
        return
    post, author, said = found
    budget = Budget(MOST_REQUESTS, hosts=2)
    try:
        target = await remote_notes.find(node, said.target_uri, budget=budget)
        if target is None:
            return
        quoted = await node.db.read(accounts.get, target.account_id)
        if quoted.id == author.id or await _permits(node, post, target, quoted, said.stamp_uri, budget):
            await node.db.write(quotes.agreed, said, target)
    except Unfetchable as error:
        if error.temporary and job.attempts < MOST_TRIES:
            raise Later(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("the quote in %s stays a link: %s", post.uri, error.reason)
    except Refused as error:
        log.info("the quote in %s stays a link: %s", post.uri, error)


def _quote(tx: Reader, post_id: int) -> tuple[Post, Account, quotes.Quote] | None:
    post = posts.by_id(tx, post_id)
    said = quotes.of(tx, post) if post is not None and post.deleted_at is None else None
    if post is None or said is None or said.target_id is not None:
        return None
    return post, accounts.get(tx, post.account_id), said


async def _permits(
    node: Node, post: Post, target: Post, quoted: Account, stamp_uri: str, budget: Budget
) -> bool:
    if not stamp_uri:
        return False
    if is_ours(node, stamp_uri):
        return await node.db.read(_ours_permits, quoted, stamp_uri, post, target)
    try:
        given = written.stamp(await documents.document(node, stamp_uri, budget=budget))
    except Malformed:
        return False
    return written.permits(given, stamp_uri, quote=post.uri, quoted=target.uri, author=quoted.uri)


def _ours_permits(tx: Reader, quoted: Account, stamp_uri: str, post: Post, target: Post) -> bool:
    given = [one for one, _ in quotes.of_post(tx, target) if quotes.stamp_uri(quoted, one) == stamp_uri]
    return any(one.quote_uri == post.uri and one.by_id == post.account_id for one in given)
