"""The inbox: who may drop something here, judged before anything is stored.

In this order, each step cheaper than what follows: method, size, type, what the signature claims, whether the
JSON is one activity, whether its server is blocked, the key, the signature, the signer. What its own author
has signed becomes a `receive` job; what somebody else brings counts only if its author has proved it, or as a
hint (`forwarding`). The answer is 202: nobody waits for the deed.

The answers: 401 not proven, 403 blocked, 400 not an activity, 405, 408, 413, 415, 429; 503 when their key
cannot be had at the moment, so that they try again. One line in the log says who and why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from activitypub import signatures, vocab
from activitypub.client.cache import FederationCache, KnownKey
from activitypub.client.client import Unfetchable
from activitypub.inbox import follower_sync, forwarding, verification
from activitypub.inbox.asgi import (
    BodyTooLarge,
    IncompleteBody,
    Receive,
    Scope,
    Send,
    header,
    read_body,
    respond,
    signed_request,
)
from activitypub.inbox.fair_queue import FairQueue, RateExceeded, claimed_host
from activitypub.remote import actors
from activitypub.signatures import BadSignature, Claim, SignedRequest, integrity_proofs
from activitypub.uris import Malformed, host_of, same_origin
from activitypub.vocab import Activity
from node.accounts import accounts
from node.database import Reader, Writer
from node.ids import new_id
from node.jobs import queue
from node.jobs.batching import Batcher
from node.moderation import domain_policy
from node.node import Node

log = logging.getLogger("tintype.inbox")

MAX_BODY_BYTES = 1024 * 1024
CONTENT_TYPES = frozenset({"application/activity+json", "application/ld+json", "application/json"})
_RETRY_LATER = [(b"retry-after", b"300")]
_HEADERS = {405: [(b"allow", b"POST")], 429: [(b"retry-after", b"30")], 503: _RETRY_LATER}


class Rejected(Exception):
    """A request that is not accepted: the status, and the reason for the log and the sender's operator."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class InboxJob:
    """What is let in: a job of that kind, the servers it came from and is about, and its place in the queue."""

    kind: str
    payload: dict[str, Any]
    hosts: frozenset[str]
    run_at: int

    @property
    def lane(self) -> str:
        return forwarding.fetch_lane(self.payload["uri"]) if self.kind == "look_up" else ""


class Inbox:
    """`POST` to any inbox of this node, over plain ASGI."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._cache = node.component(FederationCache)
        self._fair_queue = node.component(FairQueue)
        self._inserts: Batcher[InboxJob, bool] = Batcher(self._insert_batch, max_size=64, pause_seconds=0.002)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._accept(scope, receive)
        except Rejected as turned:
            reference = f"{new_id():x}"
            client = (scope.get("client") or ("?",))[0]
            who = claimed_host(scope) or "?"
            log.info("inbox %s %s from %s (%s): %s", reference, turned.status, who, client, turned.reason)
            body = f"{turned.reason} ({reference})\n".encode()
            await respond(scope, send, turned.status, body, headers=_HEADERS.get(turned.status, ()))
        else:
            await respond(scope, send, 202)

    async def _accept(self, scope: Scope, receive: Receive) -> None:
        body = await self._read_body(scope, receive)
        request = signed_request(scope, self._node.site, body)
        try:
            claim = signatures.parse_claim(request, time.time())
        except BadSignature as bad:
            raise Rejected(401, bad.reason) from bad
        try:
            doc = vocab.parse_json(body)
            _, actor = vocab.parse_type_and_actor(doc)
            host = host_of(actor)
        except Malformed as malformed:
            raise Rejected(400, str(malformed)) from malformed
        if not same_origin(claim.key_id, actor):
            await self._accept_forwarded(request, claim, vocab.parse_activity(doc))
            return
        known = await self._find_signer(request, claim, doc, host)
        if known is None:
            return
        if known.owner != actor:
            raise Rejected(401, "the actor is not who signed")
        self._fair_queue.record_accepted(host)
        await self._enqueue("receive", {"doc": doc, "by": known.account_id, "host": host}, host)
        if request.values(follower_sync.HEADER_NAME):
            await follower_sync.check_header(self._node, request, claim, known)

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes:
        if scope["method"] != "POST":
            raise Rejected(405, "an inbox takes POST")
        kind = (header(scope, b"content-type") or "").partition(";")[0].strip().lower()
        if kind not in CONTENT_TYPES:
            raise Rejected(415, "an inbox takes application/activity+json")
        try:
            await self._fair_queue.throttle(scope)
            return await read_body(scope, receive, MAX_BODY_BYTES)
        except RateExceeded:
            raise Rejected(429, "too much at once") from None
        except BodyTooLarge:
            raise Rejected(413, "an activity has 1 MiB at most") from None
        except IncompleteBody:
            raise Rejected(408, "the body did not arrive") from None

    async def _find_signer(
        self, request: SignedRequest, claim: Claim, doc: dict[str, Any], host: str
    ) -> KnownKey | None:
        """Whose signature it is; None for a farewell of somebody we never knew, which is simply accepted."""
        known = self._cache.keys.get(claim.key_id)
        try:
            if known is None:
                activity = vocab.parse_activity(doc)
                is_blocked, is_known = await self._node.db.read(_blocked_and_known, host, activity.actor)
                if is_blocked:
                    raise Rejected(403, f"{host} is blocked here")
                if not is_known and _is_actor_deletion(activity):
                    return None
                known = await actors.find_key(self._node, claim.key_id)
            return await verification.verify_request(self._node, request, claim, known)
        except BadSignature as bad:
            raise Rejected(401, bad.reason) from bad
        except Unfetchable as error:
            activity = vocab.parse_activity(doc)
            if error.gone and activity.type == "Delete":
                # Nobody can be asked any more whether it is true: for a farewell their own server is.
                if _is_actor_deletion(activity):
                    await self._node.db.write(_queue_refresh, activity.actor)
                return None
            raise _key_unavailable(error) from error

    async def _accept_forwarded(self, request: SignedRequest, claim: Claim, activity: Activity) -> None:
        """Somebody brings what another server's actor is said to have done."""
        hint: dict[str, Any] | None = None
        is_proved = integrity_proofs.has_proof(activity.raw)
        if not is_proved:
            hint = await self._node.db.read(forwarding.lookup_payload, claim.key_id, activity)
            if hint is None:
                raise Rejected(401, "the key is not of the actor's server")
        try:
            bearer = await actors.find_key(self._node, claim.key_id)
            bearer = await verification.verify_request(self._node, request, claim, bearer)
            kind, payload = "look_up", hint or {}
            if is_proved:
                author, doc = await verification.verify_proof(self._node, activity.raw, activity.actor)
                kind, payload = "receive", {"doc": doc, "by": author.account_id, "host": bearer.host}
        except BadSignature as bad:
            raise Rejected(401, bad.reason) from bad
        except Unfetchable as error:
            raise _key_unavailable(error) from error
        self._fair_queue.record_accepted(bearer.host)
        await self._enqueue(kind, payload, bearer.host, host_of(activity.actor))

    async def _enqueue(self, kind: str, payload: dict[str, Any], *hosts: str) -> None:
        letter = InboxJob(kind, payload, frozenset(hosts), self._fair_queue.next_run_at(hosts[0]))
        if not await self._inserts(letter):
            raise Rejected(403, f"{' or '.join(hosts)} is blocked here")

    async def _insert_batch(self, group: list[InboxJob]) -> Sequence[bool]:
        return await self._node.db.write(_insert_jobs, group)


def _key_unavailable(error: Unfetchable) -> Rejected:
    if error.temporary:
        return Rejected(503, "your key cannot be fetched at the moment")
    return Rejected(401, f"your key cannot be had: {error.reason}")


def _is_actor_deletion(activity: Activity) -> bool:
    return activity.type == "Delete" and activity.object.uri == activity.actor


def _blocked_and_known(tx: Reader, host: str, actor: str) -> tuple[bool, bool]:
    return domain_policy.is_blocked(tx, host), accounts.by_uri(tx, actor) is not None


def _queue_refresh(tx: Writer, actor: str) -> None:
    """Their key is gone and they say goodbye: if we know them, their own server is asked whether it is true."""
    account = accounts.by_uri(tx, actor)
    if account is not None and not account.is_local and account.deleted_at is None:
        queue.add(tx, "refresh_actor", {"id": account.id, "farewell": True})


def _insert_jobs(tx: Writer, group: list[InboxJob]) -> list[bool]:
    """Store many letters at once; which of them were, and not refused because a server is blocked."""
    blocked = domain_policy.blocked_among(tx, {host for letter in group for host in letter.hosts})
    kept = [letter.hosts.isdisjoint(blocked) for letter in group]
    by_kind: dict[str, list[InboxJob]] = {}
    for letter, is_kept in zip(group, kept, strict=True):
        if is_kept:
            by_kind.setdefault(letter.kind, []).append(letter)
    for kind, letters in by_kind.items():
        queue.add_many(
            tx,
            kind,
            [(msgspec.json.encode(letter.payload), letter.lane) for letter in letters],
            run_at=[letter.run_at for letter in letters],
        )
    return kept
