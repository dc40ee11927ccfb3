"""The door for other servers: discovery, people, posts and collections, over plain ASGI.

`takes` says whether a request is for this door: everything under the discovery paths and inboxes, and the
addresses that are also pages when the sender prefers ActivityPub. Answers that depend on who asks are never
kept by a shared cache; what may not be seen looks exactly like what does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import msgspec
from werkzeug.routing import Rule

from activitypub import collections, nodeinfo, resources, viewers, webfinger
from activitypub.inbox import Inbox
from activitypub.memory import KnownKey, Memory
from activitypub.plain import Receive, Scope, Send, header, headers, respond
from activitypub.routing import Found, Router
from activitypub.uris import Malformed
from node import statistics
from node.errors import NotFound
from node.node import Node

AP_TYPE = "application/activity+json; charset=utf-8"
JRD_TYPE = "application/jrd+json; charset=utf-8"
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_VARY = (b"vary", b"Accept, Signature")
_PUBLIC_CACHE = (b"cache-control", b"public, max-age=60")
READING = frozenset({"GET", "HEAD"})
_NO_STORE = (b"cache-control", b"private, no-store")

_QUALITY = re.compile(r";\s*q=([0-9.]{1,5})")


def wants_activity(accept: str) -> bool:
    """Whether an `Accept` header prefers ActivityPub to HTML. `*/*` is a person, or a tool of one."""
    activity = html = 0.0
    for part in accept[:2000].lower().split(","):
        name = part.partition(";")[0].strip()
        found = _QUALITY.search(part)
        try:
            quality = float(found[1]) if found else 1.0
        except ValueError:
            quality = 0.0
        if name in ("application/activity+json", "application/ld+json"):
            activity = max(activity, quality)
        elif name in ("text/html", "application/xhtml+xml"):
            html = max(html, quality)
    return activity > 0 and activity >= html


@dataclass(frozen=True, slots=True)
class _Asked:
    """One GET: what stands in the path, and who signed it, where that was looked at."""

    scope: Scope
    send: Send
    args: dict[str, str]
    asking: KnownKey | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What answers at an address.

    `is_page`: people find a page there, so it is asked for by `Accept`. `is_open`: whoever asks gets it, even
    in secure mode. `has_key`: in secure mode, who does not sign is given the key that is there.
    """

    answer: Callable[[Door, _Asked], Awaitable[None]]
    is_page: bool = False
    is_open: bool = False
    has_key: bool = False


class Door:
    """The federation side of one node, as one ASGI app."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._memory = node.part(Memory)
        self._inbox = Inbox(node)

    def find(self, scope: Scope) -> Found[Endpoint | None] | None:
        """Who answers this request; None when it is not for this door."""
        found = _ROUTES.find(scope["method"], scope["path"])
        if found is None or found.endpoint is None or not found.endpoint.is_page:
            return found
        if scope["method"] in READING and wants_activity(",".join(headers(scope, b"accept"))):
            return found
        return None

    def takes(self, scope: Scope) -> bool:
        return self.find(scope) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers by itself, with documents only: nobody else has pages."""
        found = _ROUTES.find(scope["method"], scope["path"])
        if found is None:
            await respond(scope, send, 404)
        else:
            await self.answer(found, scope, receive, send)

    async def answer(self, found: Found[Endpoint | None], scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request with what `find` has found for it."""
        if found.endpoint is None:
            await self._inbox(scope, receive, send)
        elif scope["method"] not in READING:
            await respond(scope, send, 405, headers=[(b"allow", b"GET, HEAD")])
        elif found.endpoint.is_open:
            await found.endpoint.answer(self, _Asked(scope, send, found.args))
        else:
            await self._show(found.endpoint, _Asked(scope, send, found.args))

    async def _host_meta(self, asked: _Asked) -> None:
        xrd = webfinger.host_meta(self._node.site).encode()
        kind = "application/xrd+xml; charset=utf-8"
        await respond(asked.scope, asked.send, 200, xrd, kind, [_ANY_ORIGIN, _PUBLIC_CACHE])

    async def _host_meta_json(self, asked: _Asked) -> None:
        document = webfinger.host_meta_json(self._node.site)
        await _json(asked.scope, asked.send, 200, document, JRD_TYPE, [_ANY_ORIGIN])

    async def _nodeinfo_links(self, asked: _Asked) -> None:
        document = nodeinfo.links(self._node.site)
        more = [_ANY_ORIGIN, _PUBLIC_CACHE]
        await _json(asked.scope, asked.send, 200, document, "application/json", more)

    async def _nodeinfo(self, asked: _Asked) -> None:
        version = asked.args["version"]
        numbers = await self._node.db.read(statistics.of)
        document = nodeinfo.document(self._node.config, version, numbers)
        kind = nodeinfo.content_type(version)
        await _json(asked.scope, asked.send, 200, document, kind, [_ANY_ORIGIN, _PUBLIC_CACHE])

    async def _webfinger(self, asked: _Asked) -> None:
        scope = asked.scope
        status, body = await self._remembered(
            "webfinger " + scope["query_string"].decode("latin-1"), lambda: self._jrd(scope)
        )
        more = [_ANY_ORIGIN, _PUBLIC_CACHE] if status == 200 else [_ANY_ORIGIN]
        await respond(scope, asked.send, status, body, JRD_TYPE if status == 200 else "text/plain", more)

    async def _jrd(self, scope: Scope) -> tuple[int, bytes]:
        try:
            query = parse_qs(scope["query_string"].decode("ascii"), max_num_fields=20)
            resources = query.get("resource", [])
            if len(resources) != 1:
                raise Malformed("one resource is needed")
            found = await self._node.db.read(webfinger.local, resources[0])
        except (Malformed, ValueError):
            return 400, b"A resource is needed, such as acct:name@host.\n"
        if found is None:
            return 404, b"There is nobody by that name here.\n"
        if found.deleted_at is not None:
            return 410, b"That account has been deleted.\n"
        return 200, msgspec.json.encode(webfinger.document(self._node.site, found, query.get("rel", [])))

    async def _remembered(
        self, name: str, look: Callable[[], Awaitable[tuple[int, bytes]]]
    ) -> tuple[int, bytes]:
        """An answer that is the same for everyone, looked up at most once a second."""
        found = self._memory.answers.get(name)
        if found is None:
            found = await look()
            self._memory.answers.put(name, found)
        return found

    async def _show(self, endpoint: Endpoint, asked: _Asked) -> None:
        """Answers, unless whoever asks may have nothing, or has to say first who they are."""
        scope, send = asked.scope, asked.send
        if await viewers.is_refused(self._node, scope, asked.args.get("name", "")):
            await respond(scope, send, 403, b"Nothing here is for you.\n", headers=[_VARY, _NO_STORE])
            return
        if self._node.config.federation.secure_mode:
            asked = replace(asked, asking=await viewers.signer(self._node, scope))
            if asked.asking is None:
                await (self._key_alone(asked) if endpoint.has_key else self._unsigned(asked))
                return
        await endpoint.answer(self, asked)

    async def _give(self, asked: _Asked, status: int, body: bytes) -> None:
        cache = _NO_STORE if self._node.config.federation.secure_mode else _PUBLIC_CACHE
        await respond(asked.scope, asked.send, status, body, AP_TYPE, [_VARY, cache])

    async def _give_them(self, asked: _Asked, status: int, body: bytes) -> None:
        """What is for whoever asks, and for nobody who shares a cache with them."""
        await respond(asked.scope, asked.send, status, body, AP_TYPE, [_VARY, _NO_STORE])

    async def _unsigned(self, asked: _Asked) -> None:
        more = [_VARY, _NO_STORE]
        await respond(asked.scope, asked.send, 401, b"This wants a signed request.\n", headers=more)

    async def _key_alone(self, asked: _Asked) -> None:
        """Of a person what it takes to check a signature of theirs."""
        await self._give_them(asked, *await self._answer(resources.key_of, asked.args["name"]))

    async def _instance(self, asked: _Asked) -> None:
        """Whoever wants to check our signatures must be able to read this without one."""
        status, body = await self._remembered("actor", lambda: self._answer(resources.instance))
        await respond(asked.scope, asked.send, status, body, AP_TYPE, [_VARY, _PUBLIC_CACHE])

    async def _person(self, asked: _Asked) -> None:
        name = asked.args["name"]
        status, body = await self._remembered(
            f"actor {name.lower()}", lambda: self._answer(resources.person, name)
        )
        await self._give(asked, status, body)

    async def _compared(self, asked: _Asked) -> None:
        """Whom of the signer's own server we believe to follow somebody: for nobody else to know (FEP-8fcf)."""
        asking = await viewers.signer(self._node, asked.scope)
        if asking is None:
            await self._unsigned(asked)
            return
        await self._give_them(
            asked, *await self._answer(resources.followers_there, asked.args["name"], asking.owner)
        )

    async def _post(self, asked: _Asked) -> None:
        """A post, its tombstone, or nothing. Only for one that is not public does it matter who asks."""
        scope, asking = asked.scope, asked.asking
        name, post_id = asked.args["name"], int(asked.args["id"])
        status, body = await self._answer(resources.note, name, post_id, asking)
        if status == 404 and asking is None and header(scope, b"signature") is not None:
            asking = await viewers.signer(self._node, scope)
            if asking is not None:
                status, body = await self._answer(resources.note, name, post_id, asking)
        is_open = status == 410 or (status == 200 and asking is None)
        cache = _PUBLIC_CACHE if is_open else _NO_STORE
        await respond(scope, asked.send, status, body, AP_TYPE, [_VARY, cache])

    async def _created(self, asked: _Asked) -> None:
        args = asked.args
        await self._give(asked, *await self._answer(resources.created, args["name"], int(args["id"])))

    async def _said(self, asked: _Asked) -> None:
        args = asked.args
        await self._give(
            asked, *await self._answer(resources.activity, args["name"], args["kind"], args["id"])
        )

    async def _instance_outbox(self, asked: _Asked) -> None:
        await self._collection(asked, collections.of_instance)

    async def _of_person(self, asked: _Asked) -> None:
        await self._collection(asked, collections.of_person, asked.args["name"], asked.args["kind"])

    async def _featured(self, asked: _Asked) -> None:
        await self._collection(asked, collections.of_person, asked.args["name"], "collections/featured")

    async def _of_post(self, asked: _Asked) -> None:
        args = asked.args
        await self._collection(asked, collections.of_post, args["name"], int(args["id"]), args["kind"])

    async def _of_tag(self, asked: _Asked) -> None:
        await self._collection(asked, collections.of_tag, asked.args["tag"])

    async def _collection(self, asked: _Asked, unit: Callable[..., dict[str, Any]], *about: Any) -> None:
        query = dict(parse_qsl(asked.scope["query_string"].decode("latin-1"), max_num_fields=20))
        cursor = collections.cursor(query)
        status, body = await self._answer(lambda tx: (200, unit(tx, *about, cursor)))
        await self._give(asked, status, body)

    async def _answer(self, unit: Callable[..., tuple[int, Any]], *about: Any) -> tuple[int, bytes]:
        try:
            status, document = await self._node.db.read(unit, *about)
        except NotFound:
            status, document = resources.NOTHING
        return status, msgspec.json.encode(document)


async def _json(
    scope: Scope, send: Send, status: int, document: Any, kind: str, more: list[tuple[bytes, bytes]]
) -> None:
    await respond(scope, send, status, msgspec.json.encode(document), kind, more)


_ACCOUNT, _POST = "/users/<name>", "/p/<name>/<digits:id>"

_ROUTES: Router[Endpoint | None] = Router(
    Rule(path, endpoint=endpoint)
    for path, endpoint in {
        # An inbox reads what it is sent, so that it is the one endpoint that is no answer to a GET.
        "/inbox": None,
        "/actor/inbox": None,
        f"{_ACCOUNT}/inbox": None,
        "/.well-known/webfinger": Endpoint(Door._webfinger, is_open=True),
        "/.well-known/host-meta": Endpoint(Door._host_meta, is_open=True),
        "/.well-known/host-meta.json": Endpoint(Door._host_meta_json, is_open=True),
        "/.well-known/nodeinfo": Endpoint(Door._nodeinfo_links, is_open=True),
        "/nodeinfo/<any('2.0', '2.1'):version>": Endpoint(Door._nodeinfo, is_open=True),
        "/actor": Endpoint(Door._instance, is_open=True),
        "/actor/outbox": Endpoint(Door._instance_outbox),
        _ACCOUNT: Endpoint(Door._person, is_page=True, has_key=True),
        "/@<name:name>": Endpoint(Door._person, is_page=True),
        f"{_ACCOUNT}/<any(outbox, followers, following):kind>": Endpoint(Door._of_person),
        f"{_ACCOUNT}/collections/featured": Endpoint(Door._featured),
        f"{_ACCOUNT}/followers_synchronization": Endpoint(Door._compared),
        f"{_ACCOUNT}/<any(activities, boosts, stamps):kind>/<digits:id>": Endpoint(Door._said),
        _POST: Endpoint(Door._post, is_page=True),
        f"{_POST}/activity": Endpoint(Door._created),
        f"{_POST}/<any(replies, likes, shares, context):kind>": Endpoint(Door._of_post),
        "/tags/<tag>": Endpoint(Door._of_tag, is_page=True),
    }.items()
)
