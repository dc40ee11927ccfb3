"""Exif of a camera: a few fields, formatted as their readers expect, and nothing that leads to a person."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from media import exif as exif_reader
from media import images, pixels
from tests.media import samples

Ratio = TiffImagePlugin.IFDRational


def photo(kind: str = "JPEG", **changes: object) -> bytes:
    exif = samples.exif()
    exif[0x010F], exif[0x0110] = "FUJIFILM ", changes.get("model", "X100V")
    inner = exif.get_ifd(0x8769)
    inner[0x829A] = changes.get("exposure", Ratio(1, 200))
    inner[0x829D] = changes.get("aperture", Ratio(22, 10))
    inner[0x920A] = Ratio(23, 1)
    inner[0xA405] = 35
    inner[0x8827] = changes.get("iso", 400)
    inner[0x9003] = "2026:09:01 05:58:11"
    inner[0xA434] = "Fujinon 23/2"
    inner[0xA431] = samples.SECRET
    return samples.encoded(samples.quarters(), kind, exif=exif)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_camera_fields_are_read_and_formatted(kind: str) -> None:
    picture = pixels.render(photo(kind), images.VARIANTS[:1])
    assert picture.camera_fields == [
        ("Make", "FUJIFILM"),
        ("Model", "X100V"),
        ("LensModel", "Fujinon 23/2"),
        ("FocalLength", "23 mm"),
        ("FocalLengthIn35mmFilm", "35"),
        ("FNumber", "f/2.2"),
        ("ExposureTime", "1/200"),
        ("PhotographicSensitivity", "400"),
        ("DateTime", "2026:09:01 05:58:11"),
    ]


def test_a_picture_without_exif_has_no_camera_fields() -> None:
    assert pixels.render(samples.encoded(samples.quarters(), "PNG"), images.VARIANTS[:1]).camera_fields == []


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([0x010F, 0x0110, 0x829A, 0x829D, 0x8827, 0x9003, 0x920A, 0xA434, 0xA405, 0x8769]),
        st.none()
        | st.binary(max_size=300)
        | st.text(max_size=300)
        | st.integers()
        | st.floats()
        | st.lists(st.integers(), max_size=3)
        | st.tuples(st.integers(), st.integers()).map(lambda pair: Ratio(*pair)),
    )
)
def test_nothing_in_exif_breaks_the_picture(tags: dict[int, object]) -> None:
    image = Image.open(BytesIO(samples.encoded(samples.quarters(), "JPEG")))
    exif = image.getexif()
    for tag, value in tags.items():
        exif[tag] = value
    for name, value in exif_reader.read_fields(image):
        assert name in images.CAMERA_FIELDS
        assert 0 < len(value) <= images.MAX_EXIF_VALUE_LENGTH
        assert value.isprintable()
