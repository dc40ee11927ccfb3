"""Stands between the app and hypercorn as released, for one request and its response (see
`web.server.plain`).

It uses ASGI only. `Request` reads ahead of the app, so that a client that left or stalled is noticed while
the app works. `Response` checks what the app sends before it goes out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from web.server.config import MAX_UNREAD_BODY

STATUSES_WITHOUT_BODY = frozenset((204, 304))
CONNECTION_HEADERS = frozenset((b"connection", b"transfer-encoding"))  # set by the server, not by the app


def framing_fault(http_version: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Returns why the end of a request's body is in doubt (RFC 9112, section 6.1), or "".

    Header names are in lower case.
    """
    names = {name for name, _value in headers}
    if b"transfer-encoding" not in names:
        return ""
    if b"content-length" in names:
        return "both Content-Length and Transfer-Encoding"
    return "Transfer-Encoding in HTTP/1.0" if http_version == "1.0" else ""


class Request:
    """Reads the request body for the app, and notices when the client leaves or stalls."""

    def __init__(self, receive: Any, stall_timeout: float) -> None:
        self._receive, self.stall_timeout = receive, stall_timeout
        self._parts: list[bytes] = []
        self._unread = 0  # bytes of the parts
        self._is_whole = False  # all of the body has arrived
        self._is_delivered = False  # the app has read the body to its end
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._is_dropped = False  # the rest of the body is thrown away
        self.has_stalled = False
        self.gone = asyncio.Event()  # the client left, or has stalled
        self.ended = asyncio.Event()  # the whole body has arrived, or no more of it will

    async def read_ahead(self) -> None:
        """Reads from hypercorn until the client is gone; runs as a task beside the app."""
        while not self.gone.is_set():
            while self._unread >= MAX_UNREAD_BODY and not self._is_dropped:
                self._taken.clear()
                await self._taken.wait()
            self._store(await self._next_message())
            self._arrived.set()

    async def _next_message(self) -> Any:
        try:
            async with asyncio.timeout(None if self.ended.is_set() else self.stall_timeout):
                return await self._receive()
        except TimeoutError:
            self.has_stalled = True
            return {"type": "http.disconnect"}

    def _store(self, message: Any) -> None:
        if message["type"] == "http.disconnect":
            self.gone.set()
            self.ended.set()
            return
        if not self._is_dropped and message["body"]:
            self._parts.append(message["body"])
            self._unread += len(message["body"])
        if not message["more_body"]:
            self._is_whole = True
            self.ended.set()

    async def receive(self) -> dict[str, Any]:
        """Returns the next message for the app; this is its ASGI `receive`."""
        while True:
            if not self._is_dropped and (self._parts or (self._is_whole and not self._is_delivered)):
                body = b"".join(self._parts)
                self._parts.clear()
                self._unread = 0
                self._taken.set()
                self._is_delivered = self._is_whole
                return {"type": "http.request", "body": body, "more_body": not self._is_whole}
            if self.gone.is_set() or self._is_dropped:
                return {"type": "http.disconnect"}
            self._arrived.clear()
            await self._arrived.wait()

    def drop_rest(self) -> None:
        """Throws away what still arrives.

        Left unread it would block hypercorn, which waits until it is taken.
        """
        self._is_dropped = True
        self._parts.clear()
        self._taken.set()
        self._arrived.set()


class Response:
    """Checks the response of the app and hands it to hypercorn; the head waits for the first part of the
    body."""

    def __init__(
        self, scope: Any, send: Any, request: Request, idle_timeout: float, is_stopping: Callable[[], bool]
    ) -> None:
        self._send, self._request = send, request
        self._idle_timeout, self._is_stopping = idle_timeout, is_stopping
        self._is_head = scope["method"] == "HEAD"
        self._is_http1 = scope["http_version"].startswith("1")
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] | None = None  # until there is some of the body
        self._promised: int | None = None  # bytes, by the app's content-length
        self._sent = 0
        self._closes = False  # the connection is closed after this response
        self._is_lost = False  # the client is gone or does not read
        self._is_complete = False

    @property
    def ends_connection(self) -> bool:
        """Whether the connection is over with this response. Over HTTP/2 it carries other requests."""
        return self._is_http1 and (self._closes or self._is_lost or not self._is_complete)

    async def send(self, message: Any) -> None:
        """Takes a message of the app; this is its ASGI `send`.

        Raises ValueError, RuntimeError for what cannot be sent.
        """
        kind = message["type"]
        if self._is_complete:
            return
        if kind == "http.response.start" and not self._status:
            self._start(message["status"], message.get("headers", ()))
        elif kind == "http.response.body" and self._status:
            await self._continue(bytes(message.get("body", b"")), message.get("more_body", False))
        else:
            raise RuntimeError(f"{kind} at the wrong time")

    def _start(self, status: int, headers: Any) -> None:
        kept = []
        self._closes = self._closes or self._is_stopping()
        for name, value in headers:
            name = name.lower()
            if any(sign in name + value for sign in (b"\r", b"\n", b"\0")):
                raise ValueError("a header holds a line break")
            if name == b"content-length":
                self._promised = int(value)
            elif name == b"connection" and value.lower() == b"close":
                self._closes = True
            if name not in CONNECTION_HEADERS:
                kept.append((name, value))
        if self._closes and self._is_http1:
            kept.append((b"connection", b"close"))
        self._status, self._headers = status, kept

    async def _continue(self, data: bytes, more: bool) -> None:
        if self._is_head or self._status in STATUSES_WITHOUT_BODY:
            data = b""
        elif self._promised is not None:
            self._sent += len(data)
            if self._sent > self._promised or not (more or self._sent == self._promised):
                raise RuntimeError(f"a body of {self._sent} bytes, where {self._promised} were promised")
        if self._headers is not None:
            headers, self._headers = self._headers, None
            if self._promised is None and not (
                more or self._is_head or self._status in STATUSES_WITHOUT_BODY
            ):
                headers.append((b"content-length", b"%d" % len(data)))
            await self._forward({"type": "http.response.start", "status": self._status, "headers": headers})
        if more:
            await self._forward({"type": "http.response.body", "body": data, "more_body": True})
        else:
            await self._complete(data)

    async def _complete(self, data: bytes) -> None:
        """Sends the end of the response, but not before the end of the request: hypercorn closes the
        connection when more arrives after a response, and the client may then never see it."""
        if not self._request.ended.is_set():
            await self._forward({"type": "http.response.body", "body": data, "more_body": True})
            data = b""
            self._request.drop_rest()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._idle_timeout):
                    await self._request.ended.wait()
        self._request.drop_rest()
        self._is_complete = True
        self._closes = self._closes or self._request.gone.is_set()
        await self._forward({"type": "http.response.body", "body": data, "more_body": False})

    async def _forward(self, message: Any) -> None:
        """Hands a message to hypercorn, which waits until the client reads.

        After the stall timeout, or once the client of an HTTP/2 connection left, gives up on the response.
        """
        if self._is_lost:
            return
        sending = asyncio.ensure_future(self._send(message))
        waits = {sending}
        if not self._is_http1:  # over HTTP/1.1 a client that only closed its sending side still reads
            waits.add(asyncio.ensure_future(self._request.gone.wait()))
        try:
            await asyncio.wait(
                waits, timeout=self._request.stall_timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if sending.done():
                sending.result()
            else:
                self._is_lost = True
        except OSError:
            self._is_lost = True
        finally:
            for one in waits:
                one.cancel()

    async def finish(self) -> None:
        """Answers for an app that did not: 408 where the client stalled, otherwise 500."""
        if self._is_complete or self._is_lost or (self._status and self._headers is None):
            return
        self._promised, self._sent = None, 0
        self._closes = True
        status = 408 if self._request.has_stalled else 500
        self._start(status, [(b"connection", b"close")])
        await self._continue(b"", False)
