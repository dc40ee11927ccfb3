"""`tintype serve`: the web server and the worker beside it, in one process.

Hypercorn runs inside our own event loop, so that stopping is ours to time: on SIGTERM nothing new is
accepted, what is being answered or worked on may finish, and after `DEADLINE` whatever is left is
cancelled. Nothing is lost by that: a unit of work is done whole or not at all, and a job that was not
finished is done again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable
from typing import Any

from hypercorn.config import Config as Hypercorn

from node.cli import control_socket
from node.config import Config
from node.lifecycle import registration
from node.node import Node
from web import connections, wiring
from web.app import create_app

log = logging.getLogger("tintype.serve")

DEADLINE = 4.5
REQUESTS_MAY_FINISH = 2.5
JOBS_MAY_FINISH = 3.0
WANTED_FILES, ENOUGH_FILES = 16_384, 4_096


def run(options: Config) -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.getLogger("tintype.http").setLevel(logging.WARNING)
    _room_for_connections()
    wiring.collect_seldom()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_main(options))


def _room_for_connections() -> None:
    """Ask for as many open files as there may be connections. Many systems allow it, and only start with fewer."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft < ENOUGH_FILES:
        log.warning(
            "only %d files may be open: with many servers that hang, deliveries may fail (ulimit -n)", soft
        )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _main(options: Config) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    node = await wiring.open_node(options)
    try:
        ready = asyncio.Event()
        greeting = asyncio.create_task(_greet_when(ready, node))
        try:
            await serve(node, stopping, ready=ready)
        finally:
            greeting.cancel()
    finally:
        await node.close()


async def _greet_when(ready: asyncio.Event, node: Node) -> None:
    await ready.wait()
    await greet(node)


async def greet(node: Node) -> None:
    """Say where the node is and, while it has no admin, how to become one."""
    code = await node.db.write(registration.setup_code)
    where = " and ".join(node.config.server.bind)
    print(f"Tintype is at {node.site.base_url} (listening on {where})", file=sys.stderr, flush=True)
    if code is not None:
        print(
            f"There is no admin yet. Open {node.site.base_url}/setup and enter the code {code}",
            file=sys.stderr,
            flush=True,
        )


async def serve(node: Node, stopping: asyncio.Event, *, ready: asyncio.Event | None = None) -> None:
    """Serve the node until `stopping` is set, then stop within `DEADLINE` seconds."""
    loop = asyncio.get_running_loop()

    def report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # A connection that had to be cut off at the end is no news, but asyncio's streams log it.
        if not (stopping.is_set() and isinstance(context.get("exception"), asyncio.CancelledError)):
            loop.default_exception_handler(context)

    loop.set_exception_handler(report)
    async with control_socket.listening(node):
        await _serve(node, stopping, ready)


async def _serve(node: Node, stopping: asyncio.Event, ready: asyncio.Event | None) -> None:
    worker = wiring.make_worker(node) if node.config.server.jobs else None
    if worker is not None:
        await worker.start(alone=node.config.database.url.startswith("sqlite:"))
    web = asyncio.create_task(_web(node, stopping, ready))
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((web, stopped), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.set()
        stopped.cancel()
        ends = [web] if worker is None else [web, asyncio.create_task(worker.stop(JOBS_MAY_FINISH))]
        _, late = await asyncio.wait(ends, timeout=DEADLINE)
        for task in late:
            log.warning("not everything was finished within %.1f seconds", DEADLINE)
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    if web.done() and not web.cancelled() and (error := web.exception()) is not None:
        raise error


async def _web(node: Node, stopping: asyncio.Event, ready: asyncio.Event | None) -> None:
    app = create_app(node)

    async def shutdown() -> None:
        if ready is not None:
            ready.set()
        await stopping.wait()

    with contextlib.suppress(asyncio.CancelledError):
        try:
            await connections.serve(app, hypercorn_config(node.config), shutdown_trigger=shutdown)
        except OSError as error:
            # The system says what is wrong with an address, but not with which.
            where = error.filename or " or ".join(node.config.server.bind)
            raise OSError(error.errno, error.strerror or str(error), where) from error


def hypercorn_config(options: Config) -> Hypercorn:
    """How hypercorn is run: what is left to it of limits on strangers' connections."""
    server: Any = Hypercorn()
    server.bind = list(options.server.bind)
    if options.server.tls_certificate:
        server.insecure_bind = []
        server.certfile = options.server.tls_certificate
        server.keyfile = options.server.tls_key
    server.accesslog = None
    server.errorlog = logging.getLogger("tintype.http")
    server.include_server_header = False
    server.graceful_timeout = REQUESTS_MAY_FINISH
    server.shutdown_timeout = 1.0
    server.keep_alive_timeout = 30.0
    server.keep_alive_max_requests = 100_000
    server.ssl_handshake_timeout = 10.0
    server.backlog = 1024
    return server  # type: ignore[no-any-return]
