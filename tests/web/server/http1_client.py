"""A client of HTTP/1.1 that sends exact bytes, and an app that behaves well and badly, for the tests of both servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import h11

from federation_tests.servers import Server
from tests.support.ports import free_port

GET = b"GET /%b HTTP/1.1\r\nHost: a.test\r\n\r\n"
POST = b"POST /%b HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n"


async def sample_app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Behaves as the first word of the path says."""
    if scope["type"] != "http":
        return
    behaviour = scope["path"].strip("/").partition("/")[0]
    headers: list[tuple[bytes, bytes]] = [(b"x-seen", scope["method"].encode())]
    if behaviour == "echo":
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        await respond(send, 200, headers, b"%b %b:%b" % (scope["method"].encode(), scope["raw_path"], body))
    elif behaviour == "hasty":
        await respond(send, 413, headers, b"too large")
    elif behaviour == "slow":
        await asyncio.sleep(0.3)
        await respond(send, 200, headers, b"slow")
    elif behaviour == "pieces":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in (b"", b"one, ", b"", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    elif behaviour in ("204", "304"):
        await respond(send, int(behaviour), headers, b"never seen")
    elif behaviour == "split":
        await respond(send, 200, [(b"location", b"/\r\nset-cookie: a=b")], b"")
    elif behaviour == "short":
        await respond(send, 200, [(b"content-length", b"10")], b"four")
    elif behaviour == "long":
        await respond(send, 200, [(b"content-length", b"2")], b"four")
    elif behaviour == "broken":
        raise RuntimeError("on purpose")
    elif behaviour == "halfway":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await send({"type": "http.response.body", "body": b"four", "more_body": True})
        raise RuntimeError("on purpose")
    else:
        await respond(send, 404, headers, b"nobody")


async def respond(send: Any, status: int, headers: Any, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Caller:
    """One HTTP/1.1 connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def receive(self, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the next response, read by h11 as a client."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        if head.startswith(b"HTTP/1.1 100"):
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        client.send(h11.EndOfMessage())
        client.receive_data(head)
        first = client.next_event()
        assert isinstance(first, h11.Response)
        body = b""
        while True:
            event = client.next_event()
            if event is h11.NEED_DATA:
                client.receive_data(await asyncio.wait_for(self.reader.read(1), 5))
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                assert isinstance(event, h11.EndOfMessage)
                return first.status_code, {n.decode(): v.decode() for n, v in first.headers}, body

    async def request(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        self.send(data)
        return await self.receive(data.partition(b" ")[0].decode())

    async def read_to_end(self, seconds: float = 5) -> bytes:
        return await asyncio.wait_for(self.reader.read(), seconds)


@asynccontextmanager
async def call_app(app: Any = sample_app, **options: Any) -> AsyncIterator[Caller]:
    async with serve_app(app, **options) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Caller(reader, writer)
        finally:
            writer.close()


@asynccontextmanager
async def serve_app(app: Any, **options: Any) -> AsyncIterator[tuple[Server, int]]:
    port = free_port()
    server = Server(app, port, None, **options)
    await server.start()
    try:
        yield server, port
    finally:
        await server.stop()
