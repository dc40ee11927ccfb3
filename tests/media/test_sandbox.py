"""A picture may kill its process, never the node, and the next picture is rendered."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import zlib
from io import BytesIO
from pathlib import Path

import psutil
import pytest
from PIL import Image

from media import preflight, render_queue, workers
from media.editing import geometry, recipes
from media.images import VARIANTS, BadImage, Variant, sniff
from media.render_queue import Source, SourceMustWait
from media.sandbox import EditRequest, Sandbox
from media.workers import Pauser, SandboxUnavailable
from tests.abuse import bombs
from tests.media import samples
from tests.support.parallel import ONE_AT_A_TIME

pytestmark = ONE_AT_A_TIME

ROOT = Path(__file__).parents[2]
NOW = tuple(variant for variant in VARIANTS if not variant.is_deferred)
LATER = tuple(variant for variant in VARIANTS if variant.is_deferred)
SMALL = (Variant("thumb", 64, "jpeg", 80, "test"),)
GOOD = samples.encoded(samples.quarters(), "PNG")


@pytest.fixture
async def make_sandbox():
    """Makes sandboxes, and closes them also where a test fails: what one leaves behind would fail the next one."""
    made = []

    def make(**options) -> Sandbox:
        made.append(Sandbox(**options))
        return made[-1]

    yield make
    for sandbox in made:
        await sandbox.close()


@pytest.fixture
def sandbox(make_sandbox):
    return make_sandbox(timeout_seconds=20)


def processes() -> list[psutil.Process]:
    """The workers, and what they have forked."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE and "media.worker_main" in process.cmdline()
    ]


def states() -> list[str]:
    return [process.status() for process in processes()]


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


async def test_a_picture_that_takes_too_long_is_refused(make_sandbox, monkeypatch):
    monkeypatch.setattr(workers, "_STARVED_BELOW", 0)  # a busy machine
    sandbox = make_sandbox(workers=1, timeout_seconds=0.4)

    error = await refused(sandbox, bombs.jpeg_of_scans(90))

    assert "time" in error.message
    assert (await sandbox.render(GOOD, SMALL)).width == 96


async def test_a_picture_that_takes_too_much_memory_is_refused(make_sandbox):
    sandbox = make_sandbox(workers=1, memory_mb=200)
    rows = (b"\0" + bytes(7000)) * 7000

    error = await refused(sandbox, samples.png(7000, 7000, rows=rows))

    assert "memory" in error.message
    assert (await sandbox.render(GOOD, SMALL)).width == 96


async def test_a_worker_that_is_killed_costs_one_picture(sandbox):
    slow = asyncio.ensure_future(sandbox.render(bombs.jpeg_of_scans(90), NOW))
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
    assert len(processes()) <= 3


async def test_a_cancelled_caller_does_not_put_the_worker_out_of_step(make_sandbox):
    sandbox = make_sandbox(workers=1)
    await sandbox.render(GOOD, SMALL)
    leaving = asyncio.ensure_future(sandbox.render(samples.encoded(samples.quarters(4000, 3000), "PNG"), NOW))
    waiting = asyncio.ensure_future(sandbox.render(GOOD, SMALL))
    await until(lambda: len(processes()) == 2)

    leaving.cancel()
    waiting.cancel()

    assert (await sandbox.render(samples.encoded(Image.new("RGB", (33, 44)), "PNG"), SMALL)).width == 33


async def test_a_caller_cancelled_when_its_turn_comes_keeps_no_slot(make_sandbox):
    class BrokenFile(BytesIO):
        """Begins like a picture, and fails in the thread that reads all of it."""

        may_fail = threading.Event()

        def read(self, size=-1):
            if size == 64:
                return super().read(size)
            self.may_fail.wait()
            raise OSError("the disk is gone")

    sandbox = make_sandbox(workers=1)
    first = asyncio.create_task(sandbox.render(BrokenFile(GOOD), SMALL))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(sandbox.render(GOOD, SMALL))
    await asyncio.sleep(0.1)

    BrokenFile.may_fail.set()
    time.sleep(0.2)  # the loop sees only afterwards that the first one has ended
    asyncio.get_running_loop().call_soon(second.cancel)
    results = await asyncio.gather(first, second, return_exceptions=True)

    assert [type(result) for result in results] == [OSError, asyncio.CancelledError]
    async with asyncio.timeout(20):
        assert (await sandbox.render(GOOD, SMALL)).width


async def test_background_work_waits_for_all_other_work(make_sandbox):
    sandbox, order = make_sandbox(workers=1), []

    async def render(name: str, variants: tuple[Variant, ...]) -> None:
        await sandbox.render(GOOD, variants)
        order.append(name)

    names = ["first", "later", "later too", "now", "now too"]
    await asyncio.gather(*(render(name, LATER if "later" in name else NOW) for name in names))

    assert order == ["first", "now", "now too", "later", "later too"]


async def test_an_idle_worker_is_ended(make_sandbox, sandbox):
    brief = make_sandbox(idle_timeout_seconds=0.2)
    await brief.render(GOOD, SMALL)
    assert len(processes()) == 1

    await until(lambda: not processes())

    assert (await brief.render(GOOD, SMALL)).width == 96
    await brief.close()


async def test_a_worker_can_be_started_in_advance(sandbox):
    await sandbox.warm_up()
    await sandbox.warm_up()

    assert len(processes()) == 1


async def test_a_closed_sandbox_refuses_work_and_leaves_no_process(make_sandbox):
    sandbox = make_sandbox(workers=1)
    await sandbox.render(GOOD, SMALL)
    tasks = [asyncio.ensure_future(sandbox.render(bombs.jpeg_of_scans(90), NOW)) for _ in range(3)]
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


SLOW = bombs.jpeg_of_scans(90)
MALLORY, ALICE = Source("account 1", is_local=True), Source("account 2", is_local=True)


async def end_quietly(*tasks: asyncio.Future) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    "sources",
    [
        [MALLORY] * 8,
        [Source("evil.test", is_local=False)] * 8,
        [Source(f"{n}.evil.test", is_local=False) for n in range(8)],
        [MALLORY, Source("evil.test", is_local=False)] * 4,
    ],
    ids=["one person", "one server", "eight servers", "a person and a server"],
)
async def test_an_upload_waits_for_no_picture_of_others(make_sandbox, sources):
    sandbox = make_sandbox()
    bombs = [asyncio.ensure_future(sandbox.render(SLOW, NOW, source)) for source in sources]
    await asyncio.sleep(0.2)

    await sandbox.render(GOOD, SMALL, ALICE)

    assert not any(bomb.done() for bomb in bombs)
    await end_quietly(*bombs)


async def test_slow_pictures_are_stopped_while_somebody_uploads(make_sandbox, monkeypatch):
    monkeypatch.setattr(render_queue, "_count_processors", lambda: 2)
    sandbox = make_sandbox()
    slow = [asyncio.ensure_future(sandbox.render(SLOW, NOW, MALLORY)) for _ in range(8)]
    await until(
        lambda: len(processes()) >= 5, 30
    )  # two workers with what they have forked, and the spare one

    upload = asyncio.ensure_future(
        sandbox.render(samples.encoded(samples.quarters(4000, 3000), "PNG"), NOW, ALICE)
    )
    await until(lambda: states().count(psutil.STATUS_STOPPED) == 4)
    await upload

    assert not any(picture.done() for picture in slow)
    assert psutil.STATUS_STOPPED not in states()
    slow[0].cancel()
    async with asyncio.timeout(60):
        await slow[1]
    await end_quietly(*slow)


async def test_a_picture_that_was_stopped_for_longer_than_its_time_is_rendered(make_sandbox):
    sandbox, pauser = make_sandbox(workers=1), Pauser()
    worker = await asyncio.to_thread(sandbox._acquire_worker)
    pauser.pause()

    rendering = asyncio.create_task(
        asyncio.to_thread(worker.render, GOOD, SMALL, 0.2, cpu_seconds=20, pauser=pauser)
    )
    await asyncio.sleep(0.5)
    pauser.resume()

    assert (await rendering).width == 96
    assert psutil.STATUS_STOPPED not in states()


async def test_a_sandbox_with_a_stopped_picture_can_be_closed(make_sandbox, monkeypatch):
    monkeypatch.setattr(render_queue, "_count_processors", lambda: 2)
    sandbox = make_sandbox()
    slow = [asyncio.ensure_future(sandbox.render(SLOW, NOW, source)) for source in (MALLORY, MALLORY, ALICE)]
    await until(lambda: psutil.STATUS_STOPPED in states())

    await sandbox.close()

    errors = await asyncio.gather(*slow, return_exceptions=True)
    assert all(isinstance(error, SandboxUnavailable) for error in errors)
    assert processes() == []


async def test_sources_take_turns(make_sandbox):
    sandbox, order = make_sandbox(workers=1), []

    async def render(source: Source) -> None:
        await sandbox.render(GOOD, SMALL, source)
        order.append(source)

    await asyncio.gather(*(render(MALLORY) for _ in range(6)), *(render(ALICE) for _ in range(2)))

    assert [place for place, source in enumerate(order) if source == ALICE] == [1, 3]


async def test_a_picture_that_gets_no_processor_is_no_fault_of_its_source(make_sandbox, monkeypatch):
    monkeypatch.setattr(workers, "_STARVED_BELOW", 100)
    sandbox = make_sandbox(workers=1, timeout_seconds=0.1)

    with pytest.raises(SandboxUnavailable, match="busy"):
        await sandbox.render(SLOW, NOW, MALLORY)

    sandbox.check_source(MALLORY)


async def test_a_source_whose_picture_took_all_of_its_time_waits_longer_each_time(make_sandbox, monkeypatch):
    monkeypatch.setattr(workers, "_STARVED_BELOW", 0)
    monkeypatch.setattr(render_queue, "FIRST_SUSPENSION_SECONDS", 0.3)
    sandbox = make_sandbox(workers=2, timeout_seconds=0.5)

    waits = []
    for _ in range(2):
        with pytest.raises(BadImage, match="time"):
            await sandbox.render(SLOW, NOW, MALLORY)
        with pytest.raises(SourceMustWait) as caught:
            await sandbox.render(GOOD, SMALL, MALLORY)
        waits.append(caught.value.seconds)
        assert (await sandbox.render(GOOD, SMALL, ALICE)).width == 96
        await asyncio.sleep(caught.value.seconds + 0.01)

    assert (await sandbox.render(GOOD, SMALL, MALLORY)).width == 96
    assert 0 < waits[0] <= 0.3 < waits[1] <= 1.2


async def test_what_such_a_source_has_in_the_queue_is_refused_with_it(make_sandbox, monkeypatch):
    monkeypatch.setattr(workers, "_STARVED_BELOW", 0)
    sandbox = make_sandbox(workers=2, timeout_seconds=0.5)
    tasks = [asyncio.ensure_future(sandbox.render(SLOW, NOW, MALLORY)) for _ in range(6)]

    errors = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(error) for error in errors[1:]] == [SourceMustWait] * 5


async def test_one_source_has_a_limited_number_of_pictures_in_the_queue(make_sandbox):
    sandbox = make_sandbox(workers=1)
    most = render_queue.MAX_WAITING_PER_SOURCE
    tasks = [asyncio.ensure_future(sandbox.render(GOOD, SMALL, MALLORY)) for _ in range(most + 5)]

    errors = await asyncio.gather(*tasks, return_exceptions=True)

    assert sum(isinstance(error, SourceMustWait) for error in errors) == 4


async def test_a_picture_ends_when_its_cpu_time_is_over(make_sandbox, monkeypatch):
    monkeypatch.setattr(preflight, "cpu_seconds", lambda data: 1)
    sandbox = make_sandbox(workers=1)

    error = await refused(sandbox, bombs.png_interlaced(6900))

    assert "time" in error.message
    assert sandbox.last_cost.cpu_seconds < 1.5


async def test_a_file_is_read_when_its_turn_has_come(make_sandbox, tmp_path):
    path = tmp_path / "picture"
    path.write_bytes(GOOD)
    sandbox = make_sandbox(workers=1)
    with path.open("rb") as file:
        assert (await sandbox.render(file, SMALL, ALICE)).width == 96
        assert (await sandbox.render(file, SMALL, ALICE)).width == 96
    path.write_bytes(b"nothing that is a picture")
    with path.open("rb") as file, pytest.raises(BadImage):
        await sandbox.render(file, SMALL, ALICE)


EVERYTHING = """{"version": 1, "turn": 90, "flip": true, "straighten": 3, "vertical": 20, "horizontal": -10,
    "crop": [0.1, 0.1, 0.9, 0.8], "look": "plate", "strength": 80, "seed": 5,
    "adjust": {"exposure": 20, "contrast": 10, "highlights": -20, "shadows": 20, "whites": 5, "blacks": -5,
    "warmth": 10, "tint": -5, "saturation": 10, "vibrance": 20, "clarity": 30, "vignette": 20, "sharpen": 40,
    "fade": 10, "grain": 30, "levels": [0.02, 0.95]}}"""


@pytest.mark.parametrize("size", [(30, 20), (3000, 2000)])
async def test_everything_that_an_edit_needs_is_there_in_the_confined_process(sandbox, size):
    data = samples.encoded(samples.quarters(*size), "JPEG", quality=95)

    picture = await sandbox.render(data, VARIANTS, edit=EditRequest(EVERYTHING, finds_levels=True))

    assert (picture.width, picture.height) == geometry.shape(recipes.parse(EVERYTHING)).real_size(size)
    assert '"levels"' in picture.levels
    assert len(picture.files) == len(VARIANTS)


async def test_a_photo_that_is_only_straightened_is_shown_in_every_look_and_levelled(sandbox):
    """Straightening loads nothing that looks at colours."""
    data = samples.encoded(samples.quarters(300, 200), "JPEG", quality=95)
    straighten = '{"straighten": 3, "version": 1}'
    looks = Variant("looks", 480, "webp", 80, "test", ratio=1, shows_looks=True)

    plain = await sandbox.render(data, SMALL, edit=EditRequest(straighten))
    drawn = await sandbox.render(data, (looks,), edit=EditRequest(straighten))
    levelled = await sandbox.render(data, SMALL, edit=EditRequest(straighten, finds_levels=True))

    assert (plain.width, plain.height) == (279, 186)
    assert (drawn.files[0].width, drawn.files[0].height) == (480, 480)
    assert '"adjust"' in levelled.levels


async def test_a_picture_and_its_edit_do_not_meet_the_next_picture(sandbox):
    plain = await sandbox.render(GOOD, SMALL)

    await sandbox.render(GOOD, SMALL, edit=EditRequest(EVERYTHING))

    assert (await sandbox.render(GOOD, SMALL)).files == plain.files
    assert sandbox.last_cost is not None
    assert len(processes()) == 1


@pytest.mark.parametrize("crop", ["[0, 0, 1, 1]", "[0.3, 0.3, 0.72, 0.75]"])
async def test_an_edit_of_the_largest_picture_keeps_to_the_memory_that_a_picture_may_use(make_sandbox, crop):
    sandbox = make_sandbox()
    data = samples.encoded(samples.quarters(10_000, 10_000), "JPEG")

    try:
        picture = await sandbox.render(
            data, NOW, edit=EditRequest(EVERYTHING.replace("[0.1, 0.1, 0.9, 0.8]", crop))
        )
    finally:
        await sandbox.close()

    assert max(picture.files[0].width, picture.files[0].height) == 4096
