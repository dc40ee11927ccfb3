"""Which server runs: the plain one is recognised by status lines without a reason phrase."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypercorn.config import Config

from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_port
from tests.web.server.http1_client import GET, Caller, sample_app
from web.server import http_server, plain
from web.server.private_api import H11, NAMES, SERVER, Name

pytestmark = ONE_AT_A_TIME

FAST, PLAIN = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 \r\n"


@asynccontextmanager
async def serve_app(
    app: Any = sample_app, serve: Any = http_server.serve, **options: Any
) -> AsyncIterator[int]:
    port = free_port()
    config = Config()
    config.graceful_timeout = 0.5
    config.bind = [f"127.0.0.1:{port}"]
    listening, stopping = asyncio.Event(), asyncio.Event()

    async def shutdown() -> None:
        listening.set()
        await stopping.wait()

    serving = asyncio.create_task(serve(app, config, shutdown_trigger=shutdown, **options))
    await asyncio.wait_for(listening.wait(), 5)
    yield port
    stopping.set()
    await asyncio.wait_for(serving, 5)


async def status_line(port: int) -> bytes:
    caller = Caller(*await asyncio.open_connection("127.0.0.1", port))
    caller.send((GET % b"echo").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    received = await caller.read_to_end()
    assert received.endswith(b"GET /echo:")
    caller.writer.close()
    with contextlib.suppress(ConnectionError):
        await caller.writer.wait_closed()
    return received[: received.index(b"\n") + 1]


async def test_the_fast_server_serves_where_hypercorn_has_what_it_needs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serve_app() as port:
        assert await status_line(port) == FAST
    assert [record for record in caplog.records if record.name == "tintype.serve"] == []


async def test_hypercorn_serves_as_released_where_that_is_asked_for() -> None:
    async with serve_app(fast=False) as port:
        assert await status_line(port) == PLAIN


async def test_hypercorn_serves_as_released_where_a_name_was_taken_away_and_the_log_names_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "tintype.serve"):
        async with serve_app(needed=[*NAMES, Name(f"{SERVER}.taken_away")]) as port:
            assert await status_line(port) == PLAIN
    assert f"{SERVER}.taken_away is missing" in caplog.text


async def test_the_log_says_where_hypercorn_has_no_place_for_the_stricter_reader(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "tintype.http"):
        async with serve_app(serve=plain.serve, needed=[Name(f"{H11}.taken_away")]) as port:
            assert await status_line(port) == PLAIN
    assert f"{H11}.taken_away is missing" in caplog.text


async def test_both_servers_run_side_by_side_in_one_process() -> None:
    async with serve_app() as fast, serve_app(fast=False) as slow, serve_app() as another:
        assert await status_line(slow) == PLAIN
        assert await status_line(fast) == await status_line(another) == FAST


def test_what_imports_undocumented_names_is_not_imported_before_they_are_looked_for() -> None:
    program = "import sys, web.server.serve; print(*sorted(one for one in sys.modules if one.startswith('web.server')))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert "web.server.http_server" in loaded
    assert not {
        f"web.server.{name}" for name in ("hypercorn_connections", "http1", "h11_patch", "strict_h11")
    } & set(loaded)


async def test_a_server_stops_well_while_it_cuts_a_connection_that_is_not_read(fast: bool) -> None:
    failed = asyncio.Event()

    async def failing(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await send({"type": "http.response.body", "body": b"x" * 8_000_000, "more_body": True})
            failed.set()
            raise RuntimeError("on purpose")

    async with serve_app(failing, fast=fast) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.transport.pause_reading()
        writer.write(GET % b"")
        await asyncio.wait_for(failed.wait(), 5)
        asyncio.get_running_loop().call_later(0.3, writer.transport.abort)
