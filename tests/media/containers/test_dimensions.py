"""The size of a picture is read from the first bytes of its file."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from media.containers import dimensions
from media.images import Variant
from media.pixels import render
from tests.media import samples
from tests.media.test_pixels import with_clean_aperture

SMALL = (Variant("thumb", 64, "jpeg", 80, "test"),)
FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "AVIF"]
SIZES = [(1, 1), (64, 48), (300, 641), (2049, 33)]


def encode(kind: str, size: tuple[int, int], **options: Any) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 50).convert("RGB").save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", FORMATS)
def test_the_beginning_of_a_file_holds_its_size(kind: str, size: tuple[int, int]) -> None:
    assert dimensions.parse(encode(kind, size)[:4096]) == size


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}])
def test_every_kind_of_webp_is_read(options: dict[str, Any]) -> None:
    assert dimensions.parse(encode("WEBP", (64, 48), **options)) == (64, 48)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("is_progressive", [False, True])
def test_a_turned_photo_has_the_size_that_it_is_shown_with(orientation: int, is_progressive: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode("JPEG", (64, 48), exif=exif.tobytes(), progressive=is_progressive)
    assert dimensions.parse(data) == ((64, 48) if orientation < 5 else (48, 64))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_exif_in_chunks_turns_a_picture_too(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(kind, (64, 48), exif=exif)
    assert dimensions.parse(data) == ((64, 48) if orientation < 5 else (48, 64))


def test_a_frame_header_behind_large_metadata_is_found() -> None:
    data = encode("JPEG", (64, 48))
    segment = b"\xff\xe1\xff\xfd" + b"http://ns.adobe.com/xmp/extension/\0".ljust(65_531, b"z")
    assert dimensions.parse(data[:2] + segment * 4 + data[2:]) == (64, 48)


@pytest.mark.parametrize(
    "between",
    [b"junk", b"\xff" * 50, b"\xff\x01", b"\xff\xd0", b"\0\0", b"\xff\0\xff\xfe\0\4no", b"\xff\xd9"],
    ids=bytes.hex,
)
def test_bytes_between_segments_that_a_decoder_passes_over_hide_no_size(between: bytes) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode("JPEG", (64, 48), exif=exif.tobytes())
    places = [at for at in range(2, len(data)) if data[at] == 0xFF and data[at + 1] in (0xE1, 0xDB, 0xC0)]
    assert len(places) >= 3
    for at in places:
        changed = data[:at] + between + data[at:]
        assert dimensions.parse(changed) == (48, 64)
        assert (picture := render(changed, SMALL)).width == 48
        assert picture.height == 64


@pytest.mark.parametrize(
    "numbers",
    [
        (40, 1, 20, 1, 0, 1, 0, 1),
        (24, 1, 30, 1, 8, 2, -4, 2),
        (81, 2, 20, 1, 0, 1, 0, 1),
        (90, 1, 20, 1, 0, 1, 0, 1),
    ],
)
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_clean_aperture_is_the_size_that_is_shown(orientation: int, numbers: tuple[int, ...]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = with_clean_aperture(encode("AVIF", (64, 48), exif=exif), numbers)
    picture = render(data, SMALL)
    assert dimensions.parse(data[:4096]) == (picture.width, picture.height)


def test_a_clean_aperture_of_a_heic_counts_before_it_is_turned() -> None:
    at = samples.HEIC.index(b"clap") + 4
    for width, height in ((64, 48), (40, 24)):
        numbers = struct.pack(">8i", width, 1, height, 1, 0, 1, 0, 1)
        data = samples.HEIC[:at] + numbers + samples.HEIC[at + 32 :]
        picture = render(data, SMALL)
        assert dimensions.parse(data) == (picture.width, picture.height) == (height, width)


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"\xff\xd8\xff", b"RIFF1234WEBPVP8 ", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_has_no_size(data: bytes) -> None:
    assert dimensions.parse(data) is None


@given(
    kind=st.sampled_from(FORMATS),
    cut=st.integers(0, 600),
    changes=st.lists(st.tuples(st.integers(0, 599), st.integers(0, 255)), max_size=5),
)
def test_damaged_beginnings_have_a_size_within_limits_or_none(
    kind: str, cut: int, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(_SAMPLES[kind][:600])
    for position, value in changes:
        if position < len(data):
            data[position] = value
    size = dimensions.parse(bytes(data[:cut]))
    assert size is None or all(1 <= side <= dimensions.MAX_SIDE for side in size)


_SAMPLES = {kind: encode(kind, (64, 48)) for kind in FORMATS}
