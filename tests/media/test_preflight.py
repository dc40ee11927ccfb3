"""What is counted before a picture is decoded: files of many parts are refused at once, and usual ones pass."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import preflight
from media.images import BadImage
from tests.abuse import bombs
from tests.media import samples

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "pictures"
KINDS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF")
AVIF = bombs.avif()

BOMBS = {
    "scans": bombs.jpeg_of_scans(3000, side=64),
    "a few more scans than any program writes": bombs.jpeg_of_scans(preflight.MAX_SCANS + 1, side=64),
    "scans behind an end": bombs.jpeg_of_scans_behind(b"\xff\xd9", 200),
    "scans behind a gap": bombs.jpeg_of_scans_behind(b"\xff\xd0" + bytes(5000), 200),
    "comments in a JPEG": bombs.jpeg_of_segments(100_000),
    "Huffman tables": bombs.jpeg_of_tables(10_000),
    "texts in a PNG": bombs.png_of_chunks(200_000),
    "empty pieces of pixels in a PNG": bombs.png_of_chunks(200_000, b"IDAT"),
    "frames of a PNG": bombs.png_of_frames(60_000),
    "comments in a GIF": bombs.gif_of_extensions(100_000),
    "frames of a WebP": bombs.webp_of_frames(200_000),
    "chunks of a WebP": bombs.webp_of_chunks(200_000),
    "tiles of a HEIC": bombs.heif_grid(samples.HEIC, 8000),
    "tiles of an AVIF": bombs.heif_grid(AVIF, 8000),
    "coded tiles of an AVIF": bombs.heif_grid(AVIF, 2000, distinct=True),
    "items of a HEIC": bombs.heif_of_items(samples.HEIC, 60_000),
    "items of an AVIF": bombs.heif_of_items(AVIF, 60_000),
    "rows": samples.png(1, 49_000_000),
    "columns": samples.png(49_000_000, 1),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_a_picture_of_too_many_parts_is_refused_before_it_is_decoded(data: bytes) -> None:
    with pytest.raises(BadImage) as caught:
        preflight.check(data)

    assert caught.value.message.endswith(".")


GOOD = {
    **{kind: samples.with_secrets(kind) for kind in KINDS},
    "HEIC": samples.HEIC,
    "progressive JPEG": samples.encoded(samples.quarters(), "JPEG", progressive=True),
    "JPEG of the most scans": bombs.jpeg_of_scans(preflight.MAX_SCANS - 10, side=64),
    "large metadata": bombs.jpeg_of_segments(2_000),
    "JPEG with another picture behind it": bombs.jpeg_of_scans(1, 64) + bombs.jpeg_of_scans(3000, 64),
    "JPEG without an end": bombs.jpeg_of_scans(1, 64)[:-2],
    "animated GIF": bombs.gif_of_frames(20_000),
    "animated PNG": bombs.png_of_frames(500),
    "animated WebP": bombs.webp_of_frames(500),
    "the tiles of 48 megapixels": bombs.heif_grid(AVIF, 192, distinct=True),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_a_usual_picture_passes(data: bytes) -> None:
    preflight.check(data)


def test_scans_inside_of_a_thumbnail_do_not_count() -> None:
    thumbnail = bombs.jpeg_of_scans(2_000, side=16)[:60_000]

    preflight.check(bombs.jpeg_with_exif(thumbnail))


@pytest.mark.skipif(not FIXTURES.exists(), reason="the collected pictures are not on this machine")
def test_every_collected_picture_passes() -> None:
    for file in sorted(FIXTURES.iterdir()):
        preflight.check(file.read_bytes())


@pytest.mark.parametrize("kind", [*KINDS, "HEIC"])
def test_the_time_that_a_picture_may_take_grows_with_its_size(kind: str) -> None:
    if kind == "HEIC":
        small = samples.HEIC
        large = samples.with_claimed_size(small, 8000, 6000)
    else:
        small = samples.encoded(samples.quarters(400, 400), kind)
        large = samples.encoded(samples.quarters(4000, 2000), kind)

    assert preflight.cpu_seconds(small) <= 4
    assert preflight.cpu_seconds(large) >= 5


def test_a_claimed_size_gives_no_more_time_than_the_largest_picture_has() -> None:
    most = preflight.cpu_seconds(bombs.jpeg_claiming(10_000, 10_000))

    for huge in (bombs.jpeg_claiming(65_535, 65_535), samples.png(2_000_000_000, 2_000_000_000)):
        assert preflight.cpu_seconds(huge) == most <= 30


@settings(max_examples=300, deadline=None)
@given(
    seed=st.sampled_from(list(GOOD.values())),
    share=st.floats(0, 1),
    instead=st.binary(max_size=40),
    tail=st.floats(0, 1),
)
def test_damage_is_left_to_the_decoder(seed: bytes, share: float, instead: bytes, tail: float) -> None:
    at = int(share * len(seed))
    data = (seed[:at] + instead + seed[at + len(instead) :])[: max(64, int(tail * len(seed)))]

    assert 1 <= preflight.cpu_seconds(data) <= 30
    with contextlib.suppress(BadImage):
        preflight.check(data)


@settings(max_examples=200, deadline=None)
@given(head=st.sampled_from([one[:16] for one in GOOD.values()]), tail=st.binary(max_size=3000))
def test_anything_behind_a_good_beginning_raises_nothing_else(head: bytes, tail: bytes) -> None:
    preflight.cpu_seconds(head + tail)
    with contextlib.suppress(BadImage):
        preflight.check(head + tail)
