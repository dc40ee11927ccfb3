"""Quotes between servers: who asks to quote a post of ours is answered; quotes in others' posts are looked into.

A quote is believed only with a stamp found at its own address on the server of whoever is quoted, naming
exactly this quote (`quotes.permits`). One that does not is no verdict: the genuine one may still come.
"""

from __future__ import annotations

import logging

from activitypub import contexts, documents, fetching, remote_posts
from activitypub import quotes as written
from activitypub.client import Unfetchable
from activitypub.fetching import Budget, is_ours
from activitypub.heard import Heard, Ignored, our_post
from activitypub.uris import Malformed, host_of
from activitypub.vocab import Note, Ref
from node import accounts, jobs, posts, quotes
from node.accounts import Account
from node.database import Reader, Writer
from node.errors import NotFound, Refused
from node.ids import now_ms
from node.jobs import Job, Later
from node.node import Node
from node.posts import Post

log = logging.getLogger("tintype.inbox")

MOST_REQUESTS = 6
MOST_TRIES = 4


def request(tx: Writer, heard: Heard) -> None:
    """QuoteRequest: answered at once, by the policy of the post."""
    asked = written.request(heard.activity)
    post = our_post(tx, Ref(uri=asked.quoted), heard.by)
    if heard.uri is None:
        raise Ignored("a question without an id")
    quotes.ask(tx, heard.by, post, request_uri=heard.uri, quote_uri=asked.quote)


def answered(tx: Writer, heard: Heard, *, is_allowed: bool) -> bool:
    """An Accept or a Reject of a question of ours, by the author of what is to be quoted. Whether it was one."""
    said = written.answer(heard.activity)
    ids = [said.id, f"{said.request.quote}{quotes.REQUEST}" if said.request is not None else None]
    for id_ in filter(None, ids):
        found = quotes.asked_by(tx, id_)
        if found is None:
            continue
        post, wanted = found
        target = posts.by_uri(tx, wanted.target_uri)
        if target is None or target.account_id != heard.by.id:
            raise Ignored("an answer by somebody who was not asked")
        if is_allowed and said.stamp is not None:
            quotes.note_down(tx, post.id, wanted.target_uri, said.stamp)
            jobs.add(tx, "check_quote", {"id": post.id}, lane=f"fetch {host_of(wanted.target_uri)}")
        return True
    return False


def revoked(tx: Writer, by: Account, uri: str) -> bool:
    """A Delete that may be of a stamp."""
    return quotes.revoked(tx, by, uri)


def noticed(tx: Writer, note: Note, post: Post) -> None:
    """A post of another server has come in, or was changed: does it quote something?"""
    said = written.read(note)
    if said is None:
        quotes.forget(tx, post.id)
        return
    quotes.note_down(tx, post.id, said.target, said.stamp or "")
    try:
        jobs.add(tx, "check_quote", {"id": post.id}, lane=f"fetch {host_of(said.target)}")
    except Malformed:
        return


async def check(node: Node, job: Job) -> None:
    """Job `check_quote`: find what is quoted, and the permission."""
    found = await node.db.read(_quote, job.payload["id"])
    if found is None:
        return
    post, author, said = found
    budget = Budget(MOST_REQUESTS, hosts=2)
    try:
        target = await remote_posts.find(node, said.target_uri, budget=budget)
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
        given = written.stamp(await fetching.document(node, stamp_uri, budget=budget))
    except Malformed:
        return False
    return written.permits(given, stamp_uri, quote=post.uri, quoted=target.uri, author=quoted.uri)


def _ours_permits(tx: Reader, quoted: Account, stamp_uri: str, post: Post, target: Post) -> bool:
    given = [one for one, _ in quotes.of_post(tx, target) if quotes.stamp_uri(quoted, one) == stamp_uri]
    return any(one.quote_uri == post.uri and one.by_id == post.account_id for one in given)


def document(tx: Reader, name: str, stamp_id: int) -> dict[str, object]:
    """A stamp at its own address: two addresses, and nothing of either post. Raises NotFound."""
    author = accounts.by_uri(tx, tx.site.uri(f"/users/{name}"))
    if author is None or author.is_gone:
        raise NotFound
    stamp, post = quotes.stamp(tx, author, stamp_id)
    given = written.Stamp(quotes.stamp_uri(author, stamp), author.uri, stamp.quote_uri, post.uri)
    return documents.with_context(written.stamp_document(given), contexts.QUOTE)
