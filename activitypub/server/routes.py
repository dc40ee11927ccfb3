"""The door for other servers: discovery, people, posts and collections, over plain ASGI.

`takes` says whether a request is for this door: everything under the discovery paths and inboxes, and the
addresses that are also pages when the sender prefers ActivityPub. Answers that depend on who asks are never
kept by a shared cache; what may not be seen looks exactly like what does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import msgspec

from activitypub.client.cache import KnownKey, Memory
from activitypub.documents import activities, contexts, nodeinfo, notes
from activitypub.documents import webfinger as webfinger_documents
from activitypub.inbox import follower_sync
from activitypub.inbox.asgi import Receive, Scope, Send, header, headers, respond
from activitypub.inbox.endpoint import Inbox
from activitypub.remote import webfinger
from activitypub.server import authorized_fetch
from activitypub.server.collections import Collections
from activitypub.uris import Malformed
from activitypub.vocab import PUBLIC
from activitypub.vocab import quotes as written
from node.accounts import accounts
from node.admin import statistics
from node.auth import users
from node.database import Reader
from node.errors import NotFound
from node.federation import outbox
from node.interactions import boosts, quotes
from node.models.account import Account
from node.models.audience import OPEN
from node.models.post import Post
from node.node import Node
from node.posts import posts

AP_TYPE = "application/activity+json; charset=utf-8"
JRD_TYPE = "application/jrd+json; charset=utf-8"
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_VARY = (b"vary", b"Accept, Signature")
_PUBLIC_CACHE = (b"cache-control", b"public, max-age=60")
_NO_STORE = (b"cache-control", b"private, no-store")

_WELL_KNOWN = frozenset(
    {
        "/.well-known/webfinger",
        "/.well-known/host-meta",
        "/.well-known/host-meta.json",
        "/.well-known/nodeinfo",
        "/nodeinfo/2.0",
        "/nodeinfo/2.1",
        "/actor",
        "/actor/inbox",
        "/actor/outbox",
        "/inbox",
    }
)
_ALWAYS = re.compile(
    r"/users/[^/]+/(?:inbox|outbox|followers|followers_synchronization|following|collections/featured|activities/[0-9]{1,18}|boosts/[0-9]{1,18}|stamps/[0-9]{1,18})"
    r"|/p/[^/]+/[0-9]{1,18}/(?:replies|likes|shares|context|activity)"
)
_PAGES = re.compile(
    r"/users/(?P<user>[^/]+)|/@(?P<profile>[^/@]+)|/tags/(?P<tag>[^/]+)"
    r"|/p/(?P<author>[^/]+)/(?P<post>[0-9]{1,18})"
)
_OWNER = re.compile(r"/(?:users/|@|p/)([^/]+)")
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


class Door:
    """The federation side of one node, as one ASGI app."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._memory = node.part(Memory)
        self._inbox = Inbox(node)
        self._collections = Collections(node)

    def takes(self, scope: Scope) -> bool:
        path: str = scope["path"]
        if path in _WELL_KNOWN or _ALWAYS.fullmatch(path):
            return True
        if scope["method"] in ("GET", "HEAD") and _PAGES.fullmatch(path):
            return wants_activity(",".join(headers(scope, b"accept")))
        return False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.endswith("/inbox"):
            await self._inbox(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await respond(scope, send, 405, headers=[(b"allow", b"GET, HEAD")])
        elif path.startswith(("/.well-known/", "/nodeinfo/")):
            await self._discover(scope, send, path)
        else:
            await self._show(scope, send, path)

    async def _discover(self, scope: Scope, send: Send, path: str) -> None:
        site = self._node.site
        match path:
            case "/.well-known/webfinger":
                await self._webfinger(scope, send)
            case "/.well-known/host-meta":
                xrd = webfinger_documents.host_meta(site).encode()
                kind = "application/xrd+xml; charset=utf-8"
                await respond(scope, send, 200, xrd, kind, [_ANY_ORIGIN, _PUBLIC_CACHE])
            case "/.well-known/host-meta.json":
                await _json(
                    scope, send, 200, webfinger_documents.host_meta_json(site), JRD_TYPE, [_ANY_ORIGIN]
                )
            case "/.well-known/nodeinfo":
                found = nodeinfo.links(site)
                await _json(scope, send, 200, found, "application/json", [_ANY_ORIGIN, _PUBLIC_CACHE])
            case _:
                version = path.rpartition("/")[2]
                numbers = await self._node.db.read(statistics.of)
                document = nodeinfo.document(self._node.config, version, numbers)
                kind = nodeinfo.content_type(version)
                await _json(scope, send, 200, document, kind, [_ANY_ORIGIN, _PUBLIC_CACHE])

    async def _webfinger(self, scope: Scope, send: Send) -> None:
        status, body = await self._remembered(
            "webfinger " + scope["query_string"].decode("latin-1"), lambda: self._jrd(scope)
        )
        more = [_ANY_ORIGIN, _PUBLIC_CACHE] if status == 200 else [_ANY_ORIGIN]
        await respond(scope, send, status, body, JRD_TYPE if status == 200 else "text/plain", more)

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
        return 200, msgspec.json.encode(
            webfinger_documents.document(self._node.site, found, query.get("rel", []))
        )

    async def _remembered(
        self, name: str, look: Callable[[], Awaitable[tuple[int, bytes]]]
    ) -> tuple[int, bytes]:
        """An answer that is the same for everyone, looked up at most once a second."""
        found = self._memory.answers.get(name)
        if found is None:
            found = await look()
            self._memory.answers.put(name, found)
        return found

    async def _show(self, scope: Scope, send: Send, path: str) -> None:
        asking: KnownKey | None = None
        is_secure = self._node.config.federation.secure_mode
        if path == "/actor":
            # Whoever wants to check our signatures must be able to read this without one.
            status, body = await self._remembered("actor", lambda: self._answer(_instance))
            await respond(scope, send, status, body, AP_TYPE, [_VARY, _PUBLIC_CACHE])
            return
        owner = _OWNER.match(path)
        if await authorized_fetch.is_refused(self._node, scope, owner[1] if owner else ""):
            await respond(scope, send, 403, b"Nothing here is for you.\n", headers=[_VARY, _NO_STORE])
            return
        if is_secure:
            asking = await authorized_fetch.signer(self._node, scope)
            if asking is None:
                await self._key_alone(scope, send, path)
                return
        if (compared := re.fullmatch(r"/users/([^/]+)/followers_synchronization", path)) is not None:
            await self._compared(scope, send, compared[1])
            return
        page = _PAGES.fullmatch(path)
        if page is not None and (name := page["user"] or page["profile"]):
            status, body = await self._remembered(
                f"actor {name.lower()}", lambda: self._answer(_person, name)
            )
        elif page is not None and page["post"]:
            await self._post(scope, send, page["author"], int(page["post"]), asking)
            return
        elif (said := re.fullmatch(r"/users/([^/]+)/(activities|boosts|stamps)/(\d+)", path)) is not None:
            status, body = await self._answer(_said, *said.groups())
        elif (made := re.fullmatch(r"/p/([^/]+)/(\d+)/activity", path)) is not None:
            status, body = await self._answer(_created, made[1], int(made[2]))
        else:
            query = dict(parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=20))
            status, body = await self._collections.answer(path, query)
        cache = _NO_STORE if is_secure else _PUBLIC_CACHE
        await respond(scope, send, status, body, AP_TYPE, [_VARY, cache])

    async def _key_alone(self, scope: Scope, send: Send, path: str) -> None:
        """In secure mode, without a signature: of a person what it takes to check one, of anything else nothing."""
        person = re.fullmatch(r"/users/([^/]+)", path)
        if person is None:
            await self._unsigned(scope, send)
            return
        status, body = await self._answer(_stub, person[1])
        await respond(scope, send, status, body, AP_TYPE, [_VARY, _NO_STORE])

    async def _unsigned(self, scope: Scope, send: Send) -> None:
        await respond(scope, send, 401, b"This wants a signed request.\n", headers=[_VARY, _NO_STORE])

    async def _compared(self, scope: Scope, send: Send, name: str) -> None:
        """Whom of the signer's own server we believe to follow somebody: for nobody else to know (FEP-8fcf)."""
        asking = await authorized_fetch.signer(self._node, scope)
        if asking is None:
            await self._unsigned(scope, send)
            return
        status, body = await self._answer(_followers_there, name, asking.owner)
        await respond(scope, send, status, body, AP_TYPE, [_VARY, _NO_STORE])

    async def _post(self, scope: Scope, send: Send, name: str, post_id: int, asking: KnownKey | None) -> None:
        """A post, its tombstone, or nothing. Only for one that is not public does it matter who asks."""
        status, body = await self._answer(_note, name, post_id, asking)
        if status == 404 and asking is None and header(scope, b"signature") is not None:
            asking = await authorized_fetch.signer(self._node, scope)
            if asking is not None:
                status, body = await self._answer(_note, name, post_id, asking)
        is_open = status == 410 or (status == 200 and asking is None)
        await respond(scope, send, status, body, AP_TYPE, [_VARY, _PUBLIC_CACHE if is_open else _NO_STORE])

    async def _answer(self, unit: Callable[..., tuple[int, Any]], *about: Any) -> tuple[int, bytes]:
        try:
            status, document = await self._node.db.read(unit, *about)
        except NotFound:
            status, document = NOTHING
        return status, msgspec.json.encode(document)


def _followers_there(tx: Reader, name: str, asking: str) -> tuple[int, Any]:
    account = accounts.by_handle(tx, name) if "@" not in name else None
    if account is None or not account.is_local or account.is_gone:
        return NOTHING
    found = follower_sync.our_part(tx, account, asking)
    uri = f"{account.uri}/followers_synchronization"
    whole = {"id": uri, "type": "OrderedCollection", "totalItems": len(found), "orderedItems": found}
    return 200, activities.with_context(whole)


NOTHING: tuple[int, Any] = (404, {"error": "There is nothing here."})


async def _json(
    scope: Scope, send: Send, status: int, document: Any, kind: str, more: list[tuple[bytes, bytes]]
) -> None:
    await respond(scope, send, status, msgspec.json.encode(document), kind, more)


def _instance(tx: Reader) -> tuple[int, Any]:
    return 200, activities.with_context(activities.person(tx, accounts.instance_actor(tx)), contexts.ACTOR)


_STUB = ("@context", "id", "type", "preferredUsername", "inbox", "publicKey", "assertionMethod")


def _stub(tx: Reader, name: str) -> tuple[int, Any]:
    status, document = _person(tx, name)
    return status, {key: document[key] for key in _STUB if key in document} if status == 200 else document


def _person(tx: Reader, name: str) -> tuple[int, Any]:
    account = local_person(tx, name)
    if account is None:
        return NOTHING
    if account.deleted_at is not None:
        return 410, notes.tombstone(account.uri, account.deleted_at, former="Person")
    return 200, activities.with_context(activities.person(tx, account), contexts.ACTOR)


def local_person(tx: Reader, name: str) -> Account | None:
    """One of our people by name; not a newcomer who still waits to be let in."""
    account = accounts.by_handle(tx, name) if "@" not in name else None
    if account is None or not account.is_local or account.kind == "Application":
        return None
    user = users.by_account(tx, account) if account.suspended_at is not None else None
    return None if user is not None and user.state == "pending" else account


def local_post(tx: Reader, name: str, post_id: int) -> Post | None:
    """A post of ours at its own address, deleted or not, whoever may see it."""
    post = posts.by_id(tx, post_id)
    if post is None or not post.is_local or post.uri != tx.site.uri(f"/p/{name}/{post_id}"):
        return None
    return post


def _note(tx: Reader, name: str, post_id: int, asking: KnownKey | None) -> tuple[int, Any]:
    post = local_post(tx, name, post_id)
    if post is None:
        return NOTHING
    if post.deleted_at is not None:
        # That there was a private post is not told either.
        return (410, notes.document(tx, post)) if post.visibility in OPEN else NOTHING
    if not authorized_fetch.may_read(tx, post, asking):
        return NOTHING
    return 200, notes.document(tx, post)


def _created(tx: Reader, name: str, post_id: int) -> tuple[int, Any]:
    post = local_post(tx, name, post_id)
    if post is None or post.visibility not in OPEN or not authorized_fetch.may_read(tx, post, None):
        return NOTHING
    created = activities.create(tx.site, notes.facts(tx, [post])[0])
    return 200, activities.with_context(created, contexts.NOTE)


def _said(tx: Reader, name: str, kind: str, id_: str) -> tuple[int, Any]:
    """An activity by its own id, if it was said to everybody and still holds."""
    uri = tx.site.uri(f"/users/{name}/{kind}/{id_}")
    if kind == "stamps":
        return 200, _quote_stamp(tx, name, int(id_))
    if kind == "boosts":
        boost = boosts.by_uri(tx, uri)
        if boost is None or boost.visibility not in OPEN:
            return NOTHING
        post = posts.seen_by(tx, None, boost.post_id)
        who, of = accounts.get(tx, boost.account_id), accounts.get(tx, post.account_id)
        if who.is_gone:
            return NOTHING
        document = activities.announce(who, uri, post.uri, boost.visibility, boost.created_at, of.uri)
        return 200, activities.with_context(document)
    sentence = outbox.by_uri(tx, uri)
    if sentence is None or sentence.document is None:
        return NOTHING
    if sentence.post_id is not None:
        posts.seen_by(tx, None, sentence.post_id)
    document = msgspec.json.decode(sentence.document)
    return (200, document) if PUBLIC in [*document.get("to", []), *document.get("cc", [])] else NOTHING


def _quote_stamp(tx: Reader, name: str, stamp_id: int) -> dict[str, object]:
    """A stamp at its own address: two addresses, and nothing of either post. Raises NotFound."""
    author = accounts.by_uri(tx, tx.site.uri(f"/users/{name}"))
    if author is None or author.is_gone:
        raise NotFound
    stamp, post = quotes.stamp(tx, author, stamp_id)
    given = written.Stamp(quotes.stamp_uri(author, stamp), author.uri, stamp.quote_uri, post.uri)
    return activities.with_context(written.stamp_document(given), contexts.QUOTE)
