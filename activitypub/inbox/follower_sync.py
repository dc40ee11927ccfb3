"""FEP-8fcf at work: what another server's header about its followers here leads to, and what ours tells.

A header that may be acted on (`synchronization.wanted`) and does not fit what we know makes a job: the list
is fetched from the actor's own server, with a signed request, and compared again. Only follows by people of
this node change: one that their server does not know is ended here, one that waits for an answer they have
given is accepted, and one that only they know of is taken back with an Undo.
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
"""A follow this young may not have reached their list yet."""


async def check_header(node: Node, request: SignedRequest, claim: Claim, known: KnownKey) -> None:
    """Compare the header of a verified request with what we know, at most once in a while for one actor."""
    by = await node.db.read(accounts.by_id, known.account_id)
    said = None if by is None else follower_digest.trusted_header(request, claim, by.uri, by.followers_uri)
    memory = node.component(FederationCache)
    if by is None or said is None or memory.checked_digests.get(by.id) == said.digest:
        return
    memory.checked_digests.put(by.id, said.digest)
    if await node.db.read(_differs, by, said):
        payload = {"by": by.id, "collection": said.collection, "url": said.url, "digest": said.digest}
        await node.db.write(queue.add, "synchronize", payload, lane=f"fetch {known.host}")


async def synchronize(node: Node, job: Job) -> None:
    """Job `synchronize`: fetch the list, and correct what is wrong here."""
    said = SynchronizationHeader(job.payload["collection"], job.payload["url"], job.payload["digest"])
    by = await node.db.read(accounts.by_id, job.payload["by"])
    if by is None or by.is_inactive or not await node.db.read(_differs, by, said):
        return
    try:
        listed = await _fetch_followers(node, said.url)
    except Unfetchable as error:
        if error.temporary and job.attempts < MAX_ATTEMPTS:
            raise RetryLater(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("the followers of %s cannot be compared: %s", by.uri, error.reason)
        return
    await node.db.write(_apply_correction, by, said, listed)


async def _fetch_followers(node: Node, url: str) -> list[str]:
    """Everybody in the list, over a few pages. Raises Unfetchable."""
    found = await collections.fetch_items(
        node, Ref(uri=url), url, FetchBudget(MAX_PAGES, hosts=1), max_pages=MAX_PAGES
    )
    return found.uris


def _differs(tx: Reader, by: Account, said: SynchronizationHeader) -> bool:
    return follower_digest.differs(said, [uri for uri, _ in follows.local_followers(tx, by)])


def _apply_correction(tx: Writer, by: Account, said: SynchronizationHeader, listed: list[str]) -> None:
    ours = dict(follows.local_followers(tx, by))
    found = follower_digest.compute_correction(said, listed, ours, tx.site.uri("/"))
    if found is None:
        log.info("the followers of %s are not what their server said they are", by.uri)
        return
    before = now_ms() - MIN_FOLLOW_AGE_MS
    gone = [uri for uri in found.gone if ours[uri] < before]
    _end_follows(tx, by, gone)
    _accept_or_undo(tx, by, found)


def _end_follows(tx: Writer, by: Account, gone: list[str]) -> None:
    for uri in gone:
        person = accounts.by_uri(tx, uri)
        if person is not None and person.is_local:
            follows.unfollow(tx, person, by)


def _accept_or_undo(tx: Writer, by: Account, found: Correction) -> None:
    for uri in found.unknown:
        person = accounts.by_uri(tx, uri)
        if person is None or not person.is_local:
            continue
        asked = relationships.follow_between(tx, person, by)
        if asked is not None:
            follows.accept(tx, asked)
        elif not person.is_inactive:
            lost = f"{person.uri}#follows/unknown"
            extra = {"verb": "Follow", "uri": lost, "object_uri": by.uri}
            outbox.record(tx, person, "Undo", lost, target=by, extra=extra)


def followers_on_server(tx: Reader, account: Account, server_uri: str) -> list[str]:
    """The followers of one of ours who live on the server of somebody who asks."""
    there = follows.follower_uris_by_host(tx, account, [hostnames.netloc(server_uri)])
    return sorted(
        follower_digest.filter_by_origin((uri for uris in there.values() for uri in uris), server_uri)
    )
