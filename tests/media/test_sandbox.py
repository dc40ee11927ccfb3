"""A picture may kill its process, never the node, and the next picture is rendered."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import zlib
from pathlib import Path

import psutil
import pytest
from PIL import Image

from media.images import VARIANTS, BadImage, Variant, sniff
from media.sandbox import Sandbox
from media.workers import SandboxUnavailable
from tests.media import samples
from tests.support.parallel import ONE_AT_A_TIME

pytestmark = ONE_AT_A_TIME

ROOT = Path(__file__).parents[2]
NOW = tuple(variant for variant in VARIANTS if not variant.is_deferred)
LATER = tuple(variant for variant in VARIANTS if variant.is_deferred)
SMALL = (Variant("thumb", 64, "jpeg", 80, "test"),)
GOOD = samples.encoded(samples.quarters(), "PNG")


@pytest.fixture
async def sandbox():
    sandbox = Sandbox(timeout_seconds=20)
    yield sandbox
    await sandbox.close()


def processes() -> list[psutil.Process]:
    """The workers, and what they have forked."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE and "media.worker_main" in process.cmdline()
    ]


async def until(condition, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def refused(sandbox: Sandbox, data: bytes) -> BadImage:
    with pytest.raises(BadImage) as caught:
        await sandbox.render(data, NOW)
    assert caught.value.message.endswith(".")
    return caught.value


async def test_every_kind_becomes_every_variant(sandbox):
    kinds = [samples.with_secrets(kind) for kind in ("JPEG", "PNG", "WEBP", "AVIF", "GIF")] + [samples.HEIC]
    kinds += [samples.encoded(Image.linear_gradient("L").convert("CMYK"), "JPEG")]

    for data in kinds:
        for variants in (NOW, LATER):
            picture = await sandbox.render(data, variants)
            assert picture.mime == sniff(data)
            assert [file.variant for file in picture.files] == [variant.name for variant in variants]
    assert len(processes()) == 1


async def test_G2_a_malicious_picture_is_refused_and_the_next_one_rendered(sandbox):
    avif = samples.encoded(samples.quarters(), "AVIF")
    jpeg = samples.encoded(samples.quarters(400, 300), "JPEG")
    icc_bomb = samples.chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(200_000_000), 9))
    too_large = [
        samples.png(65_535, 65_535),
        samples.png(2_000_000_000, 1),
        samples.png(10_000, 10_000),
        jpeg.replace(b"\xff\xc0\x00\x11\x08" + (300).to_bytes(2, "big") + (400).to_bytes(2, "big"),
                     b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff"),
        samples.encoded(samples.quarters().quantize(4), "GIF").replace(b"\x60\x00\x40\x00", b"\xff\xff\xff\xff"),
    ]  # fmt: skip
    damaged = [
        jpeg[:-200],
        jpeg[:20],
        GOOD[:-30],
        samples.png(5000, 5000),
        samples.png(96, 64, icc_bomb),
        samples.with_claimed_size(avif, 65_535, 65_535),
        samples.with_claimed_size(samples.HEIC, 65_535, 65_535),
        samples.HEIC[:-100],
        avif[:-100],
        samples.encoded(samples.quarters(), "WEBP")[:-40],
    ]

    for data in too_large:
        assert "too large" in (await refused(sandbox, data)).message
    for data in damaged:
        assert "JPEG" in (await refused(sandbox, data)).message

    many = await sandbox.render(samples.gif_of_many_frames(10_000), NOW)
    assert (many.width, many.height) == (96, 64)
    assert (await sandbox.render(GOOD, NOW)).width == 96


async def test_a_picture_that_takes_too_long_is_refused():
    sandbox = Sandbox(workers=1, timeout_seconds=1)
    started = time.monotonic()

    error = await refused(sandbox, samples.jpeg_of_many_scans(1500))

    assert "time" in error.message
    assert time.monotonic() - started < 8
    assert (await sandbox.render(GOOD, SMALL)).width == 96
    await sandbox.close()


async def test_a_picture_that_takes_too_much_memory_is_refused():
    sandbox = Sandbox(workers=1, memory_mb=200)
    rows = (b"\0" + bytes(7000)) * 7000

    error = await refused(sandbox, samples.png(7000, 7000, rows=rows))

    assert "memory" in error.message
    assert (await sandbox.render(GOOD, SMALL)).width == 96
    await sandbox.close()


async def test_a_worker_that_is_killed_costs_one_picture(sandbox):
    slow = asyncio.ensure_future(sandbox.render(samples.jpeg_of_many_scans(1500), NOW))
    await until(lambda: len(processes()) == 2)

    for process in processes():
        process.kill()

    with pytest.raises(BadImage):
        await slow
    assert (await sandbox.render(GOOD, SMALL)).width == 96


async def test_an_idle_worker_that_is_killed_costs_nothing(sandbox):
    await sandbox.render(GOOD, SMALL)
    for process in processes():
        process.kill()
        process.wait()

    assert (await sandbox.render(GOOD, SMALL)).width == 96


async def test_concurrent_pictures_do_not_mix(sandbox):
    sizes = [(20 + number, 30) for number in range(12)]

    pictures = await asyncio.gather(
        *(sandbox.render(samples.encoded(Image.new("RGB", size), "PNG"), SMALL) for size in sizes)
    )

    assert [(picture.width, picture.height) for picture in pictures] == sizes
    assert len(processes()) <= 2


async def test_a_cancelled_caller_does_not_put_the_worker_out_of_step():
    sandbox = Sandbox(workers=1)
    await sandbox.render(GOOD, SMALL)
    leaving = asyncio.ensure_future(sandbox.render(samples.encoded(samples.quarters(4000, 3000), "PNG"), NOW))
    waiting = asyncio.ensure_future(sandbox.render(GOOD, SMALL))
    await until(lambda: len(processes()) == 2)

    leaving.cancel()
    waiting.cancel()

    assert (await sandbox.render(samples.encoded(Image.new("RGB", (33, 44)), "PNG"), SMALL)).width == 33
    await sandbox.close()


async def test_background_work_waits_for_all_other_work():
    sandbox, order = Sandbox(workers=1), []

    async def render(name: str, variants: tuple[Variant, ...]) -> None:
        await sandbox.render(GOOD, variants)
        order.append(name)

    names = ["first", "later", "later too", "now", "now too"]
    await asyncio.gather(*(render(name, LATER if "later" in name else NOW) for name in names))

    assert order == ["first", "now", "now too", "later", "later too"]
    await sandbox.close()


async def test_an_idle_worker_is_ended(sandbox):
    brief = Sandbox(idle_timeout_seconds=0.2)
    await brief.render(GOOD, SMALL)
    assert len(processes()) == 1

    await until(lambda: not processes())

    assert (await brief.render(GOOD, SMALL)).width == 96
    await brief.close()


async def test_a_worker_can_be_started_in_advance(sandbox):
    await sandbox.warm_up()
    await sandbox.warm_up()

    assert len(processes()) == 1


async def test_a_closed_sandbox_refuses_work_and_leaves_no_process():
    sandbox = Sandbox(workers=1)
    await sandbox.render(GOOD, SMALL)
    tasks = [asyncio.ensure_future(sandbox.render(samples.jpeg_of_many_scans(1500), NOW)) for _ in range(3)]
    await until(lambda: len(processes()) == 2)

    await sandbox.close()

    assert all(
        isinstance(error, SandboxUnavailable)
        for error in await asyncio.gather(*tasks, return_exceptions=True)
    )
    assert processes() == []
    with pytest.raises(SandboxUnavailable):
        await sandbox.render(GOOD, SMALL)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_worker_inherits_no_secret_and_no_file(sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("TINTYPE_NODE_SECRET", "do not tell")
    with (tmp_path / "database").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        await sandbox.render(GOOD, SMALL)

        (worker,) = processes()
        environment = Path(f"/proc/{worker.pid}/environ").read_bytes()
        files = {os.readlink(link) for link in Path(f"/proc/{worker.pid}/fd").iterdir()}

    assert b"do not tell" not in environment
    assert all(file.startswith("pipe:") for file in files)
