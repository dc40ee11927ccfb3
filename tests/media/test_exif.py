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


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_the_place_is_read_when_it_is_asked_for(kind: str) -> None:
    asked = pixels.render(photo(kind), images.VARIANTS[:1], reads_place=True)
    assert asked.place == pytest.approx((52.52, 13.405))
    assert pixels.render(photo(kind), images.VARIANTS[:1]).place is None


def gps(**changes: object) -> Image.Exif:
    fields = Image.Exif()
    values = {"ns": "N", "latitude": (1.0, 30.0, 0.0), "ew": "E", "longitude": (2.0, 0.0, 36.0)} | changes
    place = fields.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = (values[name] for name in ("ns", "latitude", "ew", "longitude"))
    return fields


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, (1.5, 2.01)),
        ({"ns": "S", "ew": "W"}, (-1.5, -2.01)),
        ({"latitude": (1.5,)}, (1.5, 2.01)),
        ({"latitude": (0, 0, 0), "longitude": (0, 0, 0)}, None),
        ({"latitude": (91, 0, 0)}, None),
        ({"longitude": (181, 0, 0)}, None),
        ({"latitude": (-5, 0, 0)}, None),
        ({"latitude": (Ratio(1, 0), 0, 0)}, None),
        ({"latitude": (1, 2, 3, 4)}, None),
        ({"latitude": None}, None),
        ({"longitude": "somewhere"}, None),
    ],
)
def test_a_place_is_two_numbers_on_the_globe_or_none(
    changes: dict[str, object], found: tuple[float, float] | None
) -> None:
    assert exif_reader.read_place(gps(**changes)) == (found and pytest.approx(found))


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([1, 2, 3, 4]),
        st.none() | st.binary(max_size=20) | st.text(max_size=9) | st.lists(st.floats(), max_size=4),
    )
)
def test_any_place_in_a_file_is_one_or_none(values: dict[int, object]) -> None:
    fields = Image.Exif()
    fields.get_ifd(0x8825).update(values)
    found = exif_reader.read_place(fields)
    assert found is None or (abs(found[0]) <= 90 and abs(found[1]) <= 180)
