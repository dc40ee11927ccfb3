"""The inbox endpoint: verifies a POST before anything is stored, and queues the activity.

The checks, each cheaper than the next: method, type, whether there is a signature, size, what it claims, whether the JSON is one
activity, whether its server is blocked, the key, the signature, the signer. An activity signed by its own actor
becomes a `receive` job. One that another server forwards counts only if its actor has proved it (FEP-8b32), or
as a hint to fetch a post (`forwarding`). The response is 202 before the activity is processed.

Other responses: 400 not an activity, 401 not verified, 403 blocked, 405, 408, 413, 415, 429; 503 if the key
cannot be fetched at the moment, so that the sender retries. A refusal is one line in the log, with its reason; where there are many, only the first
ones of a minute, and their number.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from activitypub import signatures, vocab
from activitypub.asgi import (
    BodyTooLarge,
    IncompleteBody,
    Receive,
    Scope,
    Send,
    end_turn,
    header,
    read_body,
    respond,
    signed_request,
)
from activitypub.client.cache import FederationCache, KnownKey
from activitypub.client.client import Unfetchable
from activitypub.inbox import follower_sync, forwarding, verification
from activitypub.inbox.fair_queue import FairQueue, RateExceeded, claimed_host
from activitypub.inbox.refusal_log import RefusalLog
from activitypub.remote import actors
from activitypub.signatures import BadSignature, Claim, SignedRequest
from activitypub.signatures.integrity_proofs import Proof
from activitypub.uris import Malformed, host_of, same_origin
from activitypub.vocab import Activity
from node.accounts import accounts
from node.database import Reader, Writer
from node.ids import new_id
from node.jobs import queue
from node.jobs.batching import Batcher
from node.moderation import domain_rules
from node.node import Node

_VERIFIED_KEY = "tintype.is_signature_verified"

MAX_BODY_BYTES = 1024 * 1024
CONTENT_TYPES = frozenset({"application/activity+json", "application/ld+json", "application/json"})
_RETRY_LATER = [(b"retry-after", b"300")]
_HEADERS = {405: [(b"allow", b"POST")], 429: [(b"retry-after", b"30")], 503: _RETRY_LATER}


def is_signature_verified(scope: Scope) -> bool | None:
    """Returns whether a request to an inbox had a valid signature, and was accepted for it."""
    return scope.get(_VERIFIED_KEY)


class Rejected(Exception):
    """The request is refused with `status`; `reason` is for the log and for the sender's operator."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class InboxJob:
    """A job to queue for an accepted request: `hosts` are the sender and the actor, `run_at` its place (ms)."""

    kind: str
    payload: dict[str, Any]
    hosts: frozenset[str]
    run_at: int

    @property
    def lane(self) -> str:
        return forwarding.fetch_lane(self.payload["uri"]) if self.kind == "look_up" else ""


class Inbox:
    """The ASGI app of every inbox of this node, shared or personal."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._cache = node.component(FederationCache)
        self._fair_queue = node.component(FairQueue)
        self._refusals = RefusalLog()
        self._inserts: Batcher[InboxJob, bool] = Batcher(self._insert_batch, max_size=64, pause_seconds=0.002)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._accept(scope, receive)
        except Rejected as refusal:
            reference = f"{new_id():x}"
            client = (scope.get("client") or ("?",))[0]
            host = claimed_host(scope) or "?"
            line = f"inbox {reference} {refusal.status} from {host} ({client}): {refusal.reason}"
            is_signed = header(scope, b"signature") is not None
            if is_signed and refusal.status == 401:
                scope[_VERIFIED_KEY] = False
            self._refusals.add(line, is_signed=is_signed)
            body = f"{refusal.reason} ({reference})\n".encode()
            await respond(scope, send, refusal.status, body, headers=_HEADERS.get(refusal.status, ()))
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
            await self._accept_forwarded(scope, request, claim, vocab.parse_activity(doc))
            scope[_VERIFIED_KEY] = True
            return
        known = await self._find_signer(scope, request, claim, doc, host)
        if known is None:
            return
        if known.owner != actor:
            raise Rejected(401, "the signature is not by the actor")
        self._fair_queue.record_accepted(host)
        end_turn(scope)  # what is left waits for the database, with many others in one write
        signed_at = signatures.signed_at(claim, request)
        await self._enqueue(
            "receive", {"doc": doc, "by": known.account_id, "host": host, "signed_at": signed_at}, host
        )
        scope[_VERIFIED_KEY] = True
        if request.values(follower_sync.HEADER_NAME):
            await follower_sync.check_header(self._node, request, claim, known)

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes:
        if scope["method"] != "POST":
            raise Rejected(405, "an inbox accepts only POST")
        content_type = (header(scope, b"content-type") or "").partition(";")[0].strip().lower()
        if content_type not in CONTENT_TYPES:
            raise Rejected(415, "an inbox accepts application/activity+json")
        if header(scope, b"signature") is None:
            raise Rejected(401, "the request is not signed")
        try:
            await self._fair_queue.throttle(scope)
            return await read_body(scope, receive, MAX_BODY_BYTES)
        except RateExceeded:
            raise Rejected(429, "too many requests") from None
        except BodyTooLarge:
            raise Rejected(413, "an activity is at most 1 MiB") from None
        except IncompleteBody:
            raise Rejected(408, "the body did not arrive in time") from None

    async def _find_signer(
        self, scope: Scope, request: SignedRequest, claim: Claim, doc: dict[str, Any], host: str
    ) -> KnownKey | None:
        """Returns the key that made the signature; None for a Delete that is accepted without effect.

        That is the deletion of an account never seen here, or any Delete whose key is gone with its account.
        """
        known = self._cache.keys.get(claim.key_id)
        try:
            if known is None:
                activity = vocab.parse_activity(doc)
                is_blocked, is_known = await self._node.db.read(_blocked_and_known, host, activity.actor)
                if is_blocked:
                    raise Rejected(403, f"{host} is blocked")
                if not is_known and _is_actor_deletion(activity):
                    return None
                end_turn(scope)
                known = await actors.find_key(self._node, claim.key_id)
            return await verification.verify_request(self._node, request, claim, known)
        except BadSignature as bad:
            raise Rejected(401, bad.reason) from bad
        except Unfetchable as error:
            activity = vocab.parse_activity(doc)
            if error.gone and activity.type == "Delete":
                # The key is gone, so it cannot be verified: of an account deletion, the actor's URI tells the truth.
                if _is_actor_deletion(activity):
                    await self._node.db.write(_queue_refresh, activity.actor)
                return None
            raise _key_unavailable(error) from error

    async def _accept_forwarded(
        self, scope: Scope, request: SignedRequest, claim: Claim, activity: Activity
    ) -> None:
        """Accepts an activity that another server than the actor's has sent, if it is proved or useful as a hint."""
        hint: dict[str, Any] | None = None
        proofs: list[Proof] = []
        try:
            proofs = verification.usable_proofs(activity.raw, activity.actor)
        except BadSignature as bad:
            hint = await self._node.db.read(forwarding.lookup_payload, claim.key_id, activity)
            if hint is None:
                raise Rejected(401, f"the key is not on the actor's server, and {bad.reason}") from bad
        end_turn(scope)
        try:
            sender = await actors.find_key(self._node, claim.key_id)
            sender = await verification.verify_request(self._node, request, claim, sender)
            kind, payload = "look_up", hint or {}
            if proofs:
                author, proof = await verification.verify_proof(self._node, proofs, activity.actor)
                kind = "receive"
                payload = {
                    "doc": proof.document,
                    "by": author.account_id,
                    "host": sender.host,
                    # The server that relays it may sign it anew at any time.
                    "signed_at": proof.created_ms // 1000,
                }
        except BadSignature as bad:
            raise Rejected(401, bad.reason) from bad
        except Unfetchable as error:
            raise _key_unavailable(error) from error
        self._fair_queue.record_accepted(sender.host)
        await self._enqueue(kind, payload, sender.host, host_of(activity.actor))

    async def _enqueue(self, kind: str, payload: dict[str, Any], *hosts: str) -> None:
        job = InboxJob(kind, payload, frozenset(hosts), self._fair_queue.next_run_at(hosts[0]))
        if not await self._inserts(job):
            raise Rejected(403, f"{' or '.join(hosts)} is blocked")

    async def _insert_batch(self, batch: list[InboxJob]) -> Sequence[bool]:
        return await self._node.db.write(_insert_jobs, batch)


def _key_unavailable(error: Unfetchable) -> Rejected:
    if error.temporary:
        return Rejected(503, "your key cannot be fetched at the moment")
    return Rejected(401, f"your key cannot be fetched: {error.reason}")


def _is_actor_deletion(activity: Activity) -> bool:
    return activity.type == "Delete" and activity.object.uri == activity.actor


def _blocked_and_known(tx: Reader, host: str, actor: str) -> tuple[bool, bool]:
    return domain_rules.is_blocked(tx, host), accounts.by_uri(tx, actor) is not None


def _queue_refresh(tx: Writer, actor: str) -> None:
    """Queues a fetch of a known remote actor whose Delete cannot be verified: is the account really gone?"""
    account = accounts.by_uri(tx, actor)
    if account is not None and not account.is_local and account.deleted_at is None:
        queue.add(tx, "refresh_actor", {"id": account.id, "farewell": True})


def _insert_jobs(tx: Writer, batch: list[InboxJob]) -> list[bool]:
    """Inserts many jobs at once; False for each that is not, because one of its servers is blocked."""
    blocked = domain_rules.blocked_among(tx, {host for job in batch for host in job.hosts})
    kept = [job.hosts.isdisjoint(blocked) for job in batch]
    by_kind: dict[str, list[InboxJob]] = {}
    for job, is_kept in zip(batch, kept, strict=True):
        if is_kept:
            by_kind.setdefault(job.kind, []).append(job)
    for kind, jobs in by_kind.items():
        queue.add_many(
            tx,
            kind,
            [(msgspec.json.encode(job.payload), job.lane) for job in jobs],
            run_at=[job.run_at for job in jobs],
        )
    return kept
