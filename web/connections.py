"""Hypercorn, with what we changed of how it holds a connection, and the way to start it.

`web.http1` reads HTTP/1.1, `web.http2` mends a fault of HTTP/2; both come in where hypercorn looks its own up
at every connection. Here is the connection under both: one task watches over how long it is idle, where
hypercorn starts two and ends two for each request, and keeps the socket of a client that left until the time
of the last is over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import hypercorn.asyncio
import hypercorn.asyncio.run
import hypercorn.asyncio.tcp_server
import hypercorn.protocol
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated

from web.http1 import Http1
from web.http2 import PatientH2


class Connection(TCPServer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle_since: float | None = self.loop.time()
        self.idle_task = Watch()  # type: ignore[assignment]

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, RawData):
            try:
                self.writer.write(event.data)
                await self.writer.drain()
            except (OSError, RuntimeError):  # of TLS and of time, too
                await self.protocol.handle(Closed())
        elif isinstance(event, Updated):
            self._idle_since = self.loop.time() if event.idle else None
            if event.idle and self.context.terminated.is_set():
                await self.idle_task.restart(self._task_group, self._idle_timeout)
        else:
            await super().protocol_send(event)

    async def _close(self) -> None:
        with contextlib.suppress(OSError):  # that the other end did not close as it should is nobody's news
            await super()._close()

    async def _read_data(self) -> None:
        try:
            await super()._read_data()
        finally:
            await self.idle_task.stop()

    async def _idle_timeout(self) -> None:
        """Hang up when nothing happened for so long, or nothing is under way and the server stops."""
        allowed = self.config.keep_alive_timeout
        stopping = self.context.terminated
        while not stopping.is_set():
            wait = allowed if self._idle_since is None else self._idle_since + allowed - self.loop.time()
            if wait <= 0:
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await stopping.wait()
        if self._idle_since is not None:  # or whoever answers hangs up
            await asyncio.shield(self._initiate_server_close())


class Tasks(TaskGroup):
    """The tasks of a connection.

    Ten messages wait for an app. One that answers without reading them leaves hypercorn waiting, for ever, to
    tell it that its request is over; here that takes the place of what the app left unread.
    """

    async def spawn_app(self, *made_with: Any) -> Callable[[Any], Awaitable[None]]:
        put: Any = await super().spawn_app(*made_with)
        waiting: asyncio.Queue[Any] = put.__self__

        async def tell(message: Any) -> None:
            if message["type"] == "http.disconnect" and waiting.full():
                while not waiting.empty():
                    waiting.get_nowait()
            await waiting.put(message)

        return tell


class Watch:
    """The one task of a connection that looks at how long it is idle, where hypercorn has one for each time."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    async def restart(self, _: Any, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await self.stop()
        self._task = asyncio.create_task(action())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()


async def serve(app: Any, config: Config, *, shutdown_trigger: Callable[[], Awaitable[Any]]) -> None:
    """Serve an ASGI app over HTTP/1.1 and HTTP/2 until `shutdown_trigger` returns. Raises OSError."""
    # Where hypercorn looks for them at every connection.
    hypercorn.asyncio.run.TCPServer = Connection  # type: ignore[attr-defined]
    hypercorn.asyncio.tcp_server.TaskGroup = Tasks  # type: ignore[attr-defined]
    hypercorn.protocol.H11Protocol = Http1  # type: ignore[attr-defined,assignment]
    hypercorn.protocol.H2Protocol = PatientH2  # type: ignore[attr-defined]
    await hypercorn.asyncio.serve(app, config, shutdown_trigger=shutdown_trigger, mode="asgi")
