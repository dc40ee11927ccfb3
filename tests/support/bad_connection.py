"""Stands between a browser and a node as a bad connection: it stops at a given byte, and can be cut and made again."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

from tests.support.ports import free_port


class BadConnection:
    """`async with BadConnection(port) as connection:` listens on `connection.port` and leads to `port`."""

    def __init__(self, to: int) -> None:
        self._to = to
        self.port = free_port()
        self.sent = 0
        """Bytes that came from the client, encrypted as they are."""
        self.is_held = asyncio.Event()
        self._held_at: int | None = None
        self._released = asyncio.Event()
        self._answered = asyncio.Event()
        self._answered.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.refuse()
        self._released.set()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def hold_after(self, count: int) -> None:
        """Lets so many more bytes of the client through, and then none until it is cut."""
        self.is_held.clear()
        self._released.clear()
        self._held_at = self.sent + count

    def hold_answers(self) -> None:
        """Lets nothing of the server through until it is cut."""
        self._answered.clear()

    def cut(self) -> None:
        """Cuts all connections. New ones are accepted."""
        self._held_at = None
        self._released.set()
        self._answered.set()
        for writer in list(self._writers):
            writer.transport.abort()

    def refuse(self) -> None:
        """Cuts all connections, and accepts none."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    async def accept(self) -> None:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", self.port)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay = asyncio.create_task(self._relay(reader, writer))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        to_server: asyncio.StreamWriter | None = None
        with contextlib.suppress(OSError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
            self._writers.add(to_server)
            directions = [
                asyncio.create_task(self._copy_up(reader, to_server)),
                asyncio.create_task(self._copy(from_server, writer)),
            ]
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
        for one in (writer, to_server):
            if one is not None:
                self._writers.discard(one)
                one.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self._answered.wait()
            writer.write(data)
            await writer.drain()

    async def _copy_up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(16_384):
            if self._held_at is not None and self.sent + len(data) > self._held_at:
                self.is_held.set()
                await self._released.wait()
            self.sent += len(data)
            writer.write(data)
            await writer.drain()
