"""The fast server: hypercorn with its connections, HTTP/1.1 and two faults of HTTP/2 replaced.

Hypercorn looks up the classes of a connection in its own modules each time one is opened; that is where
`serve` replaces them. `web.server.http1` reads HTTP/1.1, `web.server.http2` fixes HTTP/2, and `Connection` holds
the socket under both: one task watches for idleness, where hypercorn starts and ends two for each request and
keeps the socket of a client that left until the last idle time is over; and no client can hold a connection
by neither reading nor sending. Everything used here that hypercorn does not document is listed in
`web.server.private_api`.
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

from web.server.config import STALL_FACTOR, CopiedConfig
from web.server.http1 import Http1
from web.server.http2 import PatchedH2
from web.server.strict_h2 import StrictH2
from web.server.strict_h11 import StrictH11

MAX_READ = 65_536  # bytes


class Connection(TCPServer):
    """Reads from and writes to one socket until its client leaves, is idle or stalls."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle_since: float | None = self.loop.time()
        self._progress_at = self.loop.time()  # when something was last read, or written and taken
        self.idle_task = IdleWatch()  # type: ignore[assignment]

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, RawData):
            try:
                self.writer.write(event.data)
                await self.writer.drain()
                self._progress_at = self.loop.time()
            except (OSError, RuntimeError):  # TLS errors and time-outs are OSErrors, too
                await self.protocol.handle(Closed())
        elif isinstance(event, Updated):
            self._idle_since = self.loop.time() if event.idle else None
            if event.idle and self.context.terminated.is_set():
                await self.idle_task.restart(self._task_group, self._idle_timeout)
        else:
            await super().protocol_send(event)

    async def _close(self) -> None:
        # A client that does not close properly is not worth a log line; what it does not read is lost.
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
                self._progress_at = self.loop.time()
                await self.protocol.handle(RawData(data))
            await self.protocol.handle(Closed())
        finally:
            await self.idle_task.stop()

    async def _idle_timeout(self) -> None:
        """Closes a connection that was idle or stalled for too long,
        or that is idle while the server stops."""
        allowed = self.config.keep_alive_timeout
        stopping = self.context.terminated
        while not stopping.is_set() and (left := self._time_left(allowed)) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, allowed)):
                    await stopping.wait()
        if self._idle_since is not None:
            await asyncio.shield(self._initiate_server_close())
            await asyncio.sleep(allowed)  # so that the client can still read what was sent
            self.writer.transport.abort()
        elif not stopping.is_set():
            self.writer.transport.abort()
        # Otherwise a response is under way, and closes the connection when it ends.

    def _time_left(self, allowed: float) -> float:
        """Returns the seconds until the connection has been idle, or without progress, for too long."""
        if self._idle_since is not None:
            return self._idle_since + allowed - self.loop.time()
        return self._progress_at + STALL_FACTOR * allowed - self.loop.time()


class Tasks(TaskGroup):
    """Starts the tasks of a connection, and never blocks on telling an app that its request is over.

    Ten messages wait for an app. Behind one that answers without reading them, hypercorn waits for ever to
    add `http.disconnect`; here that replaces what the app left unread.
    """

    async def spawn_app(self, *arguments: Any) -> Any:
        put: Any = await super().spawn_app(*arguments)
        waiting = getattr(put, "__self__", None)
        if not (isinstance(waiting, asyncio.Queue) and isinstance(arguments[1], FastConfig)):
            return put

        async def put_message(message: Any) -> None:
            if message["type"] == "http.disconnect" and waiting.full():
                while not waiting.empty():
                    waiting.get_nowait()
            await waiting.put(message)

        return put_message


class IdleWatch:
    """Runs the one task that watches a connection, where hypercorn starts one each time it becomes idle."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    async def restart(self, _: Any, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await self.stop()
        self._task = asyncio.create_task(action())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()


class FastConfig(CopiedConfig):
    """Marks the connections of a fast server: other servers may run in the same process."""


def _for_fast_config(fast: Any, original: Any) -> Callable[..., Any]:
    """Returns what makes a `fast` object for a fast server, and an `original` one for any other."""

    def make(*args: Any) -> Any:
        return (fast if any(isinstance(one, FastConfig) for one in args) else original)(*args)

    return make


_connection = _for_fast_config(Connection, TCPServer)
_http1 = _for_fast_config(Http1, StrictH11)
_http2 = _for_fast_config(PatchedH2, StrictH2)


async def serve(app: Any, config: Config, *, shutdown_trigger: Callable[[], Awaitable[Any]]) -> None:
    """Serves an ASGI app over HTTP/1.1 and HTTP/2 until `shutdown_trigger` returns. Raises OSError."""
    # Hypercorn looks these up at every connection. They stay: other servers may run in this process.
    hypercorn.asyncio.run.TCPServer = _connection  # type: ignore[attr-defined,assignment]
    hypercorn.asyncio.tcp_server.TaskGroup = Tasks  # type: ignore[attr-defined]
    hypercorn.protocol.H11Protocol = _http1  # type: ignore[attr-defined,assignment]
    hypercorn.protocol.H2Protocol = _http2  # type: ignore[attr-defined,assignment]
    await hypercorn.asyncio.serve(
        app, FastConfig.copy_of(config), shutdown_trigger=shutdown_trigger, mode="asgi"
    )
