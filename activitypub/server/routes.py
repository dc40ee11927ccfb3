"""The ASGI app for remote servers: discovery, inboxes, actors, posts and collections.

`FederationApp.find` decides whether a request belongs to it: every discovery path and inbox does, and an address that
is also a page if the `Accept` header prefers ActivityPub. Responses that depend on the signer are never stored by a
shared cache; an object that the signer may not see looks exactly like one that does not exist.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import msgspec

from activitypub.asgi import Receive, Scope, Send, header, headers, respond
from activitypub.client.cache import FederationCache, KnownKey
from activitypub.documents import nodeinfo
from activitypub.documents import webfinger as webfinger_documents
from activitypub.documents.private_media import bind_to_server
from activitypub.inbox.endpoint import Inbox
from activitypub.remote import webfinger
from activitypub.server import authorized_fetch, collections, resources
from activitypub.server.routing import MatchRule, RouteMatch, Router
from activitypub.uris import Malformed
from node.admin.statistics import StatisticsCache
from node.errors import DatabaseUnavailable, NotFound
from node.node import Node

log = logging.getLogger("tintype.federation")

AP_TYPE = "application/activity+json; charset=utf-8"
JRD_TYPE = "application/jrd+json; charset=utf-8"
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_VARY = (b"vary", b"Accept, Signature")
_PUBLIC_CACHE = (b"cache-control", b"public, max-age=60")
READ_METHODS = frozenset({"GET", "HEAD"})
_NO_STORE = (b"cache-control", b"private, no-store")

_QUALITY = re.compile(r";\s*q=([0-9.]{1,5})")


def prefers_activitypub(accept: str) -> bool:
    """Returns whether an `Accept` header prefers ActivityPub to HTML. `*/*` alone means HTML:
    a browser or a command-line tool."""
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
class _Request:
    """One GET with the placeholders of its path; `signer` is set where the signature was verified."""

    scope: Scope
    send: Send
    args: dict[str, str]
    signer: KnownKey | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The handler of a path, and its rules.

    `is_page`: there is an HTML page at the same address, so `Accept` must prefer ActivityPub. `is_open`: served
    without a signature even in secure mode. `has_key`: in secure mode, an unsigned request gets the key stub.
    """

    answer: Callable[[FederationApp, _Request], Awaitable[None]]
    is_page: bool = False
    is_open: bool = False
    has_key: bool = False


class FederationApp:
    """The federation endpoints of one node, as one ASGI app."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._cache = node.component(FederationCache)
        self._inbox = Inbox(node)

    def find(self, scope: Scope) -> RouteMatch[Endpoint | None] | None:
        """Returns the endpoint of a request; None when it is none of federation and belongs to the web
        app."""
        found = _ROUTES.find(scope["method"], scope["path"])
        if found is None or found.endpoint is None or not found.endpoint.is_page:
            return found
        if scope["method"] in READ_METHODS and prefers_activitypub(",".join(headers(scope, b"accept"))):
            return found
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request without a web app beside it: documents only, and 404 for everything else."""
        found = _ROUTES.find(scope["method"], scope["path"])
        if found is None:
            await respond(scope, send, 404)
        else:
            await self.answer(found, scope, receive, send)

    async def answer(
        self, found: RouteMatch[Endpoint | None], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Responds to a request with the endpoint that `find` has returned for it.

        503 while the database is away, so that servers send again what was not stored.
        """
        try:
            await self._answer(found, scope, receive, send)
        except DatabaseUnavailable as unavailable:
            log.warning("%s %s failed: %s", scope["method"], scope["path"], unavailable)
            body = f"{unavailable.message}\n".encode()
            retry_after = (b"retry-after", str(unavailable.retry_after).encode())
            await respond(scope, send, unavailable.status, body, headers=[retry_after, _NO_STORE])

    async def _answer(
        self, found: RouteMatch[Endpoint | None], scope: Scope, receive: Receive, send: Send
    ) -> None:
        if found.endpoint is None:
            await self._inbox(scope, receive, send)
        elif scope["method"] not in READ_METHODS:
            await respond(scope, send, 405, headers=[(b"allow", b"GET, HEAD")])
        elif found.endpoint.is_open:
            await found.endpoint.answer(self, _Request(scope, send, found.args))
        else:
            await self._serve_document(found.endpoint, _Request(scope, send, found.args))

    async def _serve_host_meta(self, request: _Request) -> None:
        xrd = webfinger_documents.host_meta(self._node.site).encode()
        kind = "application/xrd+xml; charset=utf-8"
        await respond(request.scope, request.send, 200, xrd, kind, [_ANY_ORIGIN, _PUBLIC_CACHE])

    async def _serve_host_meta_json(self, request: _Request) -> None:
        document = webfinger_documents.host_meta_json(self._node.site)
        await _respond_json(request.scope, request.send, 200, document, JRD_TYPE, [_ANY_ORIGIN])

    async def _serve_nodeinfo_links(self, request: _Request) -> None:
        document = nodeinfo.links(self._node.site)
        more = [_ANY_ORIGIN, _PUBLIC_CACHE]
        await _respond_json(request.scope, request.send, 200, document, "application/json", more)

    async def _serve_nodeinfo(self, request: _Request) -> None:
        version = request.args["version"]
        numbers = await self._node.db.read(self._node.component(StatisticsCache).current)
        document = nodeinfo.document(self._node.config, version, numbers)
        kind = nodeinfo.content_type(version)
        await _respond_json(request.scope, request.send, 200, document, kind, [_ANY_ORIGIN, _PUBLIC_CACHE])

    async def _serve_webfinger(self, request: _Request) -> None:
        scope = request.scope
        status, body = await self._cached(
            "webfinger " + scope["query_string"].decode("latin-1"), lambda: self._webfinger_response(scope)
        )
        more = [_ANY_ORIGIN, _PUBLIC_CACHE] if status == 200 else [_ANY_ORIGIN]
        await respond(scope, request.send, status, body, JRD_TYPE if status == 200 else "text/plain", more)

    async def _webfinger_response(self, scope: Scope) -> tuple[int, bytes]:
        try:
            query = parse_qs(scope["query_string"].decode("ascii"), max_num_fields=20)
            names = query.get("resource", [])
            if len(names) != 1:
                raise Malformed("one resource is needed")
            found = await self._node.db.read(webfinger.local_account, names[0])
        except (Malformed, ValueError):
            return 400, b"A resource is needed, such as acct:name@host.\n"
        if found is None:
            return 404, b"There is nobody by that name here.\n"
        if found.deleted_at is not None:
            return 410, b"That account has been deleted.\n"
        return 200, msgspec.json.encode(
            webfinger_documents.document(self._node.site, found, query.get("rel", []))
        )

    async def _cached(self, key: str, build: Callable[[], Awaitable[tuple[int, bytes]]]) -> tuple[int, bytes]:
        """Returns a response that is the same for everyone, built at most once a second."""
        found = self._cache.responses.get(key)
        if found is None:
            found = await build()
            self._cache.responses.put(key, found)
        return found

    async def _serve_document(self, endpoint: Endpoint, request: _Request) -> None:
        """Responds, unless the signer is blocked, or secure mode requires a signature that is missing."""
        scope, send = request.scope, request.send
        if await authorized_fetch.is_signer_blocked(self._node, scope, request.args.get("name", "")):
            await respond(scope, send, 403, b"Nothing here is for you.\n", headers=[_VARY, _NO_STORE])
            return
        if self._node.config.federation.secure_mode:
            request = replace(request, signer=await authorized_fetch.verified_signer(self._node, scope))
            if request.signer is None:
                await (self._serve_key_stub(request) if endpoint.has_key else self._reject_unsigned(request))
                return
        await endpoint.answer(self, request)

    async def _respond(self, request: _Request, status: int, body: bytes) -> None:
        cache = _NO_STORE if self._node.config.federation.secure_mode else _PUBLIC_CACHE
        await respond(request.scope, request.send, status, body, AP_TYPE, [_VARY, cache])

    async def _respond_privately(self, request: _Request, status: int, body: bytes) -> None:
        """Responds with a document for this signer only, never to be stored in a shared cache."""
        await respond(request.scope, request.send, status, body, AP_TYPE, [_VARY, _NO_STORE])

    async def _reject_unsigned(self, request: _Request) -> None:
        more = [_VARY, _NO_STORE]
        await respond(request.scope, request.send, 401, b"This wants a signed request.\n", headers=more)

    async def _serve_key_stub(self, request: _Request) -> None:
        """Responds with the properties of an actor that a signature check needs."""
        await self._respond_privately(
            request, *await self._read_document(resources.key_stub, request.args["name"])
        )

    async def _serve_instance_actor(self, request: _Request) -> None:
        """Responds with the instance actor, even in secure mode to an unsigned request: remote servers need
        its key to verify signatures."""
        status, body = await self._cached(
            "actor", lambda: self._read_document(resources.instance_actor_document)
        )
        await respond(request.scope, request.send, status, body, AP_TYPE, [_VARY, _PUBLIC_CACHE])

    async def _serve_actor(self, request: _Request) -> None:
        name = request.args["name"]
        status, body = await self._cached(
            f"actor {name.lower()}", lambda: self._read_document(resources.actor_document, name)
        )
        await self._respond(request, status, body)

    async def _serve_followers_synchronization(self, request: _Request) -> None:
        """Responds with the followers of an account on the signer's own server,
        for that server only (FEP-8fcf)."""
        signer = await authorized_fetch.verified_signer(self._node, request.scope)
        if signer is None:
            await self._reject_unsigned(request)
            return
        await self._respond_privately(
            request,
            *await self._read_document(
                resources.followers_synchronization, request.args["name"], signer.owner
            ),
        )

    async def _serve_post(self, request: _Request) -> None:
        """Responds with a post, its tombstone or 404.

        The signature is verified only for a post that is not public.
        """
        scope, signer = request.scope, request.signer
        name, post_id = request.args["name"], int(request.args["id"])
        status, body = await self._read_document(resources.note_document, name, post_id, signer)
        if status == 404 and signer is None and header(scope, b"signature") is not None:
            signer = await authorized_fetch.verified_signer(self._node, scope)
            if signer is not None:
                status, body = await self._read_document(resources.note_document, name, post_id, signer)
        if signer is not None:
            body = bind_to_server(self._node.site, body, signer.host)
        is_open = status == 410 or (status == 200 and signer is None)
        cache = _PUBLIC_CACHE if is_open else _NO_STORE
        await respond(scope, request.send, status, body, AP_TYPE, [_VARY, cache])

    async def _serve_create(self, request: _Request) -> None:
        args = request.args
        await self._respond(
            request, *await self._read_document(resources.create_document, args["name"], int(args["id"]))
        )

    async def _serve_activity(self, request: _Request) -> None:
        args = request.args
        await self._respond(
            request,
            *await self._read_document(resources.activity_document, args["name"], args["kind"], args["id"]),
        )

    async def _serve_instance_outbox(self, request: _Request) -> None:
        await self._serve_collection(request, collections.instance_outbox)

    async def _serve_actor_collection(self, request: _Request) -> None:
        await self._serve_collection(
            request, collections.actor_collection, request.args["name"], request.args["kind"]
        )

    async def _serve_featured_collection(self, request: _Request) -> None:
        await self._serve_collection(
            request, collections.actor_collection, request.args["name"], "collections/featured"
        )

    async def _serve_post_collection(self, request: _Request) -> None:
        args = request.args
        await self._serve_collection(
            request, collections.post_collection, args["name"], int(args["id"]), args["kind"]
        )

    async def _serve_hashtag_collection(self, request: _Request) -> None:
        await self._serve_collection(request, collections.hashtag_collection, request.args["tag"])

    async def _serve_collection(
        self, request: _Request, unit: Callable[..., dict[str, Any]], *args: Any
    ) -> None:
        try:
            query = parse_qsl(request.scope["query_string"].decode("latin-1"), max_num_fields=20)
        except ValueError:
            await respond(request.scope, request.send, 400, b"Too many values at once.\n")
            return
        cursor = collections.cursor(dict(query))
        status, body = await self._read_document(lambda tx: (200, unit(tx, *args, cursor)))
        await self._respond(request, status, body)

    async def _read_document(self, unit: Callable[..., tuple[int, Any]], *args: Any) -> tuple[int, bytes]:
        try:
            status, document = await self._node.db.read(unit, *args)
        except NotFound:
            status, document = resources.NOT_FOUND
        return status, msgspec.json.encode(document)


async def _respond_json(
    scope: Scope, send: Send, status: int, document: Any, kind: str, more: list[tuple[bytes, bytes]]
) -> None:
    await respond(scope, send, status, msgspec.json.encode(document), kind, more)


_ACCOUNT, _POST = "/users/<name>", "/p/<name>/<digits:id>"

_ROUTES: Router[Endpoint | None] = Router(
    MatchRule(path, endpoint=endpoint)
    for path, endpoint in {
        # Inboxes read a request body; every other endpoint responds to a GET.
        "/inbox": None,
        "/actor/inbox": None,
        f"{_ACCOUNT}/inbox": None,
        "/.well-known/webfinger": Endpoint(FederationApp._serve_webfinger, is_open=True),
        "/.well-known/host-meta": Endpoint(FederationApp._serve_host_meta, is_open=True),
        "/.well-known/host-meta.json": Endpoint(FederationApp._serve_host_meta_json, is_open=True),
        "/.well-known/nodeinfo": Endpoint(FederationApp._serve_nodeinfo_links, is_open=True),
        "/nodeinfo/<any('2.0', '2.1'):version>": Endpoint(FederationApp._serve_nodeinfo, is_open=True),
        "/actor": Endpoint(FederationApp._serve_instance_actor, is_open=True),
        "/actor/outbox": Endpoint(FederationApp._serve_instance_outbox),
        _ACCOUNT: Endpoint(FederationApp._serve_actor, is_page=True, has_key=True),
        "/@<name:name>": Endpoint(FederationApp._serve_actor, is_page=True),
        f"{_ACCOUNT}/<any(outbox, followers, following):kind>": Endpoint(
            FederationApp._serve_actor_collection
        ),
        f"{_ACCOUNT}/collections/featured": Endpoint(FederationApp._serve_featured_collection),
        f"{_ACCOUNT}/followers_synchronization": Endpoint(FederationApp._serve_followers_synchronization),
        f"{_ACCOUNT}/<any(activities, boosts, stamps):kind>/<digits:id>": Endpoint(
            FederationApp._serve_activity
        ),
        _POST: Endpoint(FederationApp._serve_post, is_page=True),
        f"{_POST}/activity": Endpoint(FederationApp._serve_create),
        f"{_POST}/<any(replies, likes, shares, context):kind>": Endpoint(
            FederationApp._serve_post_collection
        ),
        "/tags/<tag>": Endpoint(FederationApp._serve_hashtag_collection, is_page=True),
    }.items()
)
