"""Reads HTTP/1.1 with llhttp for hypercorn: a simple request at a third of the CPU.

Hypercorn reads with h11, in Python: 155 µs of CPU for a request and its response, of which this leaves 40. A
request that is not simple (a body in chunks, an upgrade, `Expect`, no single `Host`, or anything that llhttp
refuses) goes to hypercorn's own reader from its first byte, and so does the rest of the connection: h11 says
what is wrong with it. RFC 9112 for the bytes, the ASGI specification 3.0 for the app.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from email.utils import formatdate
from http import HTTPStatus
from time import time
from typing import Any
from urllib.parse import unquote

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from hypercorn.events import Closed, Event, RawData, Updated

from web.server.config import MAX_UNREAD_BODY
from web.server.guarded_exchange import CONNECTION_HEADERS, STATUSES_WITHOUT_BODY
from web.server.h11_patch import PatchedH11
from web.server.heads import MAX_HEADERS, REFUSAL_SECONDS

log = logging.getLogger("tintype.http")

MAX_HEAD = 16_384  # bytes, as for h11
MIN_SENT_APART = 16_384  # bytes of a response body that are not copied to leave in one piece with its head
STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus
}
NOT_HTTP = STATUS_LINES[400] + b"content-length: 0\r\nconnection: close\r\n\r\n"
METHOD_STARTS = frozenset(
    b"!#$%&'*+-.^_`|~" + bytes(range(48, 58)) + bytes(range(65, 91)) + bytes(range(97, 123))
)
LEFT_TO_H11 = frozenset((b"transfer-encoding", b"upgrade", b"expect"))


def _has_too_many_lines(head: bytes) -> bool:
    """Returns whether these are more lines than a head may have: the first, its headers and the empty one."""
    return head.count(b"\n") > MAX_HEADERS + 2


class RequestHead:
    """The request line and headers, as llhttp reads them. Made by `read`."""

    method: str
    version: str
    keeps_alive: bool  # whether the client wants to send another request
    content_length: int  # bytes

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.strip()))

    @classmethod
    def read(cls, data: bytes) -> RequestHead | None:
        """Parses a head, its last empty line included; None where it is not simple and h11 has to read it."""
        if _has_too_many_lines(data):
            return None
        head = cls()
        parser = HttpRequestParser(head)
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            return None
        head.method = parser.get_method().decode("ascii")
        head.version = parser.get_http_version()
        return head if head._is_simple(data) else None

    def _is_simple(self, data: bytes) -> bool:
        line = f"{self.method} {self.target.decode('ascii')} HTTP/{self.version}\r\n".encode()
        if not data.startswith(line):  # llhttp overlooks some white space, and knows other protocols
            return False
        if b"\r\n " in data or b"\r\n\t" in data:  # a folded header
            return False
        hosts = self.content_length = 0
        self.keeps_alive = self.version == "1.1"
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                self.content_length = int(value)  # llhttp: one, and digits
            elif name == b"connection":
                self.keeps_alive = self.keeps_alive and b"close" not in value.lower()
            elif name in LEFT_TO_H11:
                return False
        return hosts == 1 and self.version in ("1.0", "1.1")


class Http1:
    """Reads one connection, one request after the other. Hypercorn makes it in the place of its
    `H11Protocol`."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments
        self.app, self.config, self.context, self._tasks, self.state = arguments[:5]
        self.ssl, self.client, self.server, self._send = arguments[5:]
        self._unread = b""
        self._exchange: Exchange | None = None
        self._progress = asyncio.Event()  # the app read some of the body, or its response is whole
        self._responses = 0
        self._is_closed = False
        self._h11: PatchedH11 | None = None  # reads the rest of the connection

    async def initiate(self) -> None:
        """Does nothing: over HTTP/1.1 the server sends nothing before the first request."""

    async def handle(self, event: Event) -> None:
        """Takes what arrived, or that the connection is closed."""
        if self._h11 is not None:
            await self._h11.handle(event)
        elif isinstance(event, RawData) and not self._is_closed:
            self._unread += event.data
            await self._read()
        elif isinstance(event, Closed):
            self._stop()
            if self._exchange is not None:
                self._exchange.client_left()
            self._progress.set()

    def _stop(self) -> None:
        self._is_closed, self._unread = True, b""

    async def _read(self) -> None:
        while self._unread:
            exchange = self._exchange
            if exchange is None:
                if not await self._begin_exchange():
                    return
            elif exchange.body_left and (exchange.is_answered or exchange.unread < MAX_UNREAD_BODY):
                taken, self._unread = self._unread[: exchange.body_left], self._unread[exchange.body_left :]
                exchange.add_body(taken)
                if exchange.is_answered and not exchange.body_left:
                    await self._end_exchange(exchange)
            else:
                self._progress.clear()
                await self._progress.wait()

    async def _begin_exchange(self) -> bool:
        """Starts the next request.

        False where its head is not whole yet, there is none, or h11 reads the connection from here on.
        """
        data = self._unread.removeprefix(b"\r\n")  # RFC 9112, section 2.2
        if data and data[0] not in METHOD_STARTS:
            await asyncio.sleep(REFUSAL_SECONDS)
            await self.write(NOT_HTTP)
            await self.abort()
            return False
        end = data.find(b"\r\n\r\n") + 4
        if end < 4 and len(data) < MAX_HEAD and b"\n\n" not in data and b"\n\r\n" not in data:
            self._unread = data
            return False
        head = RequestHead.read(data[:end]) if 4 <= end <= MAX_HEAD else None
        if head is None:
            self._unread = b""
            self._h11 = PatchedH11(*self._arguments)
            await self._h11.handle(RawData(data))
            return False
        self._unread = data[end:]
        self._exchange = Exchange(self, head)
        await self._send(Updated(idle=False))
        self._tasks.spawn(self._exchange.run)
        return True

    async def write(self, data: bytes) -> None:
        await self._send(RawData(data))

    def may_keep_alive(self) -> bool:
        """Returns whether this server takes another request on the connection after the current one."""
        limit = self.config.keep_alive_max_requests
        return self._responses + 1 < limit and not self.context.terminated.is_set()

    def notify_progress(self) -> None:
        self._progress.set()

    async def end_response(self, exchange: Exchange) -> None:
        """Continues after a whole response.

        The rest of the request body is read and dropped, since closing the connection over it could lose the
        response; that has the time limit of an idle connection.
        """
        self._responses += 1
        if not exchange.body_left:
            await self._end_exchange(exchange)
        else:
            await self._send(Updated(idle=True))
        self._progress.set()

    async def _end_exchange(self, exchange: Exchange) -> None:
        self._exchange = None
        if exchange.head.keeps_alive:
            await self._send(Updated(idle=True))
        else:
            self._stop()
            await self._send(Closed())

    async def abort(self) -> None:
        """Closes the connection within a response: its rest is not sent, and nothing more is read."""
        self._stop()
        self._progress.set()
        await self._send(Closed())


class Exchange:
    """Calls the ASGI app with one request, and writes its response."""

    def __init__(self, connection: Http1, head: RequestHead) -> None:
        self._connection = connection
        self.head = head
        self.body_left = head.content_length  # bytes of the body that have not arrived
        self.unread = 0  # bytes of it that the app has not received
        self._body: list[bytes] = []
        self._is_delivered = False  # the app has read the body to its end
        self._client_is_gone = False
        self._arrived = asyncio.Event()
        self.is_answered = False  # the response is whole
        self._status = 0
        self._response_head: bytes | None = None  # until there is some of its body
        self._promised: int | None = None  # bytes, by the app's content-length
        self._sent = 0
        self._chunked = False

    def add_body(self, data: bytes) -> None:
        self.body_left -= len(data)
        if not self.is_answered:
            self._body.append(data)
            self.unread += len(data)
            self._arrived.set()

    def client_left(self) -> None:
        """Lets the app know that its client is gone."""
        self._client_is_gone = True
        self._arrived.set()

    async def run(self) -> None:
        connection = self._connection
        try:
            await connection.app(self._scope(), self.receive, self.send, None, None)
        except Exception:
            log.exception("the app failed at %s", self.head.target[:200])
        finally:
            if not self.is_answered:
                await self._answer_for_app()

    def _scope(self) -> dict[str, Any]:
        connection, head = self._connection, self.head
        path, _, query = head.target.partition(b"?")
        return {
            "type": "http",
            "http_version": head.version,
            "asgi": {"spec_version": "2.1", "version": "3.0"},
            "method": head.method,
            "scheme": "https" if connection.ssl else "http",
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": connection.config.root_path,
            "headers": head.headers,
            "client": connection.client,
            "server": connection.server,
            "state": connection.state.copy(),
            "extensions": {},
        }

    async def receive(self) -> dict[str, Any]:
        while True:
            if self._body or not (self.body_left or self._is_delivered):
                body = b"".join(self._body)
                self._body.clear()
                self.unread = 0
                self._is_delivered = not self.body_left
                self._connection.notify_progress()
                return {"type": "http.request", "body": body, "more_body": bool(self.body_left)}
            if self._client_is_gone or self.is_answered:
                return {"type": "http.disconnect"}
            self._arrived.clear()
            await self._arrived.wait()

    async def send(self, message: dict[str, Any]) -> None:
        if self.is_answered:
            return
        kind = message["type"]
        if kind == "http.response.start" and not self._status:
            self._start(message["status"], message.get("headers", ()))
        elif kind == "http.response.body" and self._status:
            await self._continue(bytes(message.get("body", b"")), message.get("more_body", False))
        else:
            raise RuntimeError(f"{kind} at the wrong time")

    def _start(self, status: int, headers: Any) -> None:
        lines = [STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        for name, value in headers:
            name = name.lower()
            if name == b"content-length":
                self._promised = int(value)
            elif name == b"connection":
                self.head.keeps_alive = self.head.keeps_alive and value.lower() != b"close"
            if name in CONNECTION_HEADERS:
                continue
            lines.append(b"%b: %b\r\n" % (name, value))
        lines.append(_date_header(int(time())))
        head = b"".join(lines)
        if head.count(b"\r") != len(lines) or head.count(b"\n") != len(lines) or b"\0" in head:
            raise ValueError("a header holds a line break")
        self._status, self._response_head = status, head

    async def _continue(self, data: bytes, more: bool) -> None:
        if self.head.method == "HEAD" or self._status in STATUSES_WITHOUT_BODY:
            data = b""
        elif self._promised is not None:
            self._sent += len(data)
            if self._sent > self._promised or not (more or self._sent == self._promised):
                raise RuntimeError(f"a body of {self._sent} bytes, where {self._promised} were promised")
        head = b""
        if self._response_head is not None:
            head, self._response_head = self._with_framing(self._response_head, len(data), more), None
        if self._chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self._chunked and not more:
            data += b"0\r\n\r\n"
        if len(data) > MIN_SENT_APART and head:
            await self._connection.write(head)
        elif head:
            data = head + data
        if data:
            await self._connection.write(data)
        if not more and not self.is_answered:
            self.is_answered = True
            self._arrived.set()
            await self._connection.end_response(self)

    def _with_framing(self, head: bytes, size: int, more: bool) -> bytes:
        """Completes the head of a response: how its end is recognised,
        whether the connection stays open, the empty line."""
        if (
            self._promised is None
            and self._status not in STATUSES_WITHOUT_BODY
            and self.head.method != "HEAD"
        ):
            if not more:
                head += b"content-length: %d\r\n" % size
            elif self.head.version == "1.1":
                self._chunked = True
                head += b"transfer-encoding: chunked\r\n"
            else:
                self.head.keeps_alive = False
        if not self._connection.may_keep_alive():
            self.head.keeps_alive = False
        return head + (b"\r\n" if self.head.keeps_alive else b"connection: close\r\n\r\n")

    async def _answer_for_app(self) -> None:
        """Answers 500 for an app that returned or failed before its response;
        within it, closes the connection."""
        if self._client_is_gone:
            return
        if self._status == 0 or self._response_head is not None:
            self._status = self._sent = 0
            self._response_head = self._promised = None
            self.head.keeps_alive = False
            await self.send({"type": "http.response.start", "status": 500, "headers": []})
            await self.send({"type": "http.response.body"})
        else:
            self.is_answered = True
            await self._connection.abort()


@functools.lru_cache(maxsize=1)
def _date_header(second: int) -> bytes:
    return b"date: %b\r\n" % formatdate(second, usegmt=True).encode("ascii")
