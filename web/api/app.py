"""From an HTTP request to an endpoint and back, over plain ASGI.

The API stands in front of Quart because an app asks for its home timeline far more often than a person
opens a page, and Quart alone would cost as much as the rest of the answer. Every answer is JSON, errors
`{"error": …}` included, and every answer may be read by any web app (CORS): tokens, not cookies, say who
is calling, so another site can do nothing here that its visitor's token was not given for.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any

import msgspec

from node.auth import users
from node.errors import Refused, TooMuch
from node.ids import now_ms
from node.node import Node
from web.api import auth, params
from web.api.endpoint import Answer, Call, Route
from web.api.entities import Entities
from web.api.routes import ROUTES

log = logging.getLogger("tintype.api")

MOST_BODY = 1024 * 1024
UPLOADS = ("/api/v2/media", "/api/v1/media")
BODY_TIME = 300.0

COMMON = [
    (b"content-type", b"application/json; charset=utf-8"),
    (b"cache-control", b"private, no-store"),
    (b"vary", b"Authorization"),
    (b"x-content-type-options", b"nosniff"),
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Link, Retry-After, X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining, Idempotency-Key",
    ),
]
PREFLIGHT = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, Idempotency-Key, Accept, Accept-Language, X-Pixelfed-App",
    ),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
]


class NoSuchMethod(Refused):
    status = 405


class TooLarge(Refused):
    status = 413


class Gone(Exception):
    """The app left before its request was whole."""


class Table:
    """Finds the route of a method and path. A name in the path goes before a placeholder."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._plain: dict[tuple[str, str], Route] = {}
        self._shaped: dict[int, list[tuple[list[str], Route]]] = {}
        for route in routes:
            if "{" in route.path:
                segments = route.path.split("/")
                self._shaped.setdefault(len(segments), []).append((segments, route))
            else:
                self._plain[route.method, route.path] = route

    def find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]]:
        """Raises `Refused`: 404, or 405 when only the method is wrong."""
        path = path.rstrip("/") if path.endswith("/") else path
        method = "GET" if method == "HEAD" else method
        route = self._plain.get((method, path))
        if route is not None:
            return route, ()
        is_known = any(known == path for _, known in self._plain)
        parts = path.split("/")
        for segments, route in self._shaped.get(len(parts), ()):
            if all(
                segment[:1] == "{" or segment == part for segment, part in zip(segments, parts, strict=True)
            ):
                if route.method == method:
                    args = (part for segment, part in zip(segments, parts, strict=True) if segment[:1] == "{")
                    return route, tuple(args)
                is_known = True
        if is_known:
            raise NoSuchMethod("This cannot be done here.")
        raise _NO_ENDPOINT


class _NoEndpoint(Refused):
    status = 404


_NO_ENDPOINT = _NoEndpoint("This endpoint does not exist here.")


class Api:
    """The client API of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._table = Table(ROUTES)
        self._entities = node.part(Entities)
        self._most_upload = node.config.media.max_upload_mb * 1024 * 1024 + MOST_BODY

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": PREFLIGHT})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        try:
            answer = await self._answer(scope, receive)
        except Gone:
            return
        except Refused as refused:
            answer = _refusal(refused)
        except Exception:
            reference = secrets.token_hex(2).upper()
            log.exception("%s %s failed, reference %s", scope["method"], scope["path"], reference)
            answer = _error(500, f"Something went wrong here. Reference {reference}.")
        length = str(len(answer.body)).encode()
        headers = [*COMMON, (b"content-length", length), *answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, scope: Any, receive: Any) -> Answer:
        method, path = scope["method"], scope["path"]
        route, args = self._table.find(method, path)
        bearer = idempotency_key = content_type = ""
        length = 0
        for name, value in scope["headers"]:
            if name == b"authorization":
                bearer = auth.bearer(value.decode("latin-1"))
            elif name == b"content-type":
                content_type = value.decode("latin-1")
            elif name == b"content-length":
                length = int(value) if value.isdigit() else 0
            elif name == b"idempotency-key":
                idempotency_key = value.decode("latin-1")[:255]
        call = Call(
            node=self._node,
            entities=self._entities,
            route=route,
            args=args,
            params=params.from_query(scope["query_string"]),
            path=path,
            bearer=bearer,
            idempotency_key=idempotency_key,
        )
        if route.method != "GET":
            body = await self._body_of(call, receive, length)
            if body:
                call.params = params.read(scope["query_string"], content_type, body)
        answer = await self._run(call)
        user = call.user
        if user is not None and now_ms() - (user.seen_at or 0) > users.SEEN_AGAIN_AFTER:
            await self._node.db.write(users.seen, user.account_id)
        return answer

    async def _body_of(self, call: Call, receive: Any, length: int) -> bytes:
        if call.path.rstrip("/") not in UPLOADS:
            return await _body(receive, length, MOST_BODY)
        # A stranger's file is not read, and while a known person's arrives, somebody gets ready to decode it.
        await self._node.db.read(auth.identify, call)
        body, _ = await asyncio.gather(_body(receive, length, self._most_upload), self._node.sandbox.warm())
        return body

    async def _run(self, call: Call) -> Answer:
        db, route = self._node.db, call.route
        if route.kind == "look":
            return await db.read(_looked, call)
        if route.kind == "change":
            return await db.write(_looked, call)
        await db.read(auth.identify, call)
        answer: Answer = await route.endpoint(call)
        return answer


def _looked(tx: Any, call: Call) -> Answer:
    auth.identify(tx, call)
    answer: Answer = call.route.endpoint(tx, call)
    return answer


async def _body(receive: Any, length: int, most: int) -> bytes:
    if length > most:
        raise TooLarge("That is too large.")
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIME):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                piece = message.get("body", b"")
                size += len(piece)
                if size > most:
                    raise TooLarge("That is too large.")
                if piece:
                    pieces.append(piece)
                if not message.get("more_body"):
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    except TimeoutError:
        raise TooLarge("The request took too long to arrive.") from None


def _error(status: int, sentence: str) -> Answer:
    return Answer(msgspec.json.encode({"error": sentence}), status)


def _refusal(refused: Refused) -> Answer:
    if refused.detail:
        log.info("refused with %d: %s (%s)", refused.status, refused.message, refused.detail)
    answer = _error(refused.status, refused.message)
    if isinstance(refused, TooMuch):
        answer.headers.append((b"retry-after", str(refused.retry_after).encode()))
    elif refused.status == 401:
        answer.headers.append((b"www-authenticate", b'Bearer realm="api"'))
    return answer
