"""An ASGI app behind a real HTTPS socket, or a plain one, in this process, for the length of a test."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from hypercorn.config import Config as Hypercorn

from federation_tests.authority import Authority
from web.server import http_server


class Server:
    """Serves an ASGI app between `start` and `stop`; it can be started again on the same port."""

    def __init__(
        self,
        app: Any,
        port: int,
        authority: Authority | None,
        *,
        keep_alive: float = 5.0,
        graceful: float = 0.2,
        fast: bool = True,
        h2c: bool = True,
    ) -> None:
        self._app = app
        self._port = port
        self._authority = authority
        self._keep_alive, self._graceful = keep_alive, graceful  # seconds
        self._fast, self._h2c = fast, h2c
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        config = Hypercorn()
        config.bind = [f"127.0.0.1:{self._port}"]
        if self._authority is not None:
            config.certfile, config.keyfile = self._authority.certificate, self._authority.key
        config.accesslog = None
        config.errorlog = logging.getLogger("federation_tests.http")
        config.keep_alive_timeout = self._keep_alive
        config.h2c = self._h2c  # type: ignore[attr-defined]
        config.graceful_timeout = self._graceful
        config.shutdown_timeout = 0.5
        listening = asyncio.Event()
        self._stopping = asyncio.Event()

        async def shutdown() -> None:
            listening.set()
            await self._stopping.wait()

        self._task = asyncio.create_task(
            http_server.serve(self._app, config, fast=self._fast, shutdown_trigger=shutdown)
        )
        ready = asyncio.create_task(listening.wait())
        await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        if self._task is None:
            return
        self._stopping.set()
        done, late = await asyncio.wait({self._task}, timeout=3)
        for task in late:
            task.cancel()
        await asyncio.gather(*done, *late, return_exceptions=True)
        self._task = None


async def localhost(host: str, port: int) -> list[str]:
    """Resolves every name to this machine."""
    return ["127.0.0.1"]
