"""A picture of exactly as many pixels as apps are told is accepted: in every format, however it is compressed."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from media import images
from media.images import VARIANTS
from media.sandbox import Sandbox
from tests.abuse import bombs
from tests.media import samples
from tests.support.parallel import ONE_AT_A_TIME

pytestmark = ONE_AT_A_TIME

NOW = tuple(variant for variant in VARIANTS if not variant.is_deferred)
COLOURS: dict[str, Any] = {"RGB": (9, 90, 200), "RGBA": (9, 90, 200, 77), "CMYK": (9, 90, 200, 7), "P": 3}


@pytest.mark.parametrize(
    ("kind", "mode", "width", "options"),
    [
        ("WEBP", "RGB", 7000, {"method": 0}),
        ("WEBP", "RGB", 16_383, {"method": 0}),
        ("WEBP", "RGBA", 7000, {"method": 0}),
        ("WEBP", "RGB", 7000, {"lossless": True, "quality": 0, "method": 0}),
        ("WEBP", "RGBA", 7000, {"lossless": True, "quality": 0, "method": 0}),
        ("PNG", "RGB", 7000, {"compress_level": 1}),
        ("PNG", "RGBA", 7000, {"compress_level": 1}),
        ("GIF", "P", 7000, {"transparency": 4}),
        ("AVIF", "RGB", 7000, {"speed": 10}),
        ("AVIF", "RGBA", 7000, {"speed": 10, "subsampling": "4:4:4"}),
        ("JPEG", "RGB", 10_000, {}),
        ("JPEG", "RGB", 10_000, {"progressive": True, "subsampling": 0}),
        ("JPEG", "CMYK", 10_000, {"progressive": True}),
    ],
    ids=str,
)
async def test_a_picture_of_the_size_that_is_told_is_accepted(
    kind: str, mode: str, width: int, options: dict[str, Any]
) -> None:
    limit = images.MAX_PIXELS[f"image/{kind.lower()}"]
    height = limit // width
    picture = Image.new(mode, (width, height), COLOURS[mode])
    if mode == "P":
        picture.putpalette(bytes(range(48)))
    data = samples.encoded(picture, kind, **options)
    del picture
    assert await _size_of(data) == (width, height)


@pytest.mark.parametrize("name", ["largest-10-bit.heic", "largest-10-bit.avif"])
async def test_with_10_bits_and_transparency_too(name: str) -> None:
    data = (samples.PICTURES / name).read_bytes()

    assert await _size_of(data) == (7000, 7142)


async def test_a_grid_as_phones_save_it_too() -> None:
    data = bombs.heif_grid((samples.PICTURES / "tile.heic").read_bytes(), 182, columns=14, distinct=True)

    assert await _size_of(data) == (14 * 512, 13 * 512)


async def _size_of(data: bytes) -> tuple[int, int]:
    sandbox = Sandbox(workers=1)
    try:
        rendered = await sandbox.render(data, NOW)
    finally:
        await sandbox.close()
    return rendered.width, rendered.height
