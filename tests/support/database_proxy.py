"""Stands between a node and its PostgreSQL server, and can swallow everything, refuse, or cut every connection."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import urllib.parse
from pathlib import Path
from typing import Self


class DatabaseProxy:
    """`async with DatabaseProxy(url) as proxy:` listens on a Unix socket; `proxy.url` leads through it."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        values = dict(urllib.parse.parse_qsl(parts.query))
        self._port = values.get("port", "5432")
        self._server_socket = str(Path(values["host"]) / f".s.PGSQL.{self._port}")
        self._folder = tempfile.TemporaryDirectory(prefix="tintype-proxy-")
        self._socket = str(Path(self._folder.name) / f".s.PGSQL.{self._port}")
        query = urllib.parse.urlencode({**values, "host": self._folder.name})
        self.url = urllib.parse.urlunsplit(parts._replace(query=query))
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._relays: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        self._flows.set()
        await asyncio.gather(*self._relays, return_exceptions=True)
        self._folder.cleanup()

    def swallow(self) -> None:
        """Accepts connections and bytes, and lets nothing through in either direction."""
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    async def refuse(self) -> None:
        """Cuts all connections and accepts no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        Path(self._socket).unlink(missing_ok=True)
        self.cut()

    async def accept(self) -> None:
        self._flows.set()
        self._server = await asyncio.start_unix_server(self._begin, self._socket)

    def cut(self) -> None:
        """Cuts all connections, as a restart of the server does."""
        for writer in list(self._writers):
            writer.transport.abort()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay = asyncio.create_task(self._relay(reader, writer))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server: asyncio.StreamWriter | None = None
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            await self._flows.wait()
            if self._server is None:
                raise ConnectionRefusedError
            from_server, to_server = await asyncio.open_unix_connection(self._server_socket)
            self._writers.add(to_server)
            directions = [
                asyncio.create_task(self._copy(reader, to_server)),
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
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
