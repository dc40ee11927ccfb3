"""Reads requests and sends responses over plain ASGI, for what does not go through the web framework.

The federation endpoints, the client API and file responses use it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from activitypub.signatures import SignedRequest
from node.database import Site

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Header = tuple[bytes, bytes]

BODY_TIMEOUT_SECONDS = 15.0

NOSNIFF: Header = (b"x-content-type-options", b"nosniff")
_WITHOUT_BODY = frozenset({204, 304})


class BodyTooLarge(Exception):
    """The body is larger than it may be."""


class IncompleteBody(Exception):
    """The client disconnected before the body was complete."""


class TooSlow(IncompleteBody):
    """The body took too long to arrive."""


def header(scope: Scope, name: bytes) -> str | None:
    """Returns the first value of a header (name in lower case), or None."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def headers(scope: Scope, name: bytes) -> list[str]:
    """Returns all values of a header (name in lower case)."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def signed_request(scope: Scope, site: Site, body: bytes = b"") -> SignedRequest:
    """Returns the request as a signature covers it,
    with the configured public host instead of the Host header."""
    target = scope["raw_path"].decode("latin-1")
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    headers = [(key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in scope["headers"]]
    return SignedRequest(scope["method"], target, site.domain, site.scheme, headers, body)


async def read_body(
    scope: Scope, receive: Receive, max_bytes: int, seconds: float = BODY_TIMEOUT_SECONDS
) -> bytes:
    """Reads the body, at most `max_bytes` within `seconds`. Raises BodyTooLarge, IncompleteBody or TooSlow."""
    pieces = [piece async for piece in iterate_body(scope, receive, max_bytes, seconds)]
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def iterate_body(
    scope: Scope, receive: Receive, max_bytes: int, seconds: float
) -> AsyncGenerator[bytes, None]:
    """Yields the body in the pieces in which it arrives. Raises as `read_body` does."""
    declared = header(scope, b"content-length")
    if declared is not None and (not declared.isdecimal() or int(declared[:15]) > max_bytes):
        raise BodyTooLarge
    size = 0
    deadline = asyncio.get_running_loop().time() + seconds
    more = True
    while more:
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise TooSlow from None
        if message["type"] != "http.request":
            raise IncompleteBody
        piece = message.get("body", b"")
        size += len(piece)
        if size > max_bytes:
            raise BodyTooLarge
        more = message.get("more_body", False)
        yield piece


async def respond(
    scope: Scope,
    send: Send,
    status: int,
    body: bytes = b"",
    content_type: str = "text/plain; charset=utf-8",
    headers: Iterable[Header] = (),
) -> None:
    """Sends a whole response; HEAD gets only the headers. An empty `content_type` sends no Content-Type."""
    lines = [NOSNIFF, *headers]
    if status not in _WITHOUT_BODY:
        lines.append((b"content-length", b"%d" % len(body)))
    if content_type:
        lines.append((b"content-type", content_type.encode("latin-1")))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


END_TURN_KEY = "tintype.end_turn"


def end_turn(scope: Any) -> None:
    """Ends the turn of a request that waits for another server from now on, so that nobody waits with it.

    Does nothing for one that has none. See `web/visitors/exchange.py`.
    """
    end = scope.get(END_TURN_KEY)
    if end is not None:
        end()
