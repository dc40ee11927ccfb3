"""Pictures that were made to keep a decoder busy: of one person, or of other servers, beside somebody who uploads."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

import pytest

from media import preflight, render_queue, workers
from media.images import VARIANTS, BadImage
from node.attachments import photos
from node.attachments.photos import IMMEDIATE_VARIANTS
from node.attachments.remote_fetch import PictureFetcher
from node.config import Config, FederationOptions
from node.errors import Invalid, Overloaded, Refused, TooManyRequests
from node.models.account import Account
from node.node import Node
from tests.abuse import bombs
from tests.media import samples
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.picture_server import PictureReply, PictureServer, serve_pictures
from tests.support.pictures import picture

pytestmark = ONE_AT_A_TIME

AVIF = bombs.avif()

# Each was accepted, or cost more CPU time than a photo of 48 megapixels, before its parts were counted.
BOMBS = {
    "3,000 scans": bombs.jpeg_of_scans(3000),
    "300 scans": bombs.jpeg_of_scans(300),
    "3,000 scans behind an end": bombs.jpeg_of_scans_behind(b"\xff\xd9", 3000),
    "3,000 scans behind a gap": bombs.jpeg_of_scans_behind(b"\xff\xd0" + bytes(5000), 3000),
    "a million segments": bombs.jpeg_of_segments(1_000_000),
    "a million texts": bombs.png_of_chunks(1_000_000),
    "600 MB of text": bombs.png_of_text(600),
    "900 MB of colour profile": bombs.png_of_profile(900),
    "5,000 colour profiles": bombs.png_of_metadata(b"iCCP", b"p", bytes(3_900_000), 5000),
    "8,000 Exif profiles": bombs.png_of_metadata(
        b"zTXt", b"Raw profile type exif", b"\nexif\n9\n" + b"zz" * 950_000, 8000
    ),
    "six million comments": bombs.gif_of_extensions(6_000_000),
    "200,000 frames": bombs.webp_of_frames(200_000),
    "chunks of a WebP": bombs.webp_of_chunks(4_000_000),
    "tiles of a HEIC": bombs.heif_grid(samples.HEIC, 8000),
    "tiles of an AVIF": bombs.heif_grid(AVIF, 8000, distinct=True),
    "items of a HEIC": bombs.heif_of_items(samples.HEIC, 60_000),
    "4 gigapixels": bombs.jpeg_claiming(65_535, 65_535),
    "a frame of 4 gigapixels": bombs.gif_claiming(65_535, 65_535),
    "49 million rows": samples.png(1, 49_000_000, rows=bytes(98_000_000)),
    "one row of 49 million": samples.png(49_000_000, 1, rows=bytes(49_000_001)),
    "Exif in a circle": bombs.exif_loop(),
    "Exif of many entries": bombs.exif_of_entries(),
}


@pytest.fixture
def options(options: Config) -> Config:

    return dataclasses.replace(
        options, federation=FederationOptions(allow_private_addresses=True, allow_http=True)
    )


@pytest.fixture
async def evil() -> AsyncIterator[PictureServer]:
    async with serve_pictures(b"") as server:
        yield server


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
async def test_a_bomb_costs_no_more_than_a_second(node: Node, data: bytes) -> None:
    with contextlib.suppress(BadImage):
        await node.sandbox.render(data, VARIANTS)

    assert node.sandbox.last_cost is not None
    assert node.sandbox.last_cost.cpu_seconds < 1
    assert node.sandbox.last_cost.memory_bytes < 300_000_000


async def test_a_photo_of_48_megapixels_is_uploaded(node: Node, alice: Account) -> None:
    data = bombs.noise(8064, 6048, "JPEG", quality=80, progressive=True)

    photo = await photos.upload(node, alice, data)

    assert (photo.width, photo.height) == (8064, 6048)
    assert node.sandbox.last_cost is not None
    assert node.sandbox.last_cost.cpu_seconds * 3 < preflight.cpu_seconds(data)


async def test_an_upload_is_answered_while_somebody_uploads_eight_slow_pictures(
    node: Node, alice: Account, mallory: Account
) -> None:
    slow = bombs.jpeg_of_scans(90)
    bad = [asyncio.ensure_future(photos.upload(node, mallory, slow + bytes([n]))) for n in range(8)]
    await asyncio.sleep(0.3)

    photo = await photos.upload(node, alice, picture(4032, 3024))

    assert photo.width == 4032
    assert not any(upload.done() for upload in bad)
    await _end(bad)


async def test_an_upload_is_answered_while_other_servers_serve_eight_slow_pictures(
    node: Node, alice: Account, evil: PictureServer
) -> None:
    evil.reply = PictureReply(bombs.jpeg_of_scans(90))
    hosts = [evil.url.replace("127.0.0.1", name) for name in ("127.0.0.1", "localhost")]
    fetcher = node.component(PictureFetcher)
    bad = [
        asyncio.ensure_future(
            fetcher.fetch_picture(
                f"{hosts[n % 2]}/{n}",
                server=f"{n % 2}.example",
                max_bytes=10_000_000,
                variants=IMMEDIATE_VARIANTS,
            )
        )
        for n in range(8)
    ]
    await evil.wait_for_requests(4)
    await asyncio.sleep(0.3)

    photo = await photos.upload(node, alice, picture(4032, 3024))

    assert photo.width == 4032
    assert not any(fetch.done() for fetch in bad)
    await _end(bad)


async def test_a_person_whose_picture_took_all_of_its_time_is_told_to_wait(
    node: Node, alice: Account, mallory: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "cpu_seconds", lambda data: 1)
    monkeypatch.setattr(render_queue, "FIRST_SUSPENSION_SECONDS", 600.0)
    with pytest.raises(Invalid, match="time"):
        await photos.upload(node, mallory, bombs.png_interlaced(6900))

    with pytest.raises(TooManyRequests) as caught:
        await photos.upload(node, mallory, picture(300, 200))

    assert 500 < caught.value.retry_after <= 600
    assert (await photos.upload(node, alice, picture(300, 200))).width == 300


async def test_a_picture_that_got_no_processor_can_be_sent_again(
    node: Node, alice: Account, evil: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil.reply = PictureReply(bombs.jpeg_of_scans(90))
    with monkeypatch.context() as busy:
        busy.setattr(workers, "_STARVED_BELOW", 100)
        busy.setattr(node.sandbox, "_seconds", 0.1)
        with pytest.raises(Overloaded, match="busy"):
            await photos.upload(node, alice, bombs.jpeg_of_scans(90))
        with pytest.raises(TooManyRequests, match="busy"):
            await node.component(PictureFetcher).fetch_picture(
                f"{evil.url}/slow", server="slow.example", max_bytes=10_000_000, variants=IMMEDIATE_VARIANTS
            )

    assert (await photos.upload(node, alice, bombs.jpeg_of_scans(90))).width == 6000


async def test_a_server_whose_picture_took_all_of_its_time_is_left_alone(
    node: Node, evil: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "cpu_seconds", lambda data: 1)
    monkeypatch.setattr(render_queue, "FIRST_SUSPENSION_SECONDS", 600.0)
    evil.replies["/bomb"] = PictureReply(bombs.png_interlaced(6900))
    evil.replies["/good"] = PictureReply(picture(300, 200))
    fetcher = node.component(PictureFetcher)

    async def fetch(url: str, server: str = "evil.example") -> None:
        await fetcher.fetch_picture(url, server=server, max_bytes=10_000_000, variants=IMMEDIATE_VARIANTS)

    with pytest.raises(BadImage, match="time"):
        await fetch(f"{evil.url}/bomb")
    another_host = evil.url.replace("127.0.0.1", "localhost")
    with pytest.raises(TooManyRequests):
        await fetch(f"{another_host}/good")

    assert evil.requests["/good"] == 0, "whatever host its files are on"
    await fetch(f"{evil.url}/good", "other.example")


async def _end(tasks: list[asyncio.Future[object]]) -> None:
    for task in tasks:
        task.cancel()
    for error in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(error, asyncio.CancelledError | Refused), error
