"""Follower synchronization (FEP-8fcf): compares a remote account's local followers with what its server has.

A `Collection-Synchronization` header that is trusted (`follower_digest.trusted_header`) and does not match the
tables becomes a job: the list is fetched from the actor's own server with a signed request and compared again.
Only follows by local accounts change: one that the remote server does not have is removed, a pending one that it
lists is accepted, and one that only the remote server has is undone with an Undo.
"""

from __future__ import annotations

import logging

from activitypub.client import collections
from activitypub.client.cache import FederationCache, KnownKey
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget
from activitypub.signatures import Claim, SignedRequest, follower_digest
from activitypub.signatures.follower_digest import Correction, SynchronizationHeader
from activitypub.vocab import Ref
from node.accounts import accounts, relationships
from node.database import Reader, Writer
from node.federation import outbox
from node.ids import now_ms
from node.interactions import follows
from node.jobs import queue
from node.jobs.queue import Job, RetryLater
from node.models.account import Account
from node.node import Node
from node.text import hostnames

log = logging.getLogger("tintype.inbox")

HEADER_NAME = follower_digest.HEADER.lower()
MAX_PAGES = 5
MAX_ATTEMPTS = 4
MIN_FOLLOW_AGE_MS = 60_000
"""A follow younger than this may not be in the remote list yet, and is kept."""


async def check_header(node: Node, request: SignedRequest, claim: Claim, known: KnownKey) -> None:
    """Compares the header of a verified request with the tables, and queues `synchronize` if they differ.

    A digest that was compared for this actor lately is skipped.
    """
    actor = await node.db.read(accounts.by_id, known.account_id)
    if actor is None:
        return
    sent = follower_digest.trusted_header(request, claim, actor.uri, actor.followers_uri)
    cache = node.component(FederationCache)
    if sent is None or cache.checked_digests.get(actor.id) == sent.digest:
        return
    cache.checked_digests.put(actor.id, sent.digest)
    if await node.db.read(_differs, actor, sent):
        payload = {"by": actor.id, "collection": sent.collection, "url": sent.url, "digest": sent.digest}
        await node.db.write(queue.add, "synchronize", payload, lane=f"fetch {known.host}")


async def synchronize(node: Node, job: Job) -> None:
    """Job `synchronize`: fetches the list of followers and corrects the local follows that differ."""
    sent = SynchronizationHeader(job.payload["collection"], job.payload["url"], job.payload["digest"])
    actor = await node.db.read(accounts.by_id, job.payload["by"])
    if actor is None or actor.is_inactive or not await node.db.read(_differs, actor, sent):
        return
    try:
        listed = await _fetch_followers(node, sent.url)
    except Unfetchable as error:
        if error.temporary and job.attempts < MAX_ATTEMPTS:
            raise RetryLater(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("cannot compare the followers of %s: %s", actor.uri, error.reason)
        return
    await node.db.write(_apply_correction, actor, sent, listed)


async def _fetch_followers(node: Node, url: str) -> list[str]:
    """Fetches the account URIs in the list, from MAX_PAGES pages at most. Raises Unfetchable."""
    found = await collections.fetch_items(
        node, Ref(uri=url), url, FetchBudget(MAX_PAGES, hosts=1), max_pages=MAX_PAGES
    )
    return found.uris


def _differs(tx: Reader, actor: Account, sent: SynchronizationHeader) -> bool:
    return follower_digest.differs(sent, [uri for uri, _ in follows.local_followers(tx, actor)])


def _apply_correction(tx: Writer, actor: Account, sent: SynchronizationHeader, listed: list[str]) -> None:
    local = dict(follows.local_followers(tx, actor))
    correction = follower_digest.compute_correction(sent, listed, local, tx.site.uri("/"))
    if correction is None:
        log.info("the followers of %s do not match the digest their server sent", actor.uri)
        return
    before = now_ms() - MIN_FOLLOW_AGE_MS
    gone = [uri for uri in correction.gone if local[uri] < before]
    _remove_follows(tx, actor, gone)
    _accept_or_undo(tx, actor, correction)


def _remove_follows(tx: Writer, actor: Account, gone: list[str]) -> None:
    for uri in gone:
        follower = accounts.by_uri(tx, uri)
        if follower is not None and follower.is_local:
            follows.unfollow(tx, follower, actor)


def _accept_or_undo(tx: Writer, actor: Account, correction: Correction) -> None:
    for uri in correction.unknown:
        follower = accounts.by_uri(tx, uri)
        if follower is None or not follower.is_local:
            continue
        follow = relationships.follow_between(tx, follower, actor)
        if follow is not None:
            follows.accept(tx, follow)
        elif not follower.is_inactive:
            # The id of the Follow is not known any more: servers find it by follower and followed.
            follow_uri = f"{follower.uri}#follows/unknown"
            extra = {"verb": "Follow", "uri": follow_uri, "object_uri": actor.uri}
            outbox.record(tx, follower, "Undo", follow_uri, target=actor, extra=extra)


def followers_on_server(tx: Reader, account: Account, server_uri: str) -> list[str]:
    """Returns the URIs of a local account's followers on one server, sorted: what that server may fetch."""
    by_host = follows.follower_uris_by_host(tx, account, [hostnames.netloc(server_uri)])
    return sorted(
        follower_digest.filter_by_origin((uri for uris in by_host.values() for uri in uris), server_uri)
    )
