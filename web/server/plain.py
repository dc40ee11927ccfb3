"""Serves an ASGI app with hypercorn as released, using only its documented parts and a stricter reader of HTTP/1.1.

This server runs when the fast one is switched off, or does not fit the installed release of hypercorn.
Hypercorn 0.18 has faults that let a client hold memory or tasks for ever, or that lose a response. Those that
can be fixed from outside are fixed here: the app is called through `GuardedApp`, and the system closes TCP
connections whose client does not read (on Linux; a reverse proxy in front has its own limit). What remains
different from the fast server:

- The socket of a client that left after its response stays open until the idle time is over.
- Over HTTP/2, a client that waits for the end of a response before it sends the rest of its request body
  loses its connection (hypercorn's pull request 334).
- A client that says `Connection: close` and then sends more is answered 400, if the app takes longer than such a refusal
  waits.
- A client that stops within a request body is answered 408 before its connection is closed.
- Status lines have no reason phrase.
- A wrong handshake of a WebSocket is answered, and its connection stays open until the client closes it.
- A tunnel that is asked for over HTTP/2 (CONNECT), and a path or method that is not ASCII, end the connection with a
  traceback in the log.

Where a release of hypercorn has no place for the stricter readers (`strict_h11`, `strict_h2`), the log says so: folded headers are
then read as one line, and an upgrade to HTTP/2 is accepted and, unless `server.h2c` is set, each request on it answered
505.

`FAULTS_OF_PLAIN_HYPERCORN` in `tests/web/server/conftest.py` names the tests of the first two and of that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import hypercorn.asyncio
from hypercorn.config import Config, Sockets
from priority.priority import PriorityError

from web.server import private_api
from web.server.config import STALL_FACTOR, CopiedConfig, allows_h2c
from web.server.guarded_exchange import Request, Response, framing_fault

log = logging.getLogger("tintype.http")


class ConnectionCut(BaseException):
    """Ends the tasks of an HTTP/1.1 connection from inside the app.

    Raised after a response that closes the connection: where another request had already arrived behind it,
    hypercorn's reader waits for its turn for ever. Hypercorn logs every `Exception` of an app and goes on;
    anything else cancels all tasks of the connection.
    """


EXPECTED = (ConnectionCut, OSError, PriorityError)  # how connections end


class GuardedApp:
    """Calls the app through `Request` and `Response`, and cuts connections that hypercorn would keep for
    ever."""

    def __init__(self, app: Any, config: Config) -> None:
        self._app = app
        self._idle_timeout = config.keep_alive_timeout
        self._allows_h2c = allows_h2c(config)
        self._is_stopping = False

    def stop(self) -> None:
        """Closes each connection after its current response, and cuts none: once a connection has ended with
        an error, hypercorn waits for no other to finish."""
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
                status = self._refusal(scope)
                if status:
                    headers = [(b"connection", b"close")]
                    await response.send({"type": "http.response.start", "status": status, "headers": headers})
                    request.ended.set()  # where it ends is in doubt, so nothing more is read
                    await response.send({"type": "http.response.body"})
                else:
                    await self._app(scope, request.receive, response.send)
            except Exception:
                log.exception("the app failed at %s", scope["raw_path"][:200])
            await response.finish()
        finally:
            reading.cancel()
        if response.ends_connection and not self._is_stopping:
            raise ConnectionCut

    def _refusal(self, scope: Any) -> int:
        """Returns the status of a request that the app does not see, or 0."""
        if scope["http_version"].startswith("1"):
            return 400 if framing_fault(scope["http_version"], scope["headers"]) else 0
        return 505 if scope["scheme"] == "http" and not self._allows_h2c else 0


class PlainConfig(CopiedConfig):
    """The same options, and sockets on which the system closes a connection whose client does not read."""

    def create_sockets(self) -> Sockets:
        sockets = super().create_sockets()
        option = getattr(socket, "TCP_USER_TIMEOUT", None)  # only on Linux; accepted sockets inherit it
        for one in (*sockets.secure_sockets, *sockets.insecure_sockets):
            if option is not None and one.family in (socket.AF_INET, socket.AF_INET6):
                one.setsockopt(socket.IPPROTO_TCP, option, int(STALL_FACTOR * self.keep_alive_timeout * 1000))
        return sockets


async def serve(
    app: Any,
    config: Config,
    *,
    shutdown_trigger: Callable[[], Awaitable[Any]],
    needed: Iterable[private_api.Name] = private_api.STRICT_READER_NAMES,
) -> None:
    """Serves an ASGI app over HTTP/1.1 and HTTP/2 until `shutdown_trigger` returns. Raises OSError.

    Reads HTTP/1.1 strictly where hypercorn has all that is `needed` for that.
    """
    _read_strictly(needed)
    guarded = GuardedApp(app, config)

    async def shutdown() -> None:
        await shutdown_trigger()
        guarded.stop()

    with _cut_connections_are_not_reported():
        try:
            await hypercorn.asyncio.serve(
                guarded, PlainConfig.copy_of(config), shutdown_trigger=shutdown, mode="asgi"
            )
        except BaseExceptionGroup as group:  # of connections that were still open when the server stopped
            if (unexpected := group.split(EXPECTED)[1]) is not None:
                raise unexpected from None


def _read_strictly(needed: Iterable[private_api.Name]) -> None:
    absent = private_api.missing(needed)
    if absent:
        log.warning(
            "folded headers, upgrades to HTTP/2 and small chunks are not refused, since this release of hypercorn has no place for "
            "the stricter readers: %s",
            "; ".join(absent),
        )
        return
    from web.server import strict_h2, strict_h11

    strict_h11.install()
    strict_h2.install()


@contextlib.contextmanager
def _cut_connections_are_not_reported() -> Iterator[None]:
    """Keeps out of the log that a connection was cut here,
    or closed by the system because its client did not read."""
    loop = asyncio.get_running_loop()
    previous = loop.get_exception_handler()

    def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseExceptionGroup):
            error = error.split(EXPECTED)[1]
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
