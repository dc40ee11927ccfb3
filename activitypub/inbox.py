"""The inbox: who may drop something here, judged before anything is stored.

In this order, each step cheaper than what follows: method, size, type, what the signature claims, whether the
JSON is one activity of somebody on the signer's own server, whether that server is blocked, the key, the
signature, the signer. Then the activity is a `receive` job and the answer is 202: nobody waits for the deed.

The answers: 401 not proven, 403 blocked, 400 not an activity, 405, 408, 413, 415; 503 when their key cannot be
had at the moment, so that they try again. One line in the log says who and why.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from activitypub import actors, signatures, vocab
from activitypub.client import Unfetchable
from activitypub.memory import KnownKey, Memory
from activitypub.plain import Gone, Receive, Scope, Send, TooLarge, header, read_body, respond, signed_request
from activitypub.signatures import BadSignature, Claim, Request
from activitypub.uris import Malformed, host_of, same_origin
from activitypub.vocab import Activity
from node import accounts, domains, jobs
from node.database import Reader, Writer
from node.ids import new_id
from node.node import Node

log = logging.getLogger("tintype.inbox")

MOST_BODY = 1024 * 1024
TYPES = frozenset({"application/activity+json", "application/ld+json", "application/json"})


class Turned(Exception):
    """A request that is not accepted: the status, and the reason for the log and the sender's operator."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Inbox:
    """`POST` to any inbox of this node, over plain ASGI."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._memory = node.part(Memory)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._accept(scope, receive)
        except Turned as turned:
            reference = f"{new_id():x}"
            client = (scope.get("client") or ("?",))[0]
            log.info("inbox %s %s %s: %s", reference, turned.status, client, turned.reason)
            headers = [(b"retry-after", b"300")] if turned.status == 503 else []
            if turned.status == 405:
                headers.append((b"allow", b"POST"))
            body = f"{turned.reason} ({reference})\n".encode()
            await respond(scope, send, turned.status, body, headers=headers)
        else:
            await respond(scope, send, 202)

    async def _accept(self, scope: Scope, receive: Receive) -> None:
        if scope["method"] != "POST":
            raise Turned(405, "an inbox takes POST")
        kind = (header(scope, b"content-type") or "").partition(";")[0].strip().lower()
        if kind not in TYPES:
            raise Turned(415, "an inbox takes application/activity+json")
        try:
            body = await read_body(scope, receive, MOST_BODY)
        except TooLarge:
            raise Turned(413, "an activity has 1 MiB at most") from None
        except Gone:
            raise Turned(408, "the body did not arrive") from None
        request = signed_request(scope, self._node.site, body)
        try:
            claim = signatures.claim(request, time.time())
        except BadSignature as bad:
            raise Turned(401, bad.reason) from bad
        try:
            doc = vocab.parse_json(body)
            activity = vocab.activity(doc)
            host = host_of(activity.actor)
        except Malformed as malformed:
            raise Turned(400, str(malformed)) from malformed
        if not same_origin(claim.key_id, activity.actor):
            raise Turned(401, "the key is not of the actor's server")
        known = await self._signer(request, claim, activity, host)
        if known is None:
            return
        if known.owner != activity.actor:
            raise Turned(401, "the actor is not who signed")
        stored = await self._node.db.write(_store, {"doc": doc, "by": known.account_id, "host": host})
        if not stored:
            raise Turned(403, f"{host} is blocked here")

    async def _signer(self, request: Request, claim: Claim, activity: Activity, host: str) -> KnownKey | None:
        """Whose signature it is; None for a farewell of somebody we never knew, which is simply accepted."""
        known = self._memory.keys.get(claim.key_id)
        if known is None:
            is_blocked, is_known = await self._node.db.read(_about, host, activity.actor)
            if is_blocked:
                raise Turned(403, f"{host} is blocked here")
            if not is_known and _is_farewell(activity):
                return None
            known = await self._ask(claim, activity)
            if known is None:
                return None
        try:
            signatures.verify(claim, request, known.key)
        except BadSignature as bad:
            return await self._once_more(request, claim, activity, known, bad)
        return known

    async def _once_more(
        self, request: Request, claim: Claim, activity: Activity, known: KnownKey, bad: BadSignature
    ) -> KnownKey | None:
        """The key may have been changed: it is asked for again, but not at every wrong signature."""
        if self._memory.asked_again.get(claim.key_id):
            raise Turned(401, bad.reason) from bad
        self._memory.asked_again.put(claim.key_id, True)
        fresh = await self._ask(claim, activity, refresh=True)
        if fresh is None:
            return None
        if fresh.key == known.key:
            raise Turned(401, bad.reason) from bad
        try:
            signatures.verify(claim, request, fresh.key)
        except BadSignature as still:
            raise Turned(401, still.reason) from still
        return fresh

    async def _ask(self, claim: Claim, activity: Activity, *, refresh: bool = False) -> KnownKey | None:
        try:
            return await actors.key(self._node, claim.key_id, refresh=refresh)
        except Unfetchable as error:
            if error.gone and _is_farewell(activity):
                await self._node.db.write(_look_again, activity.actor)
                return None
            if error.temporary:
                raise Turned(503, "your key cannot be fetched at the moment") from error
            raise Turned(401, f"your key cannot be had: {error.reason}") from error


def _is_farewell(activity: Activity) -> bool:
    return activity.type == "Delete" and activity.object.uri == activity.actor


def _about(tx: Reader, host: str, actor: str) -> tuple[bool, bool]:
    return domains.is_blocked(tx, host), accounts.by_uri(tx, actor) is not None


def _look_again(tx: Writer, actor: str) -> None:
    """Their key is gone and they say goodbye: if we know them, their own server is asked whether it is true."""
    account = accounts.by_uri(tx, actor)
    if account is not None and not account.is_local and account.deleted_at is None:
        jobs.add(tx, "refresh_actor", {"id": account.id, "farewell": True})


def _store(tx: Writer, payload: dict[str, Any]) -> bool:
    if domains.is_blocked(tx, payload["host"]):
        return False
    jobs.add(tx, "receive", payload)
    return True
