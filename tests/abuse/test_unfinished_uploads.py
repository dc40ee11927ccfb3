"""Uploads in pieces that are begun and never finished: what they hold of the disk, and what others notice of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from federation_tests.servers import Server
from node.config import MediaOptions
from node.ids import now_ms
from node.models.account import Account
from node.node import Node
from node.uploads import uploads
from node.uploads.uploads import MAX_UNFINISHED, RETENTION_MS, UploadLimits
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_port
from tests.support.visitors import sign_in
from tests.web.pages.photos.test_uploads import Uploader
from web import wiring
from web.app import create_app
from web.request.session import SESSION_COOKIE

pytestmark = ONE_AT_A_TIME

MB = 1024 * 1024
LIMITS = UploadLimits(of_person=12 * MB, in_all=40 * MB, options=MediaOptions())


@pytest.fixture
async def port(node: Node, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(uploads, "limits_of", lambda _node: LIMITS)
    port = free_port()
    server = Server(create_app(node), port, None)
    await server.start()
    yield port
    await server.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        yield http


async def connected(node: Node, who: Account, port: int, http: aiohttp.ClientSession) -> Uploader:
    visitor = await sign_in(node, who)
    assert visitor.page is not None
    return Uploader(port, http, visitor.cookies[SESSION_COOKIE], visitor.page.csrf)


def on_disk(node: Node) -> int:
    folder = Path(node.config.media.url.removeprefix("file:")) / "uploads"
    return sum(file.stat().st_size for file in folder.iterdir()) if folder.exists() else 0


async def begin_all(sender: Uploader, length: int) -> list[str]:
    """Begins as many uploads of this length as the node accepts."""
    paths = []
    while True:
        made = await sender.call("POST", "/uploads", {"Upload-Length": str(length)})
        if made.status != 201:
            assert made.status in (429, 503)
            return paths
        paths.append(made.headers["Location"])


async def test_one_person_fills_a_bounded_part_of_the_disk_and_keeps_nobody_out(
    node: Node,
    port: int,
    http: aiohttp.ClientSession,
    alice: Account,
    mallory: Account,
    photo: Callable[..., bytes],
    clock: Callable[[int], None],
) -> None:
    loud = await connected(node, mallory, port, http)
    paths = await begin_all(loud, MB)
    assert len(paths) == 12

    # Each is sent but for its last byte, again and again, by connections that stay open.
    writers = []
    for _ in range(3):
        for path in paths:
            with contextlib.suppress(ConnectionError):
                writers.append(await loud.send_part(path, b"x" * MB, MB - 1))
    async with asyncio.timeout(60):
        while on_disk(node) < 11 * MB:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    for path in paths[:6]:  # begun and cancelled without end
        await loud.call("DELETE", path)
        await loud.begin(MB)
    await wiring.run_due_jobs(node)
    assert on_disk(node) <= LIMITS.of_person

    quiet, data = await connected(node, alice, port, http), photo(900, 600)
    path = await quiet.begin(len(data))
    assert (await quiet.send(path, data)).status == 204
    assert (await quiet.finish(path)).status == 200

    for writer in writers:
        writer.transport.abort()
    clock(RETENTION_MS + 60_000)
    while await node.db.write(uploads.clean_up, now_ms()):
        pass
    await wiring.run_due_jobs(node)
    async with asyncio.timeout(30):
        while on_disk(node):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_many_small_uploads_of_one_person_are_bounded(
    node: Node, port: int, http: aiohttp.ClientSession, mallory: Account
) -> None:
    loud = await connected(node, mallory, port, http)

    assert len(await begin_all(loud, 1)) <= MAX_UNFINISHED


async def test_several_people_together_leave_room_for_one_more(
    node: Node, port: int, http: aiohttp.ClientSession, alice: Account, bob: Account, mallory: Account
) -> None:
    for who in (bob, mallory):
        await begin_all(await connected(node, who, port, http), 3 * MB)

    quiet = await connected(node, alice, port, http)

    assert len(await begin_all(quiet, 3 * MB)) == 4
