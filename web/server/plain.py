"""Serves an ASGI app with hypercorn as it is released, using only its documented parts.

This is the server when the fast one is switched off, or when hypercorn has changed so that the fast one does not
fit. Hypercorn 0.18 has faults that let a client hold memory or tasks for ever, or that lose an answer. What can be
mended from outside is mended here: the app is called through `GuardedApp`, and the system ends TCP connections
whose client takes nothing. What cannot be mended is this, and `tests/web/server/conftest.py` holds a test to each:

- A client that says `Connection: close` and sends more all the same is answered with 400.
- The socket of a client that left after its answer stays open until the idle time is over.
- Over HTTP/2, a client that waits for the end of an answer before it sends the rest of its body loses its
  connection (hypercorn's pull request 334).
- Only Linux has the time limit for clients that take nothing; a reverse proxy in front has one of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import hypercorn.asyncio
from hypercorn.config import Config, Sockets

from web.server.guarded_exchange import Request, Response
from web.server.limits import STALL_FACTOR

log = logging.getLogger("tintype.http")


class ConnectionCut(BaseException):
    """Ends a connection of HTTP/1.1 from inside the app.

    Hypercorn lets only an exception that is no `Exception` through to the tasks of the connection, which end with
    it. Otherwise its reader waits for ever for its turn when another request had arrived behind one whose answer
    closes the connection.
    """


class GuardedApp:
    """Calls the app with a `receive` and a `send` that keep what the ASGI specification promises."""

    def __init__(self, app: Any, config: Config) -> None:
        self._app = app
        self._idle_timeout = config.keep_alive_timeout
        self._is_stopping = False

    def stop(self) -> None:
        """Let what is under way be the last on its connection, and cut none: hypercorn waits for no other connection
        once one has ended with an error."""
        self._is_stopping = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(receive, STALL_FACTOR * self._idle_timeout)
        response = Response(scope, send, request, self._idle_timeout, lambda: self._is_stopping)
        reading = asyncio.create_task(request.read_ahead())
        try:
            try:
                await self._app(scope, request.receive, response.send)
            except Exception:
                log.exception("the app failed at %s", scope["raw_path"][:200])
            await response.finish()
        finally:
            reading.cancel()
        if response.ends_connection and not self._is_stopping:
            raise ConnectionCut


class PlainConfig(Config):
    """The same options, with a time limit of the system on connections whose client takes nothing."""

    @classmethod
    def copy_of(cls, config: Config) -> PlainConfig:
        copy = cls()
        vars(copy).update(vars(config))
        return copy

    def create_sockets(self) -> Sockets:
        sockets = super().create_sockets()
        option = getattr(socket, "TCP_USER_TIMEOUT", None)  # only Linux; what is accepted inherits it
        for one in (*sockets.secure_sockets, *sockets.insecure_sockets):
            if option is not None and one.family in (socket.AF_INET, socket.AF_INET6):
                one.setsockopt(socket.IPPROTO_TCP, option, int(STALL_FACTOR * self.keep_alive_timeout * 1000))
        return sockets


async def serve(app: Any, config: Config, *, shutdown_trigger: Callable[[], Awaitable[Any]]) -> None:
    """Serve an ASGI app over HTTP/1.1 and HTTP/2 until `shutdown_trigger` returns. Raises OSError."""
    guarded = GuardedApp(app, config)

    async def shutdown() -> None:
        await shutdown_trigger()
        guarded.stop()

    with _cut_connections_are_not_reported():
        await hypercorn.asyncio.serve(
            guarded, PlainConfig.copy_of(config), shutdown_trigger=shutdown, mode="asgi"
        )


@contextlib.contextmanager
def _cut_connections_are_not_reported() -> Iterator[None]:
    """Keep from the log that a connection was cut here, or by the system because its client took nothing."""
    loop = asyncio.get_running_loop()
    previous = loop.get_exception_handler()

    def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseExceptionGroup):
            error = error.split((ConnectionCut, OSError))[1]
            if error is None:
                return
        elif isinstance(error, OSError) and "client_connected_cb" in context.get("message", ""):
            return
        if previous is not None:
            previous(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(report)
    try:
        yield
    finally:
        loop.set_exception_handler(previous)
