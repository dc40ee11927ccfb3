"""A PNG that breaks off is accepted by how many of its rows are there, wherever the end of its stream is."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from media.images import BadImage, Variant
from media.pixels import render
from tests.media import damaged, samples

JPEG = (Variant("federated", 4096, "jpeg", 95, "test"),)
SIZE = (120, 100)
MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def noise() -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise(SIZE, 90) for _ in range(3)])


def of_mode(mode: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The chunks of a PNG of noise before its pixels, and its rows as they are filtered."""
    image = noise().convert("I").convert(mode) if mode == "I;16" else noise().convert(mode)
    chunks = damaged.png_chunks(samples.encoded(image, "PNG"))
    stream = b"".join(body for name, body in chunks if name == b"IDAT")
    before = [chunk for chunk in chunks if chunk[0] not in (b"IDAT", b"IEND")]
    return before, zlib.decompress(stream)


PICTURES = {mode: of_mode(mode) for mode in MODES}


def png(mode: str, rows: bytes, *, cut: int = 0) -> bytes:
    before, _ = PICTURES[mode]
    data = damaged.png_of([*before, (b"IDAT", zlib.compress(rows))])
    return data[: len(data) - cut] if cut else data + samples.chunk(b"IEND", b"")


def inflated_bytes(mode: str, data: bytes) -> int:
    start = data.index(b"IDAT") + 4
    return len(zlib.decompressobj().decompress(data[start:]))


def check(data: bytes, share: float) -> None:
    if share < 0.95:
        with pytest.raises(BadImage, match="damaged or incomplete"):
            render(data, JPEG)
    else:
        picture = render(data, JPEG)
        assert (picture.width, picture.height, picture.is_incomplete) == (*SIZE, share < 1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lacking", [0, 1, 4, 6, 50, 99])
def test_a_stream_that_ends_between_two_rows_lacks_the_others(mode: str, lacking: int) -> None:
    rows = PICTURES[mode][1]

    check(png(mode, rows[: len(rows) * (SIZE[1] - lacking) // SIZE[1]]), 1 - lacking / SIZE[1])


@pytest.mark.parametrize("mode", MODES)
@settings(deadline=None, max_examples=15)
@given(share=st.floats(0.01, 0.94) | st.floats(0.94, 1.0))
def test_a_stream_that_ends_anywhere_is_judged_by_its_share(mode: str, share: float) -> None:
    rows = PICTURES[mode][1]
    there = int(len(rows) * share)

    check(png(mode, rows[:there]), there / len(rows))


@pytest.mark.parametrize("mode", MODES)
@settings(deadline=None, max_examples=15)
@given(share=st.floats(0.05, 0.94) | st.floats(0.94, 1.0))
def test_a_file_that_breaks_off_is_judged_by_the_rows_in_it(mode: str, share: float) -> None:
    rows = PICTURES[mode][1]
    whole = png(mode, rows, cut=1)
    data = whole[: 100 + int((len(whole) - 100) * share)]
    if b"IDAT" in data:
        check(data, inflated_bytes(mode, data) / len(rows))


def test_what_is_there_is_shown_and_the_rest_is_grey() -> None:
    rows = PICTURES["RGB"][1]
    whole, cut = (
        samples.opened(render(png("RGB", rows[: len(rows) * share // 100]), JPEG)) for share in (100, 96)
    )

    top, rest = (0, 0, SIZE[0], 88), (0, 97, *SIZE)
    assert ImageChops.difference(whole.crop(top), cut.crop(top)).getbbox() is None
    grey = Image.new("RGB", SIZE, (128, 128, 128)).crop(rest)
    assert max(ImageChops.difference(cut.crop(rest), grey).tobytes()) < 8


@pytest.mark.parametrize("colour", ["#0000", "#000f"])
def test_an_empty_last_row_is_a_row(colour: str) -> None:
    image = Image.new("RGBA", SIZE, "#fa0f")
    image.paste(colour, (0, 80, *SIZE))

    assert not render(samples.encoded(image, "PNG"), JPEG).is_incomplete
    assert not render(samples.encoded(image.convert("RGB"), "PNG"), JPEG).is_incomplete


def test_an_interlaced_picture_lacks_rows_everywhere() -> None:
    width, height = SIZE
    levels = noise().convert("L").tobytes()
    rows = b"".join(
        b"\0" + levels[y * width + left : (y + 1) * width : across]
        for left, top, across, down in PASSES
        for y in range(top, height, down)
    )
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1))

    def interlaced(part: bytes) -> bytes:
        return damaged.png_of([header, (b"IDAT", zlib.compress(part)), (b"IEND", b"")])

    assert not render(interlaced(rows), JPEG).is_incomplete
    for lacking in (1, width + 1, 2 * (width + 1)):
        with pytest.raises(BadImage):
            render(interlaced(rows[:-lacking]), JPEG)
