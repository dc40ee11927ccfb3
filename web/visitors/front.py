"""`Front`: passes each request on in the way that fits who sent it. Every request comes through `serve`.

A member or an app is answered at once. A server from whose address a valid signature came the last time waits for turns
that only such servers have. A visitor waits for a turn, or gets a page that is kept or being made for another. Another server that fetches a document waits for a turn of
its own kind. What they get is finished before it is sent, so a client that reads slowly holds no turn; it is sent
whole. What costs little (files, refusals) waits for turns of its own, behind no page. What does not fit in the queue
is answered 503 after a moment.
"""

from __future__ import annotations

import asyncio
import enum
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from activitypub.asgi import BodyTooLarge, IncompleteBody, TooSlow, header, read_body, respond
from activitypub.inbox.endpoint import is_signature_verified
from node.auth import issued_tokens
from node.database.reader_class import ReaderClass, reading_as
from node.errors import DatabaseUnavailable, Overloaded
from node.node import Node
from web.api.auth import TokenCache
from web.bare_answers import CONTENT_POLICY, render_bare_page
from web.i18n import translations
from web.i18n.translations import _, gettext
from web.request import session
from web.request.bodies import SenderKind, body_of
from web.request.cookies import read_cookies
from web.request.known_sessions import KnownSessions
from web.unsent import held_files
from web.visitors import clients
from web.visitors.compression import (
    MAX_BYTES,
    CompressedSend,
    body_parts,
    compress,
    is_asked_by_another_site,
    pack,
)
from web.visitors.exchange import TurnedExchange
from web.visitors.page_cache import PageCache, WholeResponse
from web.visitors.turns import MemberActivity, Turns

MAX_BODY_BYTES = 256 * 1024
BODY_TIMEOUT_SECONDS = 60.0
MAX_DELIVERIES_WAITING = 1024  # of known servers
BUSY_DELAY_SECONDS = 1.0  # before a 503, so that whoever tries again at once costs little
READ_METHODS = frozenset(("GET", "HEAD"))

# Pages and lists that are the same for every visitor. Search is not kept, since each visitor's searches are counted.
KEPT = re.compile(
    r"/(?:$|@|tags/|explore(?:/|$)|about$|p/|posts/"
    r"|api/v[12]/(?:timelines/|accounts/[0-9]|accounts/lookup$|statuses/|trends|instance|custom_emojis|directory))"
)

K = TypeVar("K", str, int)
App = Callable[[Any, Any, Any], Awaitable[None]]

# What a request that is answered for many has of the one that asked first, beside headers.
_SHARED_PARTS = frozenset(
    (
        *("type", "asgi", "http_version", "scheme", "method", "server", "state", "extensions"),
        *("path", "raw_path", "root_path", "query_string"),
    )
)


class Part(enum.Enum):
    """What a request is for."""

    PAGE = enum.auto()
    API = enum.auto()
    DOCUMENT = enum.auto()
    INBOX = enum.auto()
    FILE = enum.auto()
    REFUSAL = enum.auto()
    """Nothing: its address is none, or it is for a WebSocket."""


@dataclass(frozen=True, slots=True)
class SharedKey:
    """All that a response depends on that is the same for many."""

    raw_path: bytes
    query_string: bytes
    language: str = ""
    theme: str = ""
    wants_json: bool = False


class Front:
    """Stands in front of the parts of one node's app."""

    def __init__(self, node: Node, now: Callable[[], float] = time.monotonic) -> None:
        self._node = node
        self._known_sessions = node.component(KnownSessions)
        self._known_access_tokens = node.component(TokenCache)
        self._known_viewers = node.component(clients.KnownViewers)
        self._members = MemberActivity(now)
        self._visitor_turns = Turns(self._members, slots=1, share=0.25, max_turn=1.0, now=now)
        # Tokens that were issued here wait behind those of other accounts, and not behind pages that cost much more.
        self._token_turns = Turns(self._members, slots=1, share=0.25, max_turn=1.0, now=now)
        self._server_turns = Turns(self._members, slots=2, share=0.25, max_turn=0.25, now=now)
        # Of servers that are known. Their queue is long, since what is refused here has to be delivered again.
        self._delivery_turns = Turns(
            self._members, slots=2, share=0.4, max_turn=0.25, now=now, max_waiting=MAX_DELIVERIES_WAITING
        )
        self._light_turns = Turns(self._members, slots=4, share=0.15, max_turn=0.25, now=now)
        self._known_servers = clients.KnownServers()
        self._pages = PageCache(node.db.public_changes, now)
        self._form_token = secrets.token_hex(session.FORM_TOKEN_LENGTH // 2)

    async def serve(self, part: Part, app: App, scope: Any, receive: Any, send: Any) -> None:
        """Passes a request on to the app of a part."""
        try:
            await self._serve_as_sender(part, app, scope, receive, send)
        except Overloaded as error:
            await asyncio.sleep(BUSY_DELAY_SECONDS)
            if part is Part.REFUSAL:
                await app(scope, receive, send)
            else:
                await self._say_busy(scope, send, error)

    async def _serve_as_sender(self, part: Part, app: App, scope: Any, receive: Any, send: Any) -> None:
        cookies = read_cookies(scope) if part in (Part.PAGE, Part.FILE) else {}
        token = clients.bearer_token(scope) if part is Part.API else clients.session_token(cookies)
        if await self._is_member(part, scope["path"], token):
            await self._serve_member(part, app, scope, receive, send)
        elif part is Part.PAGE and held_files.may_hold(scope):
            await self._serve_in_turn(app, scope, receive, send)
        elif part is Part.PAGE:
            await self._serve_visitor(app, scope, receive, send, cookies)
        elif part is Part.API and scope["method"] in READ_METHODS:
            await self._serve_visitor(app, scope, receive, send, {} if token else None)
        elif part is Part.DOCUMENT:
            await self._serve_document(app, scope, send)
        elif part is Part.INBOX:
            await self._serve_inbox(app, scope, receive, send)
        else:
            # A file, or what the API refuses without reading it: it changes something for members only.
            await self._serve_in_turn(app, scope, receive, send)

    async def _serve_in_turn(self, app: App, scope: Any, receive: Any, send: Any) -> None:
        """Passes on a request that is not read here: the app does that as far as it wants."""
        network = clients.network(self._node, scope)
        exchange = TurnedExchange(self._light_turns, self._visitor_turns, network, receive, send)
        with reading_as(ReaderClass.VISITOR):
            await exchange.run(app, scope)

    async def _serve_document(self, app: App, scope: Any, send: Any) -> None:
        """Answers a GET of another server in turn."""
        async with self._server_turns.turn(clients.network(self._node, scope)):
            with reading_as(ReaderClass.SERVER):
                response = await _run(app, scope, b"")
        await _send(compress(scope, response), send)

    async def _serve_inbox(self, app: App, scope: Any, receive: Any, send: Any) -> None:
        """Passes an activity on in turn: where the last one from this network was signed by its server, in one for
        those alone, which has no queue of strangers before it."""
        network = clients.network(self._node, scope)
        first, second = self._light_turns, self._server_turns
        if self._known_servers.has(network):
            _count_body_as(SenderKind.SERVER, scope)
            first = second = self._delivery_turns
        await TurnedExchange(first, second, network, receive, send).run(app, scope)
        is_good = is_signature_verified(scope)
        if is_good is not None:
            self._known_servers.note(network, is_good=is_good)

    async def _is_member(self, part: Part, path: str, token: str) -> bool:
        """Returns whether a request is that of somebody here, by its address or its token. What is made up is told
        from its MAC. Raises Overloaded where too many send what may have ended."""
        if part is Part.FILE and (viewer_id := clients.app_viewer(self._node, path)):
            if self._known_viewers.has_known(viewer_id):
                return True
            if await self._look_up(self._known_viewers, viewer_id, viewer_id):
                return True
        if not token:
            return False
        known = self._known_access_tokens if part is Part.API else self._known_sessions
        if known.has_known(token):
            return True
        account_id = issued_tokens.account_id(self._node.site, known.kind, token)
        return account_id is not None and await self._look_up(known, token, account_id)

    async def _look_up(self, known: clients.Known[K], key: K, account_id: int) -> bool:
        """Asks the database for what is not known to be good.

        It may have ended, as many that somebody has collected. Whatever networks they come from, they wait behind
        others of their account, and one that is sent many times waits behind itself.
        """
        try:
            async with self._token_turns.turn(str(key), f"account {account_id}"):
                with reading_as(ReaderClass.MEMBER):
                    return known.has_known(key) or await self._node.db.read(known.is_good, key)
        except DatabaseUnavailable:
            return False  # the app says so in its form

    async def _serve_member(self, part: Part, app: App, scope: Any, receive: Any, send: Any) -> None:
        _count_body_as(SenderKind.MEMBER, scope)
        if part is Part.API or (part is Part.PAGE and not is_asked_by_another_site(scope)):
            send = CompressedSend(scope, send)
        kind = ReaderClass.WORK if part is Part.FILE else ReaderClass.MEMBER
        with reading_as(kind), self._members.request():
            await app(scope, receive, send)

    async def _serve_visitor(
        self, app: App, scope: Any, receive: Any, send: Any, cookies: dict[str, str] | None
    ) -> None:
        """Answers in turn, or with a page that is kept. `cookies` are those of a browser; None for an app without a
        token."""
        body = b""  # that of a GET says nothing, and is not read
        try:
            if scope["method"] not in READ_METHODS:
                body = await read_body(scope, receive, MAX_BODY_BYTES, BODY_TIMEOUT_SECONDS)
        except BodyTooLarge:
            if not (cookies and clients.session_token(cookies)):
                await self._refuse(scope, send, 413, b"That is too large.\n")
                return
            # Of a session that has ended: the page asks to sign in again, and needs no body for that.
        except TooSlow:
            await self._refuse(scope, send, 408)
            return
        except IncompleteBody:
            return
        key = self._key(scope, cookies)
        network = clients.network(self._node, scope)
        found = None if key is None else self._pages.find(key)
        if found is not None:  # what is left to do costs little, so it waits for no page
            response = await found
            async with self._light_turns.turn(network):
                response = compress(scope, self._with_own_form_token(response, cookies or {}))
        else:
            async with self._visitor_turns.turn(network):
                with reading_as(ReaderClass.VISITOR):
                    if key is None:
                        response = await _run(app, scope, body)
                    else:
                        response = await self._pages.get(key, lambda: self._run_shared(app, scope, key))
                        response = self._with_own_form_token(response, cookies or {})
            response = compress(scope, response)
        await _send(response, send)

    async def _refuse(self, scope: Any, send: Any, status: int, text: bytes = b"") -> None:
        async with self._light_turns.turn(clients.network(self._node, scope)):
            pass
        await respond(scope, send, status, text, headers=[(b"connection", b"close")])

    async def _run_shared(self, app: App, scope: Any, key: SharedKey) -> WholeResponse:
        token = session.shared_form_token.set(self._form_token)
        try:
            response = await _run(app, self._shared_scope(scope, key), b"")
        finally:
            session.shared_form_token.reset(token)
        if not response.is_for_many:
            return response
        if len(response.body) > MAX_BYTES:
            return await asyncio.to_thread(pack, response, self._form_token.encode())
        return pack(response, self._form_token.encode())

    def _shared_scope(self, scope: Any, key: SharedKey) -> dict[str, Any]:
        """Returns a request that says nothing but what its response is kept under: not who sent it."""
        shared = [
            (b"host", self._node.site.domain.encode()),
            (b"accept", b"application/json" if key.wants_json else b"text/html"),
            (
                b"cookie",
                f"{session.LANGUAGE_COOKIE}={key.language}; {session.THEME_COOKIE}={key.theme}".encode(),
            ),
        ]
        kept = {name: value for name, value in scope.items() if name in _SHARED_PARTS}
        return {**kept, "headers": shared, "client": None}

    def _key(self, scope: Any, cookies: dict[str, str] | None) -> SharedKey | None:
        """Returns all that a public page depends on; None where the response is not kept."""
        path = scope["path"]
        if scope["method"] != "GET" or not KEPT.match(path):
            return None
        target = (scope["raw_path"], scope["query_string"])
        if path.startswith("/api/"):
            # A token that is not good is answered 401.
            return None if cookies is not None else SharedKey(*target)
        cookies = cookies or {}
        if clients.session_token(cookies):
            return None  # a session that has ended: its form token is another
        theme = cookies.get(session.THEME_COOKIE, "")
        accept = header(scope, b"accept") or ""
        return SharedKey(
            *target,
            language=clients.language(scope, cookies),
            theme=theme if theme in ("light", "dark") else "",
            wants_json="application/json" in accept,
        )

    def _with_own_form_token(self, response: WholeResponse, cookies: dict[str, str]) -> WholeResponse:
        """Returns the page with the visitor's form token in the place of the shared one."""
        shared = self._form_token.encode()
        if len(response.pieces) < 2 and shared not in response.body:
            return response
        sent = cookies.get(session.VISITOR_COOKIE, "")
        own, cookie = session.visitor_form_token(self._node, sent)
        headers = response.headers
        if cookie:
            headers = (*headers, (b"set-cookie", cookie.encode("latin-1")))
        return replace(
            response,
            headers=headers,
            body=response.body.replace(shared, own.encode()),
            form_token=own.encode(),
        )

    async def _say_busy(self, scope: Any, send: Any, error: Overloaded) -> None:
        more = [(b"retry-after", b"%d" % error.retry_after), (b"cache-control", b"no-store")]
        if scope["path"].startswith("/api/"):
            body = msgspec.json.encode({"error": error.message})
            await respond(scope, send, 503, body, "application/json; charset=utf-8", more)
            return
        language = clients.language(scope, read_cookies(scope))
        translations.set_language(language)
        page = render_bare_page(
            _("Server busy"),
            gettext(error.message),
            _("Try again"),
            language=language,
            direction=translations.text_direction(language),
        )
        more.append(CONTENT_POLICY)
        await respond(scope, send, 503, page.encode(), "text/html; charset=utf-8", more)


def _count_body_as(kind: SenderKind, scope: Any) -> None:
    if (body := body_of(scope)) is not None:
        body.count_as(kind)


async def _run(app: App, scope: Any, body: bytes) -> WholeResponse:
    """Calls an app with a whole request; returns its whole response, whether or not the client still waits."""
    start: dict[str, Any] = {"status": 500, "headers": ()}
    parts: list[bytes] = []
    is_received = False

    async def receive() -> dict[str, Any]:
        nonlocal is_received
        if is_received:
            await asyncio.Event().wait()
        is_received = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            parts.append(bytes(message.get("body", b"")))

    await app(scope, receive, send)
    return WholeResponse(start["status"], tuple(tuple(one) for one in start["headers"]), b"".join(parts))


async def _send(response: WholeResponse, send: Any) -> None:
    headers = list(response.headers)
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    *parts, last = body_parts(response)
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": last})
