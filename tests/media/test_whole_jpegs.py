"""A JPEG with all of its pixels is accepted, however much they look like the padding that stands behind a cut."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFile

from media.images import BadImage, Variant
from media.pixels import render
from tests.media import samples

END = b"\xff\xd9"
SIZES = ((320, 256), (333, 257), (640, 480), (200, 150), (1080, 720), (17, 9), (64, 33), (381, 2))
PAIRS = ((0, 255), (255, 0), (120, 136), (200, 255), (140, 163))
# The share of a picture that variants of these sizes need is decoded: all of it, a half, a quarter, an eighth.
SCALES = (1, 2, 4, 8)

Levels = np.ndarray[Any, Any]
Pattern = Callable[[Levels, Levels, int], Levels]
PATTERNS: dict[str, Pattern] = {
    "flat": lambda x, y, step: x * 0,
    "upright stripes": lambda x, y, step: x // step % 2,
    "level stripes": lambda x, y, step: y // step % 2,
    "checker": lambda x, y, step: (x // step + y // step) % 2,
    "diagonal dither": lambda x, y, step: (x + y) // step % 2,
    "dots": lambda x, y, step: (x % (2 * step) == 0) & (y % (2 * step) == 0),
    "grid": lambda x, y, step: (x % (8 * step) == 0) | (y % (8 * step) == 0),
    "ramps": lambda x, y, step: x % (8 * step) / (8 * step),
    "gradient": lambda x, y, step: x / x.size * y.shape[0],
    "waves": lambda x, y, step: (np.cos((2 * (x % 8) + 1) * step * np.pi / 16) + 1) / 2,
    "ordered dither": lambda x, y, step: x / (1 + x.max()) > (x % 4 * 5 + y % 4 * 7) % 16 / 16,
}
ABOVE = ("nothing", "text", "noise", "shapes")


def patterned(pattern: str, size: tuple[int, int], step: int, levels: tuple[int, int]) -> Image.Image:
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    share = np.asarray(PATTERNS[pattern](x, y, step), float)
    return Image.fromarray((levels[0] + (levels[1] - levels[0]) * share).clip(0, 255).astype("uint8"))


def with_something_above(image: Image.Image, what: str, height: int) -> Image.Image:
    draw = ImageDraw.Draw(image)
    if what == "text":
        for y in range(0, height - 12, 14):
            draw.text((10, y), "the quick brown fox " * 9, fill=0)
    elif what == "noise" and height:
        image.paste(Image.effect_noise((image.width, height), 60), (0, 0))
    elif what == "shapes":
        for place in range(0, height - 20, 20):
            draw.ellipse((place, place, place + 90, place + 19), fill=place % 256)
    return image


@st.composite
def patterns(draw: st.DrawFn) -> Image.Image:
    size = draw(st.sampled_from(SIZES))
    step, levels = draw(st.sampled_from((1, 2, 4, 8, 16))), draw(st.sampled_from(PAIRS))
    image = patterned(draw(st.sampled_from(sorted(PATTERNS))), size, step, levels)
    image = with_something_above(image, draw(st.sampled_from(ABOVE)), draw(st.integers(0, size[1])))
    match draw(st.sampled_from(("grey", "grey as RGB", "colour", "CMYK"))):
        case "grey":
            return image
        case "grey as RGB":
            return image.convert("RGB")
        case "colour":
            return Image.merge("RGB", (image, Image.new("L", size, draw(st.integers(0, 255))), image))
    return image.convert("CMYK")


@st.composite
def ways_to_encode(draw: st.DrawFn) -> dict[str, Any]:
    way: dict[str, Any] = {
        "quality": draw(st.sampled_from((1, 30, 50, 75, 80, 90, 95, 100))),
        "subsampling": draw(st.sampled_from((0, 1, 2))),
        "optimize": draw(st.booleans()),
        "progressive": draw(st.integers(0, 5)) == 0,
    }
    restarts = draw(st.sampled_from(("", "", "", "restart_marker_rows", "restart_marker_blocks")))
    return way | ({restarts: draw(st.sampled_from((1, 2, 7, 100)))} if restarts else {})


def encoded(image: Image.Image, way: dict[str, Any]) -> bytes:
    room = ImageFile.MAXBLOCK
    try:
        ImageFile.MAXBLOCK = 4 << 20  # the finest qualities need more than Pillow reckons with
        return samples.encoded(image, "JPEG", **way)
    finally:
        ImageFile.MAXBLOCK = room


def assert_whole(data: bytes, scale: int) -> None:
    image = Image.open(BytesIO(data))
    image.load()
    picture = render(data, (Variant("test", max(1, max(image.size) // scale), "jpeg", 30, "test"),))
    assert (picture.width, picture.height, picture.is_incomplete) == (*image.size, False)


@settings(deadline=None, max_examples=400)
@given(image=patterns(), way=ways_to_encode(), scale=st.sampled_from(SCALES))
def test_a_jpeg_of_a_pattern_is_whole(image: Image.Image, way: dict[str, Any], scale: int) -> None:
    assert_whole(encoded(image, way), scale)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_pattern_is_whole_at_each_scale(pattern: str, scale: int) -> None:
    for size in SIZES[:5]:
        for step in (1, 2, 8):
            image = patterned(pattern, size, step, (140, 163))
            assert_whole(encoded(image, {"quality": 30, "optimize": True}), scale)


@pytest.mark.parametrize("what", ABOVE)
@pytest.mark.parametrize("scale", SCALES)
def test_a_picture_with_a_flat_lower_part_is_whole_at_each_scale(what: str, scale: int) -> None:
    for height in range(100, 480, 20):
        image = with_something_above(Image.new("L", (640, 480), "white"), what, height)
        for mode in ("L", "RGB"):
            for quality in (60, 90):
                assert_whole(encoded(image.convert(mode), {"quality": quality, "optimize": True}), scale)


@settings(deadline=None, max_examples=200)
@given(
    image=patterns(),
    way=ways_to_encode(),
    byte=st.integers(1, 254),
    count=st.integers(64, 3000),
    scale=st.sampled_from(SCALES),
)
def test_one_byte_again_and_again_instead_of_the_end_is_no_part_of_a_picture(
    image: Image.Image, way: dict[str, Any], byte: int, count: int, scale: int
) -> None:
    whole = encoded(image, way)
    # What also ends the pixels cannot be told from them.
    assume(whole[-3] != byte and not (way["progressive"] or len(whole) > 1 << 20))

    assert_whole(whole[:-2] + bytes((byte,)) * count, scale)


@settings(deadline=None, max_examples=400)
@given(
    pattern=st.sampled_from(sorted(PATTERNS)),
    way=ways_to_encode(),
    share=st.floats(0.1, 0.9),
    byte=st.integers(0, 255),
    end=st.sampled_from((b"", END)),
    scale=st.sampled_from(SCALES),
)
def test_a_jpeg_cut_above_a_pattern_is_never_whole(
    pattern: str, way: dict[str, Any], share: float, byte: int, end: bytes, scale: int
) -> None:
    image = with_something_above(patterned(pattern, (320, 256), 2, (140, 163)), "noise", 200)
    way["progressive"] = False
    whole = encoded(image, way)
    head = whole.rindex(b"\xff\xda")
    at = head + int((len(encoded(image.crop((0, 0, 320, 200)), way)) - head) * share)
    variant = (Variant("test", 320 // scale, "jpeg", 30, "test"),)

    for filler in (
        bytes((byte,)) * (len(whole) - at - 2),
        bytes((byte,)) * 3000,
        b"<p>Lorem ipsum</p>\n" * 300,
    ):
        with contextlib.suppress(BadImage):
            assert render(whole[:at] + filler + end, variant).is_incomplete
