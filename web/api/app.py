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
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import Rule

from activitypub.inbox.asgi import Gone, TooLarge, TooSlow, read_body, respond
from activitypub.server.routing import Router
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
    (b"cache-control", b"private, no-store"),
    (b"vary", b"Authorization"),
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
]


class NoSuchMethod(Refused):
    status = 405


class ContentTooLarge(Refused):
    status = 413


class _NoEndpoint(Refused):
    status = 404


_NO_ENDPOINT = _NoEndpoint("This endpoint does not exist here.")


ROUTER: Router[Route] = Router(
    Rule(route.path.replace("{", "<").replace("}", ">"), methods=[route.method], endpoint=route)
    for route in ROUTES
)


def _route(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """The route of a method and path. Raises `Refused`: 404, or 405 when only the method is wrong."""
    try:
        found = ROUTER.find(method, path.rstrip("/") if path.endswith("/") else path)
    except MethodNotAllowed:
        raise NoSuchMethod("This cannot be done here.") from None
    if found is None:
        raise _NO_ENDPOINT
    return found.endpoint, tuple(found.args.values())


class Api:
    """The client API of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._entities = node.part(Entities)
        self._most_upload = node.config.media.max_upload_mb * 1024 * 1024 + MOST_BODY

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "OPTIONS":
            await respond(scope, send, 204, content_type="", headers=PREFLIGHT)
            return
        try:
            answer = await self._answer(scope, receive)
        except TooLarge:
            answer = _refusal(ContentTooLarge("That is too large."))
        except TooSlow:
            answer = _refusal(ContentTooLarge("The request took too long to arrive."))
        except Gone:
            return
        except Refused as refused:
            answer = _refusal(refused)
        except Exception:
            reference = secrets.token_hex(2).upper()
            log.exception("%s %s failed, reference %s", scope["method"], scope["path"], reference)
            answer = _error(500, f"Something went wrong here. Reference {reference}.")
        headers = [*COMMON, *answer.headers]
        await respond(scope, send, answer.status, answer.body, "application/json; charset=utf-8", headers)

    async def _answer(self, scope: Any, receive: Any) -> Answer:
        method, path = scope["method"], scope["path"]
        route, args = _route(method, path)
        bearer = idempotency_key = content_type = ""
        for name, value in scope["headers"]:
            if name == b"authorization":
                bearer = auth.bearer(value.decode("latin-1"))
            elif name == b"content-type":
                content_type = value.decode("latin-1")
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
            body = await self._body_of(call, scope, receive)
            if body:
                call.params = params.read(scope["query_string"], content_type, body)
        answer = await self._run(call)
        user = call.user
        if user is not None and now_ms() - (user.seen_at or 0) > users.SEEN_AGAIN_AFTER:
            await self._node.db.write(users.seen, user.account_id)
        return answer

    async def _body_of(self, call: Call, scope: Any, receive: Any) -> bytes:
        if call.path.rstrip("/") not in UPLOADS:
            return await read_body(scope, receive, MOST_BODY, BODY_TIME)
        # A stranger's file is not read, and while a known person's arrives, somebody gets ready to decode it.
        await self._node.db.read(auth.identify, call)
        reading = read_body(scope, receive, self._most_upload, BODY_TIME)
        body, _ = await asyncio.gather(reading, self._node.sandbox.warm())
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
