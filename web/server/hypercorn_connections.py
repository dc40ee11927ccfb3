"""Hypercorn, with what we changed of how it holds a connection, and the way to start it.

`web.server.http1` reads HTTP/1.1, `web.server.http2` mends a fault of HTTP/2; both come in where hypercorn looks its own up
at every connection. Here is the connection under both: one task watches over how long it is idle, where
hypercorn starts two and ends two for each request, and keeps the socket of a client that left until the time
of the last is over; and no client can hold a connection by neither reading nor sending.
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
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol

from web.server.http1 import Http1
from web.server.http2 import PatientH2
from web.server.limits import STALL_FACTOR

MAX_READ = 65_536  # bytes


class Connection(TCPServer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle_since: float | None = self.loop.time()
        self._moved_at = self.loop.time()  # something was read, or written and taken
        self.idle_task = Watch()  # type: ignore[assignment]

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, RawData):
            try:
                self.writer.write(event.data)
                await self.writer.drain()
                self._moved_at = self.loop.time()
            except (OSError, RuntimeError):  # of TLS and of time, too
                await self.protocol.handle(Closed())
        elif isinstance(event, Updated):
            self._idle_since = self.loop.time() if event.idle else None
            if event.idle and self.context.terminated.is_set():
                await self.idle_task.restart(self._task_group, self._idle_timeout)
        else:
            await super().protocol_send(event)

    async def _close(self) -> None:
        # That the other end did not close as it should is nobody's news, and what it does not take is lost.
        with contextlib.suppress(OSError):
            async with asyncio.timeout(self.config.keep_alive_timeout) as limit:
                await super()._close()
            if limit.expired():
                self.writer.transport.abort()

    async def _read_data(self) -> None:
        try:
            while not self.reader.at_eof():
                try:
                    data = await self.reader.read(MAX_READ)
                except OSError:
                    break
                self._moved_at = self.loop.time()
                await self.protocol.handle(RawData(data))
            await self.protocol.handle(Closed())
        finally:
            await self.idle_task.stop()

    async def _idle_timeout(self) -> None:
        """Hang up when nothing happened for so long, or nothing is under way and the server stops."""
        allowed = self.config.keep_alive_timeout
        stopping = self.context.terminated
        while not stopping.is_set() and (left := self._time_left(allowed)) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, allowed)):
                    await stopping.wait()
        if self._idle_since is not None:
            await asyncio.shield(self._initiate_server_close())
            await asyncio.sleep(allowed)  # for what has not been taken yet
            self.writer.transport.abort()
        elif not stopping.is_set():
            self.writer.transport.abort()
        # Otherwise whoever answers hangs up.

    def _time_left(self, allowed: float) -> float:
        """Seconds until it was idle, or nothing moved, for too long."""
        if self._idle_since is not None:
            return self._idle_since + allowed - self.loop.time()
        return self._moved_at + STALL_FACTOR * allowed - self.loop.time()


class Tasks(TaskGroup):
    """The tasks of a connection.

    Ten messages wait for an app. One that answers without reading them leaves hypercorn waiting, for ever, to
    tell it that its request is over; here that takes the place of what the app left unread.
    """

    async def spawn_app(self, *made_with: Any) -> Any:
        put: Any = await super().spawn_app(*made_with)
        waiting = getattr(put, "__self__", None)
        if not (isinstance(waiting, asyncio.Queue) and isinstance(made_with[1], FastConfig)):
            return put

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


class FastConfig(Config):
    """The options of a server, by whose class its connections are known among others' in the process."""

    @classmethod
    def copy_of(cls, config: Config) -> FastConfig:
        copy = cls()
        vars(copy).update(vars(config))
        return copy


def _for_fast_config(fast: Any, original: Any) -> Callable[..., Any]:
    """What makes one of ours for a fast server, and hypercorn's own for any other."""

    def make(*args: Any) -> Any:
        return (fast if any(isinstance(one, FastConfig) for one in args) else original)(*args)

    return make


_connection = _for_fast_config(Connection, TCPServer)
_http1 = _for_fast_config(Http1, H11Protocol)
_http2 = _for_fast_config(PatientH2, H2Protocol)


async def serve(app: Any, config: Config, *, shutdown_trigger: Callable[[], Awaitable[Any]]) -> None:
    """Serve an ASGI app over HTTP/1.1 and HTTP/2 until `shutdown_trigger` returns. Raises OSError."""
    # Where hypercorn looks for them at every connection. They stay, since other servers may run in this process.
    hypercorn.asyncio.run.TCPServer = _connection  # type: ignore[attr-defined,assignment]
    hypercorn.asyncio.tcp_server.TaskGroup = Tasks  # type: ignore[attr-defined]
    hypercorn.protocol.H11Protocol = _http1  # type: ignore[attr-defined,assignment]
    hypercorn.protocol.H2Protocol = _http2  # type: ignore[attr-defined,assignment]
    await hypercorn.asyncio.serve(
        app, FastConfig.copy_of(config), shutdown_trigger=shutdown_trigger, mode="asgi"
    )
