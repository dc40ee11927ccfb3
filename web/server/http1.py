"""HTTP/1.1 for hypercorn, with the heads of requests read by llhttp: the everyday request, at a third of the cost.

Hypercorn reads with h11, in Python: 155 µs of CPU for a request and its answer, of which this leaves 40. What
is not everyday goes to hypercorn's own reader from its first byte, and so does the rest of the connection: a
body in chunks, an upgrade, `Expect`, a request without one `Host`, and whatever llhttp refuses, so that h11
still says what is wrong with it. RFC 9112 for the bytes, the ASGI specification 3.0 for the app.
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

from web.server.h11_patch import Careful
from web.server.limits import MAX_UNREAD_BODY

log = logging.getLogger("tintype.http")

HEAD = 16_384  # bytes, as for h11
LARGE = 16_384  # bytes of an answer that are not copied to leave in one piece with its head
LINES = {status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
NOT_EVERYDAY = frozenset((b"transfer-encoding", b"upgrade", b"expect"))
HOP = frozenset((b"connection", b"transfer-encoding"))  # about this connection: ours to say
WITHOUT_BODY = frozenset((204, 304))


class Head:
    """The head of a request, as llhttp finds it: `read` is the way to one."""

    method: str
    version: str
    keep: bool  # the connection, for another request
    length: int  # of the body, in bytes

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.strip()))

    @classmethod
    def read(cls, data: bytes) -> Head | None:
        """A head with its last empty line; None for one that is not everyday."""
        head = cls()
        parser = HttpRequestParser(head)
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            return None
        head.method = parser.get_method().decode("ascii")
        head.version = parser.get_http_version()
        return head if head._is_everyday(data) else None

    def _is_everyday(self, data: bytes) -> bool:
        line = f"{self.method} {self.target.decode('ascii')} HTTP/{self.version}\r\n".encode()
        if not data.startswith(line):  # llhttp overlooks some white space, and knows other protocols
            return False
        hosts = self.length = 0
        self.keep = self.version == "1.1"
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                self.length = int(value)  # llhttp: one, and digits
            elif name == b"connection":
                self.keep = self.keep and b"close" not in value.lower()
            elif name in NOT_EVERYDAY:
                return False
        return hosts == 1 and self.version in ("1.0", "1.1")


class Http1:
    """One connection, one request after the other. Hypercorn makes it, and hands it what arrives."""

    def __init__(self, *made_with: Any) -> None:
        self._made_with = made_with
        self.app, self.config, self.context, self._tasks, self.state = made_with[:5]
        self.ssl, self.client, self.server, self._send = made_with[5:]
        self._unread = b""
        self._now: Exchange | None = None
        self._moved = asyncio.Event()  # the app took some of the body, or the answer is whole
        self._answered = 0
        self._over = False
        self._careful: Careful | None = None

    async def initiate(self) -> None:
        """Nothing is said before the first request."""

    async def handle(self, event: Event) -> None:
        """What arrived, or that nothing more will."""
        if self._careful is not None:
            await self._careful.handle(event)
        elif isinstance(event, RawData) and not self._over:
            self._unread += event.data
            await self._read()
        elif isinstance(event, Closed):
            self._stop()
            if self._now is not None:
                self._now.leave()
            self._moved.set()

    def _stop(self) -> None:
        self._over, self._unread = True, b""

    async def _read(self) -> None:
        while self._unread:
            now = self._now
            if now is None:
                if not await self._begin():
                    return
            elif now.missing and (now.over or now.waiting < MAX_UNREAD_BODY):
                taken, self._unread = self._unread[: now.missing], self._unread[now.missing :]
                now.take(taken)
                if now.over and not now.missing:
                    await self._end(now)
            else:
                self._moved.clear()
                await self._moved.wait()

    async def _begin(self) -> bool:
        """Start the next request. False: its head is not whole yet, or the connection is hypercorn's now."""
        data = self._unread.removeprefix(b"\r\n")  # RFC 9112, section 2.2
        end = data.find(b"\r\n\r\n") + 4
        if end < 4 and len(data) < HEAD and b"\n\n" not in data and b"\n\r\n" not in data:
            self._unread = data
            return False
        head = Head.read(data[:end]) if 4 <= end <= HEAD else None
        if head is None:
            self._unread = b""
            self._careful = Careful(*self._made_with)
            await self._careful.handle(RawData(data))
            return False
        self._unread = data[end:]
        self._now = Exchange(self, head)
        await self._send(Updated(idle=False))
        self._tasks.spawn(self._now.run)
        return True

    async def write(self, data: bytes) -> None:
        await self._send(RawData(data))

    def stays_open(self) -> bool:
        """Whether another request may come after this one."""
        most = self.config.keep_alive_max_requests
        return self._answered + 1 < most and not self.context.terminated.is_set()

    def moved(self) -> None:
        self._moved.set()

    async def answered(self, now: Exchange) -> None:
        """The answer is whole. What still comes of the body is read and dropped, so that the answer is seen;
        a time limit is on that as on an idle connection."""
        self._answered += 1
        if not now.missing:
            await self._end(now)
        else:
            await self._send(Updated(idle=True))
        self._moved.set()

    async def _end(self, now: Exchange) -> None:
        self._now = None
        if now.head.keep:
            await self._send(Updated(idle=True))
        else:
            self._stop()
            await self._send(Closed())

    async def cut(self) -> None:
        """Hang up in the middle: what was promised does not come, and nothing more is read."""
        self._stop()
        self._moved.set()
        await self._send(Closed())


class Exchange:
    """One request and its answer: what an ASGI app is called with."""

    def __init__(self, connection: Http1, head: Head) -> None:
        self._connection = connection
        self.head = head
        self.missing = head.length  # bytes of the body that have not arrived
        self.waiting = 0  # bytes of it that the app has not asked for
        self._body: list[bytes] = []
        self._is_told = False  # the app knows that the body is whole
        self._left = False
        self._arrived = asyncio.Event()
        self.over = False  # the answer is whole
        self._status = 0
        self._answer: bytes | None = None  # its head, until there is some of its body
        self._promised: int | None = None
        self._sent = 0
        self._chunked = False

    def take(self, data: bytes) -> None:
        self.missing -= len(data)
        if not self.over:
            self._body.append(data)
            self.waiting += len(data)
            self._arrived.set()

    def leave(self) -> None:
        """The client is gone."""
        self._left = True
        self._arrived.set()

    async def run(self) -> None:
        connection = self._connection
        try:
            await connection.app(self._scope(), self.receive, self.send, None, None)
        except Exception:
            log.exception("the app failed at %s", self.head.target[:200])
        finally:
            if not self.over:
                await self._give_up()

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
            if self._body or not (self.missing or self._is_told):
                body = b"".join(self._body)
                self._body.clear()
                self.waiting = 0
                self._is_told = not self.missing
                self._connection.moved()
                return {"type": "http.request", "body": body, "more_body": bool(self.missing)}
            if self._left or self.over:
                return {"type": "http.disconnect"}
            self._arrived.clear()
            await self._arrived.wait()

    async def send(self, message: dict[str, Any]) -> None:
        if self.over:
            return
        kind = message["type"]
        if kind == "http.response.start" and not self._status:
            self._start(message["status"], message.get("headers", ()))
        elif kind == "http.response.body" and self._status:
            await self._continue(bytes(message.get("body", b"")), message.get("more_body", False))
        else:
            raise RuntimeError(f"{kind} at the wrong time")

    def _start(self, status: int, headers: Any) -> None:
        lines = [LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        for name, value in headers:
            name = name.lower()
            if name == b"content-length":
                self._promised = int(value)
            elif name == b"connection":
                self.head.keep = self.head.keep and value.lower() != b"close"
            if name in HOP:
                continue
            lines.append(b"%b: %b\r\n" % (name, value))
        lines.append(_always(int(time())))
        answer = b"".join(lines)
        if answer.count(b"\r") != len(lines) or answer.count(b"\n") != len(lines) or b"\0" in answer:
            raise ValueError("a header holds a line break")
        self._status, self._answer = status, answer

    async def _continue(self, data: bytes, more: bool) -> None:
        if self.head.method == "HEAD" or self._status in WITHOUT_BODY:
            data = b""
        elif self._promised is not None:
            self._sent += len(data)
            if self._sent > self._promised or not (more or self._sent == self._promised):
                raise RuntimeError(f"a body of {self._sent} bytes, where {self._promised} were promised")
        head = b""
        if self._answer is not None:
            head, self._answer = self._framed(self._answer, len(data), more), None
        if self._chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self._chunked and not more:
            data += b"0\r\n\r\n"
        if len(data) > LARGE and head:
            await self._connection.write(head)
        elif head:
            data = head + data
        if data:
            await self._connection.write(data)
        if not more and not self.over:
            self.over = True
            self._arrived.set()
            await self._connection.answered(self)

    def _framed(self, answer: bytes, size: int, more: bool) -> bytes:
        """The head of the answer with how its end will be known, and its last empty line."""
        if self._promised is None and self._status not in WITHOUT_BODY and self.head.method != "HEAD":
            if not more:
                answer += b"content-length: %d\r\n" % size
            elif self.head.version == "1.1":
                self._chunked = True
                answer += b"transfer-encoding: chunked\r\n"
            else:
                self.head.keep = False
        if not self._connection.stays_open():
            self.head.keep = False
        return answer + (b"\r\n" if self.head.keep else b"connection: close\r\n\r\n")

    async def _give_up(self) -> None:
        """The app is through, and its answer is not."""
        if self._left:
            return
        if self._status == 0 or self._answer is not None:
            self._status = self._sent = 0
            self._answer = self._promised = None
            self.head.keep = False
            await self.send({"type": "http.response.start", "status": 500, "headers": []})
            await self.send({"type": "http.response.body"})
        else:
            self.over = True
            await self._connection.cut()


@functools.lru_cache(maxsize=1)
def _always(second: int) -> bytes:
    return b"date: %b\r\n" % formatdate(second, usegmt=True).encode("ascii")
