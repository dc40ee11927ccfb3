"""Requests whose body is never finished: what they hold, for how long, and what others notice of them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from pathlib import Path

import psutil
import pytest

from node.accounts import keys
from node.config import Config, NodeOptions, ServerOptions
from node.node import Node
from tests.abuse.half_sent import PART, Sender, sign_up, status, until
from tests.abuse.served_process import ServedProcess
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.pictures import picture
from tests.support.ports import free_port
from web import wiring
from web.api import app as api_app
from web.app import create_pages_app
from web.request import bodies
from web.request.bodies import BYTES_PER_MB, Bodies, SenderKind

pytestmark = ONE_AT_A_TIME

KINDS = ["api", "form", "inbox", "json", "sign-in"]


def unnamed_bytes(pid: int) -> int:
    """The bytes of the files without a name that a process has open."""
    total = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if os.readlink(link).endswith(" (deleted)"):
                total += link.stat().st_size
    return total


# A node as a process of its own, whose memory can be measured.


@pytest.fixture
def process_options(options: Config, request: pytest.FixtureRequest) -> Config:
    port = free_port()
    return dataclasses.replace(
        options,
        node=NodeOptions(domain=f"localhost:{port}", secret="a secret that only the tests know"),
        server=ServerOptions(bind=(f"127.0.0.1:{port}",), scheme="http", fast_http=request.param),
    )


@pytest.mark.parametrize("process_options", [True, False], ids=["fast", "plain"], indirect=True)
async def test_unfinished_uploads_hold_neither_memory_nor_disk(
    process_options: Config, tmp_path: Path
) -> None:
    node = await wiring.open_node(process_options)
    token, session = await node.db.write(sign_up, "mallory", keys.generate())
    await node.close()
    async with ServedProcess(process_options, tmp_path) as served:
        await served.wait_for_status("/sign-in", 200)
        port = int(process_options.server.bind[0].rpartition(":")[2])
        sender = Sender(port, token, session)
        process = psutil.Process(served.process.pid)
        before = process.memory_info().rss

        await asyncio.gather(
            *(sender.begin("api", 40 * BYTES_PER_MB, 39 * BYTES_PER_MB) for _ in range(30)),
            return_exceptions=True,
        )
        await asyncio.sleep(0.5)
        assert process.memory_info().rss - before < 100 * BYTES_PER_MB
        assert unnamed_bytes(process.pid) <= bodies.MAX_UPLOAD_BYTES
        await sender.leave()
        await until(lambda: unnamed_bytes(process.pid) == 0)

        await asyncio.gather(
            *(sender.begin("form", 240 * BYTES_PER_MB, 225 * BYTES_PER_MB) for _ in range(4)),
            return_exceptions=True,
        )
        await asyncio.sleep(0.5)
        assert process.memory_info().rss - before < 100 * BYTES_PER_MB
        assert unnamed_bytes(process.pid) <= bodies.MAX_UPLOAD_BYTES
        assert (await served.get("/sign-in"))[0] == 200

        served.process.kill()
        await served.process.wait()
        media = Path(process_options.media.url.removeprefix("file:"))
        assert [file for file in media.rglob("*") if file.is_file()] == [], (
            "nothing is left of what was killed"
        )
        await sender.leave()


# The app in this process, with limits that a test can reach.


@pytest.mark.parametrize("kind", KINDS)
async def test_a_body_that_does_not_move_is_ended(
    node: Node, served: Sender, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", 0.3)

    reader = await served.begin(kind, 200_000, 60_000)

    assert await status(reader) == 408
    await until(lambda: node.component(Bodies).unfinished == 0)
    assert unnamed_bytes(os.getpid()) == 0


@pytest.mark.parametrize("kind", ["api", "form"])
async def test_a_body_that_comes_in_drops_is_ended(
    node: Node, served: Sender, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", 0.5)
    reader = await served.begin(kind, 200_000, 1_000)

    async def drip() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                served.open[-1].write(b"x")
                await served.open[-1].drain()
                await asyncio.sleep(0.05)

    dripping = asyncio.ensure_future(drip())

    assert await status(reader) == 408
    dripping.cancel()


async def test_an_upload_that_moves_slowly_is_accepted(
    node: Node, served: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", 1.0)
    monkeypatch.setattr(bodies, "MIN_BYTES", 1_000)
    data = PART % b"file" + picture(900, 700) + b"\r\n--edge--\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(served.head("api", len(data)))
    step = len(data) // 10 + 1
    assert step > 1_000
    for at in range(0, len(data), step):
        writer.write(data[at : at + step])
        await asyncio.sleep(0.2)

    assert await status(reader) == 200
    writer.close()


async def test_the_largest_photo_may_come_from_a_slow_telephone(
    node: Node, served: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only bodies that stand still are ended soon: at 30 kB a second the largest photo takes 23 minutes."""
    needed = node.config.media.max_upload_mb * BYTES_PER_MB / 30_000
    assert create_pages_app(node).config["BODY_TIMEOUT"] >= needed
    assert needed <= bodies.UPLOAD_SECONDS
    monkeypatch.setattr(api_app, "BODY_TIMEOUT_SECONDS", 0.3)
    data = PART % b"file" + picture(900, 700) + b"\r\n--edge--\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(served.head("api", len(data)))
    for at in range(0, len(data), len(data) // 10 + 1):
        writer.write(data[at : at + len(data) // 10 + 1])
        await asyncio.sleep(0.1)

    assert await status(reader) == 200
    writer.close()


async def test_one_person_has_a_limited_number_of_bytes_under_way(
    node: Node, served: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = node.component(Bodies)
    monkeypatch.setattr(counted, "max_upload_bytes", 500_000)
    await served.begin("api", 400_000, 300_000)
    await until(lambda: counted.by_person.total() >= 290_000)

    assert await status(await served.begin("api", 400_000, 100)) == 429
    assert await status(await served.begin("form", 300_000, 100)) == 429

    await served.leave()
    await until(lambda: counted.unfinished == 0)
    assert not counted.by_person
    for share in counted.shares.values():
        assert share.uploads.total == share.memory.total == 0


async def test_a_body_without_a_length_counts_as_it_comes(
    node: Node, served: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node.component(Bodies), "max_upload_bytes", 500_000)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    served.open.append(writer)
    head = served.head("form", 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    writer.write(head + b"%x\r\n%b\r\n" % (len(PART % b"photos"), PART % b"photos"))
    with contextlib.suppress(ConnectionError):
        for _ in range(20):
            writer.write(b"%x\r\n%b\r\n" % (50_000, b"x" * 50_000))
            await writer.drain()

    assert await status(reader) == 429


async def test_a_form_without_files_stays_small_however_it_is_sent(node: Node, served: Sender) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    served.open.append(writer)
    head = served.head("form", 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    head = head.replace(b"multipart/form-data; boundary=edge", b"application/x-www-form-urlencoded")
    writer.write(head)
    with contextlib.suppress(ConnectionError):
        for _ in range(20):
            writer.write(b"%x\r\n%b\r\n" % (50_000, b"x" * 50_000))
            await writer.drain()

    assert await status(reader) == 413


async def test_one_address_has_a_limited_number_of_unfinished_bodies(
    node: Node, served: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_UNFINISHED_PER_ADDRESS", 5)
    monkeypatch.setattr(bodies, "MAX_UNFINISHED", 8)
    counted = node.component(Bodies)
    for _ in range(5):
        await served.begin("inbox", 1_000, 500, "203.0.113.1")
    await until(lambda: counted.unfinished == 5)

    assert await status(await served.begin("inbox", 1_000, 500, "203.0.113.1")) == 429
    for _ in range(5):
        await served.begin("json", 1_000, 500, "203.0.113.1")
    await until(lambda: counted.unfinished == 10)
    assert await status(await served.begin("json", 1_000, 500, "203.0.113.1")) == 429


async def test_where_too_many_bodies_are_unfinished_the_address_with_most_of_them_loses_one(
    node: Node, served: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_UNFINISHED", 8)
    counted = node.component(Bodies)
    loud = [await served.begin("inbox", 1_000, 500, f"203.0.113.{n % 2}") for n in range(8)]
    await until(lambda: counted.unfinished == 8)

    quiet = [await served.begin("inbox", 1_000, 500, f"198.51.100.{n}") for n in range(3)]

    by_address = counted.shares[SenderKind.VISITOR].unfinished.by_address
    await until(lambda: all(by_address[f"198.51.100.{n}"] == 1 for n in range(3)))
    assert counted.unfinished == 8
    lost = await asyncio.gather(*(status(reader, 1) for reader in loud))
    assert sorted(lost) == [0] * 5 + [503] * 3
    assert [await status(reader, 0.1) for reader in quiet] == [0] * 3
    monkeypatch.setattr(bodies, "MAX_UNFINISHED", 0)
    await served.leave()
    await until(lambda: counted.unfinished == 0)
    assert await status(await served.begin("inbox", 1_000, 500, "198.51.100.9")) == 503


async def test_where_too_much_is_in_memory_the_address_with_most_of_it_loses_a_body(
    node: Node, served: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bodies.MAX_MEMORY, SenderKind.MEMBER, 300_000)
    counted = node.component(Bodies).shares[SenderKind.MEMBER]
    loud = [await served.begin("json", 200_000, 100_000, "203.0.113.1") for _ in range(3)]
    await until(lambda: counted.memory.total >= 290_000)

    quiet = await served.begin("json", 60_000, 50_000, "198.51.100.1")

    await until(lambda: counted.memory.by_address["198.51.100.1"] >= 49_000)
    assert sorted(await asyncio.gather(*(status(reader, 1) for reader in loud))) == [0, 0, 503]
    assert await status(quiet, 0.1) == 0


async def test_bodies_in_memory_have_a_limit_of_their_own(
    node: Node, served: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_MEMORY_PER_ADDRESS", 300_000)
    counted = node.component(Bodies).shares[SenderKind.MEMBER]
    await served.begin("json", 400_000, 200_000)
    await until(lambda: counted.memory.total >= 199_000)

    assert await status(await served.begin("json", 400_000, 200_000)) == 429


async def test_a_session_that_nobody_has_brings_no_file_to_the_disk(node: Node, served: Sender) -> None:
    sender = Sender(served.port, "wrong", "wrong")

    assert await status(await sender.begin("api", 4_000_000, 100_000)) == 401
    assert await status(await sender.begin("form", 4_000_000, 100_000)) in (
        303,
        401,
    )  # not 413: the person is to sign in again
    assert unnamed_bytes(os.getpid()) == 0
    await sender.leave()


async def test_requests_that_bring_their_body_along_are_not_counted(node: Node, served: Sender) -> None:
    for _ in range(20):
        reader = await served.begin("inbox", 500, 500)
        assert await status(reader) in (400, 401)

    assert node.component(Bodies).unfinished == 0
