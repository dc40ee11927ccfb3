"""Dispatches HTTP requests of the client API to endpoints, over plain ASGI.

The API stands in front of Quart because an app requests its home timeline far more often than a person
opens a page, and Quart alone would cost as much as the rest of the response. Every response is JSON, errors
`{"error": …}` included, and any web app may read it (CORS): requests are authenticated by tokens, not cookies, so
another site can do nothing that its visitor's token was not given for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from typing import Any

import msgspec
from werkzeug import exceptions
from werkzeug.http import parse_options_header

from activitypub.asgi import BodyTooLarge, IncompleteBody, TooSlow, iterate_body, read_body, respond
from activitypub.server.routing import MatchRule, Router
from node.attachments.disk_space import DiskSpace
from node.auth import access_tokens, users
from node.auth.oauth import app_tokens
from node.errors import DatabaseUnavailable, Overloaded, Refused, TooManyRequests
from node.ids import has_passed
from node.node import Node
from web.api import auth, params
from web.api.endpoint import ApiRequest, JsonResponse, Route
from web.api.entities import Entities
from web.api.routes import ROUTES
from web.request import addresses
from web.request.bodies import UPLOAD_SECONDS, Bodies, body_of
from web.request.multipart import read_form

log = logging.getLogger("tintype.api")

MAX_BODY_BYTES = 1024 * 1024
MAX_APP_BODY_BYTES = 64 * 1024  # where no token is needed
STREAMING_PATH = "/api/v1/streaming"
UPLOAD_PATHS = ("/api/v2/media", "/api/v1/media", "/api/v1/accounts/update_credentials")
BODY_TIMEOUT_SECONDS = 300.0

COMMON_HEADERS = [
    (b"cache-control", b"private, no-store"),
    (b"vary", b"Authorization"),
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Link, Retry-After, X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining, Idempotency-Key",
    ),
]
PREFLIGHT_HEADERS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, Idempotency-Key, Accept, Accept-Language, X-Pixelfed-App",
    ),
    (b"access-control-max-age", b"86400"),
]


class MethodNotAllowed(Refused):
    status = 405


class ContentTooLarge(Refused):
    status = 413


class _NoEndpoint(Refused):
    status = 404


_NO_ENDPOINT = _NoEndpoint("This endpoint does not exist here.")
# Where the instance says that streaming would be, see `web.api.v1.instance`.
_NO_STREAMING = _NoEndpoint(
    "There is no streaming here. Ask for the timelines and notifications now and then instead."
)


ROUTER: Router[Route] = Router(
    MatchRule(route.path.replace("{", "<").replace("}", ">"), methods=[route.method], endpoint=route)
    for route in ROUTES
)


def _route(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """Finds the route of a method and path. Raises `Refused`: 404, or 405 when only the method is wrong."""
    try:
        found = ROUTER.find(method, path.rstrip("/") if path.endswith("/") else path)
    except exceptions.MethodNotAllowed:
        raise MethodNotAllowed("This cannot be done here.") from None
    if found is None:
        raise _NO_STREAMING if f"{path}/".startswith(f"{STREAMING_PATH}/") else _NO_ENDPOINT
    return found.endpoint, tuple(found.args.values())


class Api:
    """The client API of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._entities = node.component(Entities)
        self._tokens = node.component(auth.TokenCache)
        self._max_upload_bytes = node.config.media.max_upload_mb * 1024 * 1024 + MAX_BODY_BYTES

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if body_of(scope) is not None:
            await self._answer(scope, receive, send)
            return
        body = self._node.component(Bodies).open(scope, receive)
        try:
            await self._answer(scope, body.receive, send)
        finally:
            body.close()

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "OPTIONS":
            await respond(scope, send, 204, content_type="", headers=PREFLIGHT_HEADERS)
            return
        try:
            response = await self._respond(scope, receive)
        except BodyTooLarge:
            response = _refused_response(ContentTooLarge("That is too large."))
        except TooSlow:
            response = _refused_response(ContentTooLarge("The request took too long to arrive."))
        except IncompleteBody:
            return
        except Refused as refused:
            response = _refused_response(refused)
        except DatabaseUnavailable as unavailable:
            log.warning("%s %s failed: %s", scope["method"], scope["path"], unavailable)
            response = _error_response(unavailable.status, unavailable.message)
            response.headers.append((b"retry-after", str(unavailable.retry_after).encode()))
        except Exception:
            reference = secrets.token_hex(2).upper()
            log.exception("%s %s failed, reference %s", scope["method"], scope["path"], reference)
            response = _error_response(500, f"Something went wrong here. Reference {reference}.")
        headers = [*COMMON_HEADERS, *response.headers]
        await respond(scope, send, response.status, response.body, "application/json; charset=utf-8", headers)

    async def _respond(self, scope: Any, receive: Any) -> JsonResponse:
        method, path = scope["method"], scope["path"]
        route, args = _route(method, path)
        bearer = idempotency_key = content_type = authorization = ""
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = authorization or value.decode("latin-1")
                bearer = bearer or auth.parse_bearer(value.decode("latin-1"))
            elif name == b"content-type":
                content_type = value.decode("latin-1")
            elif name == b"idempotency-key":
                idempotency_key = value.decode("latin-1")[:255]
        request = ApiRequest(
            node=self._node,
            entities=self._entities,
            route=route,
            path_args=args,
            params=params.Params({}),
            path=path,
            bearer_token="" if (is_of_app := app_tokens.is_app_token(bearer)) else bearer,
            app_token=bearer if is_of_app else "",
            address=addresses.of_request(scope, self._node.config.server.trusted_proxies),
            idempotency_key=idempotency_key,
            authorization=authorization,
        )
        if route.method == "GET":
            request.params = params.parse_query(scope["query_string"])
        else:
            if not self._tokens.has_known(bearer):
                # Nothing is read or parsed for whoever has no good token: a megabyte of it takes 0.1 s.
                await self._node.db.read(auth.authenticate, request)
            kind, options = parse_options_header(content_type)
            if kind == "multipart/form-data" and path.rstrip("/") in UPLOAD_PATHS:
                await self._read_upload(request, scope, receive, options.get("boundary", ""))
            else:
                allowed = MAX_APP_BODY_BYTES if route.access == "app" else MAX_BODY_BYTES
                body = await read_body(scope, receive, allowed, BODY_TIMEOUT_SECONDS)
                request.params = params.parse_request(scope["query_string"], content_type, body)
        response = await self._run_endpoint(request)
        user = request.user
        if user is not None and has_passed(users.SEEN_UPDATE_INTERVAL_MS, user.seen_at or 0):
            with contextlib.suppress(DatabaseUnavailable):  # the answer is right all the same
                await self._node.db.write(users.mark_seen, user.account_id)
        token = request.token
        if token is not None and has_passed(access_tokens.USED_UPDATE_INTERVAL_MS, token.used_at or 0):
            with contextlib.suppress(DatabaseUnavailable):
                await self._node.db.write(access_tokens.mark_used, token)
        return response

    async def _read_upload(self, request: ApiRequest, scope: Any, receive: Any, boundary: str) -> None:
        """Reads a form with a file. The file goes to the disk, and is gone when the request is over."""
        # While it arrives, a process that decodes it starts.
        node = self._node
        await node.db.read(auth.authenticate, request)
        node.component(DiskSpace).check()
        body = body_of(scope)
        assert body is not None
        body.accept_upload(request.caller.id)
        reading = read_form(
            iterate_body(scope, receive, self._max_upload_bytes, UPLOAD_SECONDS),
            boundary,
            lambda: body.add_file(node.storage.temporary_file()),
            max_parts=params.MAX_MULTIPART_PARTS,
        )
        form, _ = await asyncio.gather(reading, node.sandbox.warm_up())
        request.params = params.from_form(scope["query_string"], form)

    async def _run_endpoint(self, request: ApiRequest) -> JsonResponse:
        db, route = self._node.db, request.route
        if route.kind == "read":
            return await db.read(_run_unit, request)
        if route.kind == "write":
            return await db.write(_run_unit, request)
        await db.read(auth.authenticate, request)
        response: JsonResponse = await route.endpoint(request)
        return response


def _run_unit(tx: Any, request: ApiRequest) -> JsonResponse:
    auth.authenticate(tx, request)
    response: JsonResponse = request.route.endpoint(tx, request)
    return response


def _error_response(status: int, message: str) -> JsonResponse:
    return JsonResponse(msgspec.json.encode({"error": message}), status)


def _refused_response(refused: Refused) -> JsonResponse:
    if refused.detail:
        log.info("refused with %d: %s (%s)", refused.status, refused.message, refused.detail)
    response = _error_response(refused.status, refused.message)
    if isinstance(refused, TooManyRequests | Overloaded):
        response.headers.append((b"retry-after", str(refused.retry_after).encode()))
    elif refused.status == 401:
        response.headers.append((b"www-authenticate", b'Bearer realm="api"'))
    return response
