"""Verifies quotes in remote posts: finds the quoted post and checks the authorization (FEP-044f).

Modules import it `as remote_quotes`. A quote counts only with an authorization found at its own id on the server of the
quoted author, naming exactly this quote (`quote_vocab.authorizes`). A failed check is not final: a valid authorization
may still arrive.
"""

from __future__ import annotations

import logging

from activitypub.client import documents
from activitypub.client.client import Unfetchable
from activitypub.client.documents import is_local_uri
from activitypub.client.fetch_budget import FetchBudget
from activitypub.remote import notes as remote_notes
from activitypub.uris import Malformed
from activitypub.vocab import quotes as quote_vocab
from node.accounts import accounts
from node.database import Reader
from node.errors import Refused
from node.ids import now_ms
from node.interactions import quotes
from node.jobs.queue import Job, RetryLater
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts

log = logging.getLogger("tintype.inbox")

MAX_REQUESTS = 6
MAX_ATTEMPTS = 4


async def check(node: Node, job: Job) -> None:
    """Job `check_quote`: fetches the quoted post and the authorization, and approves the quote if valid."""
    found = await node.db.read(_pending_quote, job.payload["id"])
    if found is None:
        return
    post, author, quote = found
    budget = FetchBudget(MAX_REQUESTS, hosts=2)
    try:
        target = await remote_notes.find(node, quote.target_uri, budget=budget)
        if target is None:
            return
        quoted = await node.db.read(accounts.get, target.account_id)
        if quoted.id == author.id or await _is_authorized(
            node, post, target, quoted, quote.stamp_uri, budget
        ):
            await node.db.write(quotes.approve, quote, target)
    except Unfetchable as error:
        if error.temporary and job.attempts < MAX_ATTEMPTS:
            raise RetryLater(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("the quote in %s stays a link: %s", post.uri, error.reason)
    except Refused as error:
        log.info("the quote in %s stays a link: %s", post.uri, error)


def _pending_quote(tx: Reader, post_id: int) -> tuple[Post, Account, quotes.PostQuote] | None:
    post = posts.by_id(tx, post_id)
    quote = quotes.by_post(tx, post) if post is not None and post.deleted_at is None else None
    if post is None or quote is None or quote.target_id is not None:
        return None
    return post, accounts.get(tx, post.account_id), quote


async def _is_authorized(
    node: Node, post: Post, target: Post, quoted: Account, stamp_uri: str, budget: FetchBudget
) -> bool:
    if not stamp_uri:
        return False
    if is_local_uri(node, stamp_uri):
        return await node.db.read(_is_authorized_locally, quoted, stamp_uri, post, target)
    try:
        authorization = quote_vocab.parse_authorization(await documents.fetch(node, stamp_uri, budget=budget))
    except Malformed:
        return False
    return quote_vocab.authorizes(
        authorization, stamp_uri, quote=post.uri, quoted=target.uri, author=quoted.uri
    )


def _is_authorized_locally(tx: Reader, quoted: Account, stamp_uri: str, post: Post, target: Post) -> bool:
    return any(
        stamp.quote_uri == post.uri and stamp.by_id == post.account_id
        for stamp, _ in quotes.authorizations_by_post(tx, target)
        if quotes.authorization_uri(quoted, stamp) == stamp_uri
    )
