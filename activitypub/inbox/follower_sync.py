"""FEP-8fcf at work: what another server's header about its followers here leads to, and what ours tells.

A header that may be acted on (`synchronization.wanted`) and does not fit what we know makes a job: the list
is fetched from the actor's own server, with a signed request, and compared again. Only follows by people of
this node change: one that their server does not know is ended here, one that waits for an answer they have
given is accepted, and one that only they know of is taken back with an Undo.
"""

from __future__ import annotations

import logging

from activitypub.client import collections
from activitypub.client.cache import KnownKey, Memory
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import Budget
from activitypub.signatures import Claim, Request, follower_digest
from activitypub.signatures.follower_digest import Correction, Synchronization
from activitypub.vocab import Ref
from node.accounts import accounts, relationships
from node.database import Reader, Writer
from node.federation import outbox
from node.ids import now_ms
from node.interactions import follows
from node.jobs import queue
from node.jobs.queue import Job, Later
from node.models.account import Account
from node.node import Node
from node.text import hostnames

log = logging.getLogger("tintype.inbox")

FIELD = follower_digest.HEADER.lower()
MOST_PAGES = 5
MOST_TRIES = 4
SETTLING_MS = 60_000
"""A follow this young may not have reached their list yet."""


async def consider(node: Node, request: Request, claim: Claim, known: KnownKey) -> None:
    """Compare the header of a verified request with what we know, at most once in a while for one actor."""
    by = await node.db.read(accounts.by_id, known.account_id)
    said = None if by is None else follower_digest.wanted(request, claim, by.uri, by.followers_uri)
    memory = node.part(Memory)
    if by is None or said is None or memory.compared.get(by.id) == said.digest:
        return
    memory.compared.put(by.id, said.digest)
    if await node.db.read(_differs, by, said):
        payload = {"by": by.id, "collection": said.collection, "url": said.url, "digest": said.digest}
        await node.db.write(queue.add, "synchronize", payload, lane=f"fetch {known.host}")


async def synchronize(node: Node, job: Job) -> None:
    """Job `synchronize`: fetch the list, and correct what is wrong here."""
    said = Synchronization(job.payload["collection"], job.payload["url"], job.payload["digest"])
    by = await node.db.read(accounts.by_id, job.payload["by"])
    if by is None or by.is_gone or not await node.db.read(_differs, by, said):
        return
    try:
        listed = await _listed(node, said.url)
    except Unfetchable as error:
        if error.temporary and job.attempts < MOST_TRIES:
            raise Later(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("the followers of %s cannot be compared: %s", by.uri, error.reason)
        return
    await node.db.write(_correct, by, said, listed)


async def _listed(node: Node, url: str) -> list[str]:
    """Everybody in the list, over a few pages. Raises Unfetchable."""
    found = await collections.members(node, Ref(uri=url), url, Budget(MOST_PAGES, hosts=1), pages=MOST_PAGES)
    return found.uris


def _differs(tx: Reader, by: Account, said: Synchronization) -> bool:
    return follower_digest.differs(said, [uri for uri, _ in follows.followers_here(tx, by)])


def _correct(tx: Writer, by: Account, said: Synchronization, listed: list[str]) -> None:
    ours = dict(follows.followers_here(tx, by))
    found = follower_digest.correction(said, listed, ours, tx.site.uri("/"))
    if found is None:
        log.info("the followers of %s are not what their server said they are", by.uri)
        return
    before = now_ms() - SETTLING_MS
    gone = [uri for uri in found.gone if ours[uri] < before]
    _end(tx, by, gone)
    _answer(tx, by, found)


def _end(tx: Writer, by: Account, gone: list[str]) -> None:
    for uri in gone:
        person = accounts.by_uri(tx, uri)
        if person is not None and person.is_local:
            follows.unfollow(tx, person, by)


def _answer(tx: Writer, by: Account, found: Correction) -> None:
    for uri in found.unknown:
        person = accounts.by_uri(tx, uri)
        if person is None or not person.is_local:
            continue
        asked = relationships.between(tx, person, by)
        if asked is not None:
            follows.accept(tx, asked)
        elif not person.is_gone:
            lost = f"{person.uri}#follows/unknown"
            extra = {"verb": "Follow", "uri": lost, "object_uri": by.uri}
            outbox.record(tx, person, "Undo", lost, target=by, extra=extra)


def our_part(tx: Reader, who: Account, asking: str) -> list[str]:
    """The followers of one of ours who live on the server of somebody who asks."""
    there = follows.followers_at(tx, who, [hostnames.place(asking)])
    return sorted(follower_digest.part((uri for uris in there.values() for uri in uris), asking))
