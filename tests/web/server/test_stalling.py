"""Clients that stop reading or sending lose their connection, and the app goes on."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import h2.connection
import h2.settings
import pytest

from federation_tests.servers import Server
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_port
from web.server.config import STALL_FACTOR

pytestmark = ONE_AT_A_TIME

IDLE = 0.15  # seconds
LATEST = IDLE * STALL_FACTOR + 5
SIZE = 8_000_000


class App:
    """Reads the request body, then sends a large response at once, or a small one after a while."""

    def __init__(self) -> None:
        self.under_way = asyncio.Event()
        self.finished = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.under_way.set()
        try:
            while (message := await receive()).get("more_body"):
                pass
            if message["type"] == "http.disconnect":
                return
            body = b"x" * SIZE
            if scope["path"] == "/slow":
                await asyncio.sleep(2 * IDLE)
                body = b"slow"
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})
        finally:
            self.finished.set()


@asynccontextmanager
async def call_app(
    app: App, *, fast: bool
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection whose receive buffer is small."""
    port = free_port()
    server = Server(app, port, None, keep_alive=IDLE, fast=fast)
    await server.start()
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.setblocking(False)
    await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=one, limit=4096)
    try:
        yield reader, writer
    finally:
        writer.close()
        await server.stop()


async def bytes_until_closed(reader: asyncio.StreamReader) -> int:
    """Count the bytes that arrive until the connection is closed."""
    size = 0
    with contextlib.suppress(ConnectionError):
        while data := await asyncio.wait_for(reader.read(65_536), LATEST):
            size += len(data)
    return size


@pytest.fixture
def calling(fast: bool) -> Any:
    return functools.partial(call_app, fast=fast)


@pytest.mark.parametrize("more", ["", "Connection: close\r\n"])
async def test_a_client_that_does_not_read_its_response_loses_it(more: str, calling: Any) -> None:
    app = App()
    async with calling(app) as (reader, writer):
        writer.write(f"GET / HTTP/1.1\r\nHost: a\r\n{more}\r\n".encode())
        await asyncio.wait_for(app.finished.wait(), LATEST)
        await asyncio.sleep(3 * IDLE)
        assert await bytes_until_closed(reader) < SIZE


async def test_a_client_that_does_not_send_the_rest_of_a_body_is_not_waited_for(
    fast: bool, calling: Any
) -> None:
    app = App()
    async with calling(app) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
        await asyncio.wait_for(app.finished.wait(), LATEST)
        received = await asyncio.wait_for(reader.read(), LATEST)
        assert (
            received == b"" if fast else received.startswith(b"HTTP/1.1 408 ")
        )  # an ASGI app can answer, but not close


async def test_an_app_may_take_longer_than_a_connection_may_be_idle(calling: Any) -> None:
    async with calling(App()) as (reader, writer):
        writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await asyncio.wait_for(reader.readuntil(b"slow"), LATEST)).startswith(b"HTTP/1.1 200")


async def test_an_http2_client_that_opens_no_window_is_not_waited_for(calling: Any) -> None:
    app = App()
    async with calling(app) as (reader, writer):
        client = h2.connection.H2Connection()
        client.initiate_connection()
        client.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        headers = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "a")]
        client.send_headers(1, headers, end_stream=True)
        writer.write(client.data_to_send())
        await asyncio.wait_for(app.under_way.wait(), 5)
        await asyncio.wait_for(app.finished.wait(), LATEST)
        assert await bytes_until_closed(reader) < SIZE
