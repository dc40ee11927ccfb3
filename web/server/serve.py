"""`tintype serve`: runs the web server and the job worker in one process.

Hypercorn runs inside the node's own event loop, so that the node limits the time a stop takes: on SIGTERM no
connection is accepted any more, requests and jobs under way may finish, and after `DEADLINE` the rest is
cancelled. Nothing is lost by that: a unit of work is done whole or not at all, and a job that was not
finished is done again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable
from typing import Any

from node.accounts import accounts
from node.cli import control_socket, termination
from node.config import BadConfig, Config
from node.errors import DatabaseUnavailable
from node.jobs.retrying import write_when_available
from node.lifecycle import registration
from node.node import Node
from web import wiring
from web.app import create_app
from web.server import http_server
from web.server.config import check, hypercorn_config, unusable_address
from web.unavailable import StartingApp

log = logging.getLogger("tintype.serve")

DEADLINE = 4.0  # seconds
JOB_GRACE = 2.5  # seconds
RETRY_SECONDS = 1.0
WANTED_FILES, MIN_FILES = 16_384, 4_096


def run(options: Config) -> None:
    """Serves until SIGTERM or SIGINT. Raises BadConfig before anything is created if it could not listen."""
    logging.getLogger("tintype.http").setLevel(logging.WARNING)
    _raise_file_limit()
    check(options)
    wiring.tune_garbage_collection()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_main(options))


def _raise_file_limit() -> None:
    """Raises the limit of open files to the number of possible connections.

    Many systems allow it, but start with less.
    """
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
    if soft < MIN_FILES:
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
    stopping, ready = asyncio.Event(), asyncio.Event()
    termination.on_signal(stopping.set)
    app = StartingApp()
    web: asyncio.Task[None] | None = None
    node: Node | None = None
    while node is None and not stopping.is_set():
        try:
            node = await _open_unless_stopped(options, stopping)
        except DatabaseUnavailable as error:
            if not error.is_temporary:
                raise
            if web is None:
                log.error("%s Until it answers, this server says that it is unavailable.", error)
                web = asyncio.create_task(_web(app, options, stopping, ready))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), RETRY_SECONDS)
            if web.done():
                stopping.set()  # it cannot listen
    if node is None:
        if web is not None:
            await web
        return
    try:
        printing = asyncio.create_task(_print_welcome_when(ready, node))
        try:
            await serve(node, stopping, ready=ready, app=app, web=web)
        finally:
            printing.cancel()
    finally:
        await node.close()


async def _open_unless_stopped(options: Config, stopping: asyncio.Event) -> Node | None:
    """Opens the node; None if it is to stop before that is done."""
    opening = asyncio.create_task(wiring.open_node(options))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait((opening, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not opening.done():
        opening.cancel()
        await asyncio.wait((opening,), timeout=DEADLINE)
        return None
    return opening.result()


async def _print_welcome_when(ready: asyncio.Event, node: Node) -> None:
    await ready.wait()
    await print_welcome(node)


async def print_welcome(node: Node) -> None:
    """Prints the address of the node and, while it has no admin, how to become one."""
    server = node.config.server
    where = " and ".join(server.bind)
    print(f"Tintype is at {node.site.base_url} (listening on {where})", file=sys.stderr, flush=True)
    if (
        server.scheme == "https"
        and not server.tls_certificate
        and node.site.domain.partition(":")[0] == "localhost"
    ):
        print(
            "That address needs a reverse proxy for HTTPS. To try it without one, start it with TINTYPE_SERVER_SCHEME=http.",
            file=sys.stderr,
            flush=True,
        )
    code = await write_when_available(node.db, registration.create_setup_code)
    if await node.db.read(accounts.of_another_address) is not None:
        print(
            "People here have addresses of another domain than [node] domain: `tintype check` tells more.",
            file=sys.stderr,
            flush=True,
        )
    if code is not None:
        print(
            f"There is no admin yet. Open {node.site.base_url}/setup and enter the code {code}",
            file=sys.stderr,
            flush=True,
        )


async def serve(
    node: Node,
    stopping: asyncio.Event,
    *,
    ready: asyncio.Event | None = None,
    app: StartingApp | None = None,
    web: asyncio.Task[None] | None = None,
) -> None:
    """Serves the node until `stopping` is set, then stops within `DEADLINE` seconds.

    `web` is the task that listens already, and `app` what it asks, if the database answered only after the start.
    """
    loop = asyncio.get_running_loop()

    def report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # asyncio logs connections that were cancelled at the end, which is expected.
        if not (stopping.is_set() and isinstance(context.get("exception"), asyncio.CancelledError)):
            loop.default_exception_handler(context)

    loop.set_exception_handler(report)
    async with control_socket.serve_commands(node):
        app = app or StartingApp()
        app.app = create_app(node)
        web = web or asyncio.create_task(_web(app, node.config, stopping, ready))
        await _serve(node, stopping, web)


async def _serve(node: Node, stopping: asyncio.Event, web: asyncio.Task[None]) -> None:
    worker = wiring.create_worker(node) if node.config.server.jobs else None
    if worker is not None:
        await worker.start(is_only_process=node.config.database.url.startswith("sqlite:"))
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((web, stopped), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.set()
        stopped.cancel()
        ends = [web] if worker is None else [web, asyncio.create_task(worker.stop(JOB_GRACE))]
        _, late = await asyncio.wait(ends, timeout=DEADLINE)
        for task in late:
            log.warning("not everything was finished within %.1f seconds", DEADLINE)
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    if web.done() and not web.cancelled() and (error := web.exception()) is not None:
        raise error


async def _web(
    app: StartingApp, options: Config, stopping: asyncio.Event, ready: asyncio.Event | None
) -> None:
    async def shutdown() -> None:
        if ready is not None:
            ready.set()
        await stopping.wait()

    with contextlib.suppress(asyncio.CancelledError):
        try:
            await http_server.serve(
                app,
                hypercorn_config(options),
                fast=options.server.fast_http,
                shutdown_trigger=shutdown,
            )
        except OSError as error:
            # The system says what is wrong, but not with which address.
            raise BadConfig(unusable_address(" or ".join(options.server.bind), error)) from error
