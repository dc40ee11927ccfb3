"""HTTP/2 through the socket: a request that was answered early, or whose client left, does not harm others."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import h2.connection
import h2.events
import pytest

from federation_tests.servers import Server
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_port

pytestmark = ONE_AT_A_TIME

WINDOW = 65_535  # bytes that a client may send on a connection before the server acknowledges some


async def refusing_app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Refuses every POST without reading its body, and answers everything else."""
    if scope["type"] != "http":
        return
    status = 403 if scope["method"] == "POST" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"."})


class Caller:
    """One HTTP/2 connection of a client that sends single frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.h2 = h2.connection.H2Connection()
        self.h2.initiate_connection()

    def close(self) -> None:
        self._writer.close()

    async def send(self) -> None:
        self._writer.write(self.h2.data_to_send())
        await self._writer.drain()

    def request(self, method: str, *, end: bool) -> int:
        stream = self.h2.get_next_available_stream_id()
        headers = [(":method", method), (":path", "/"), (":scheme", "http"), (":authority", "a.test")]
        self.h2.send_headers(stream, headers, end_stream=end)
        return stream

    async def response_status(self, stream: int) -> int:
        """Wait for the end of the response and return its status."""
        status = 0
        await self.send()
        while True:
            data = await asyncio.wait_for(self._reader.read(65_536), 5)
            assert data, "the server closed the connection"
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived) and event.stream_id == stream:
                    status = int(dict(event.headers)[b":status"])
                elif isinstance(event, h2.events.StreamEnded) and event.stream_id == stream:
                    await self.send()
                    return status
            await self.send()


@asynccontextmanager
async def call_app(app: Any = refusing_app, **options: Any) -> AsyncIterator[Caller]:
    port = free_port()
    server = Server(app, port, None, **options)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()
        await server.stop()


@pytest.fixture
def calling(fast: bool) -> Any:
    return functools.partial(call_app, fast=fast)


async def test_a_body_after_its_response_does_not_end_the_connection(calling: Any) -> None:
    async with calling() as caller:
        refused = caller.request("POST", end=False)
        assert await caller.response_status(refused) == 403
        caller.h2.send_data(refused, b"like=1", end_stream=True)
        assert await caller.response_status(caller.request("GET", end=True)) == 200


async def test_a_body_that_arrives_while_it_is_refused_does_not_end_the_connection(calling: Any) -> None:
    async with calling() as caller:
        for _ in range(2 * WINDOW // 16_000):
            refused = caller.request("POST", end=False)
            await caller.send()
            await asyncio.sleep(0.05)  # time for the server to answer
            caller.h2.send_data(refused, b"." * 16_000, end_stream=True)
            assert await caller.response_status(refused) == 403
            assert await caller.response_status(caller.request("GET", end=True)) == 200


async def test_bodies_after_their_response_do_not_use_up_the_connection_window(calling: Any) -> None:
    async with calling() as caller:
        for _ in range(2 * WINDOW // 16_000):
            refused = caller.request("POST", end=False)
            assert await caller.response_status(refused) == 403
            caller.h2.send_data(refused, b"." * 16_000, end_stream=True)
            assert await caller.response_status(caller.request("GET", end=True)) == 200


async def test_a_response_before_reading_the_body_does_not_block_the_connection(calling: Any) -> None:
    async with calling() as caller:
        refused = caller.request("POST", end=False)
        for _ in range(20):
            caller.h2.send_data(refused, b"like=1")
        caller.h2.end_stream(refused)
        assert await caller.response_status(refused) == 403
        assert await caller.response_status(caller.request("GET", end=True)) == 200


@pytest.mark.parametrize("size", [10, 1_000_000])
async def test_an_app_does_not_wait_for_a_client_that_left(size: int, calling: Any) -> None:
    called, completed = asyncio.Event(), asyncio.Event()

    async def slow(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            called.set()
            await asyncio.sleep(0.1)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x" * size, "more_body": True})
            await send({"type": "http.response.body"})
            completed.set()

    async with calling(slow) as caller:
        caller.request("GET", end=True)
        await caller.send()
        await asyncio.wait_for(called.wait(), 5)
        caller.close()
        await asyncio.wait_for(completed.wait(), 2)
