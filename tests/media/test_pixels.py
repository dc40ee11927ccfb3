"""A picture comes out upright, without metadata, in every requested variant."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise

import pytest
from PIL import Image

from media import colour_profiles
from media.images import AVATAR_VARIANTS, MIMES, VARIANTS, BadImage, Variant, sniff
from media.pixels import render
from tests.media import samples

KINDS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF")
JPEG = (Variant("federated", 4096, "jpeg", 95, "test"),)
ALL_FORMATS = (*JPEG, Variant("page", 200, "webp", 95, "test"), Variant("page", 200, "avif", 95, "test"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_is_recognised_by_its_bytes_and_rendered(kind):
    data = samples.encoded(samples.quarters(), kind)

    picture = render(data, ALL_FORMATS)

    assert sniff(data[:64]) == picture.mime == f"image/{kind.lower()}"
    assert (picture.width, picture.height) == (96, 64)
    assert [sniff(file.data) for file in picture.files] == [MIMES[variant.format] for variant in ALL_FORMATS]
    assert samples.alike(samples.corners(samples.opened(picture)), samples.QUARTERS)


def test_a_heic_is_turned_by_its_container_and_keeps_wide_colours():
    picture = render(samples.HEIC, ALL_FORMATS)

    assert (picture.mime, picture.width, picture.height) == ("image/heic", 48, 64)
    turned = (samples.BLUE, samples.RED, samples.WHITE, samples.GREEN)
    assert samples.alike(samples.corners(samples.opened(picture, 1)), turned)
    assert samples.opened(picture, 1).info["icc_profile"] == colour_profiles.PROFILES["p3"]
    assert samples.opened(picture).info["icc_profile"] == colour_profiles.PROFILES["srgb"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(kind, orientation):
    picture = render(samples.turned(kind, orientation), ALL_FORMATS)

    assert (picture.width, picture.height) == (96, 64)
    for place, file in enumerate(picture.files):
        assert (file.width, file.height) == (96, 64) == samples.opened(picture, place).size
        assert samples.alike(samples.corners(samples.opened(picture, place)), samples.QUARTERS)


@pytest.mark.parametrize("kind", KINDS)
def test_no_metadata_of_a_file_goes_further(kind):
    data = samples.with_secrets(kind)
    assert samples.SECRET.encode() in data or kind == "PNG"

    for file in render(data, ALL_FORMATS).files:
        for text in (
            samples.SECRET.encode(),
            samples.SECRET.encode("utf-16-be"),
            b"Exif",
            b"adobe",
            b"8BIM",
            b"GPS",
        ):
            assert text not in file.data
        rendered = Image.open(BytesIO(file.data))
        assert not rendered.getexif()
        allowed = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "icc_profile"}
        assert set(rendered.info) <= allowed | {"loop", "background", "timestamp", "duration"}


def test_a_federated_jpeg_has_only_the_needed_segments():
    data = render(samples.with_secrets("JPEG"), JPEG).files[0].data

    markers, at = [], 2
    while data[at + 1] != 0xDA:
        markers.append(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    assert set(markers) == {0xE0, 0xE2, 0xDB, 0xC0, 0xC4}


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("1", "PNG"),
        ("L", "PNG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("I;16", "PNG"),
        ("RGBA", "WEBP"),
        ("RGBA", "AVIF"),
    ],
)
def test_every_pixel_mode_is_accepted(mode, kind):
    grey = Image.linear_gradient("L").resize((80, 60))
    image = (
        grey.convert("I").point(lambda level: level * 257).convert("I;16")
        if mode == "I;16"
        else grey.convert(mode)
    )

    picture = render(samples.encoded(image, kind), ALL_FORMATS)

    for place in range(3):
        shown = samples.opened(picture, place).convert("L")
        assert shown.size == (80, 60)
        assert shown.getpixel((40, 3)) < 60
        assert shown.getpixel((40, 56)) > 195


def test_transparency_is_white_in_a_jpeg_and_stays_in_other_formats():
    image = Image.new("RGBA", (80, 60), (255, 0, 0, 0))
    palette = Image.new("P", (80, 60), 3)
    palette.putpalette([10, 20, 30] * 4)
    for data in (samples.encoded(image, "PNG"), samples.encoded(palette, "PNG", transparency=3)):
        picture = render(data, ALL_FORMATS)
        assert samples.opened(picture).getpixel((40, 30)) == (255, 255, 255)
        assert samples.opened(picture, 1).getpixel((40, 30))[3] == 0
        assert samples.opened(picture, 2).getpixel((40, 30))[3] == 0


@pytest.mark.parametrize(
    "size", [(5000, 3000), (3000, 5000), (1500, 1000), (500, 300), (300, 5000), (7, 1), (1, 1)]
)
def test_every_variant_has_its_size_and_none_is_enlarged(size):
    picture = render(samples.encoded(samples.quarters(*size), "JPEG"), VARIANTS)

    assert (picture.width, picture.height) == size
    assert len(picture.files) == len(VARIANTS)
    for variant, file in zip(VARIANTS, picture.files, strict=True):
        assert (file.variant, file.format) == (variant.name, variant.format)
        if variant.crop:
            assert file.width == file.height == min(variant.edge, *size)
            continue
        longest = max(file.width, file.height)
        assert 0.85 * min(variant.edge, *([max(size)])) - 1 <= longest <= min(variant.edge, max(size))
        assert file.width / file.height == pytest.approx(size[0] / size[1], rel=0.02, abs=0.06)


def test_a_large_picture_shrinks_without_seams():
    image = Image.linear_gradient("L").resize((5000, 4000), Image.Resampling.BICUBIC).convert("RGB")

    shown = samples.opened(render(samples.encoded(image, "PNG"), JPEG)).convert("L")

    assert shown.size == (4096, 3277)
    down = [shown.getpixel((2000, y)) for y in range(0, 3277, 4)]
    assert all(-3 <= after - before <= 5 for before, after in pairwise(down))


def test_an_avatar_is_a_square_from_the_middle():
    picture = render(samples.encoded(samples.quarters(900, 600), "PNG"), AVATAR_VARIANTS)

    assert [(file.width, file.height) for file in picture.files] == [(400, 400), (400, 400), (96, 96)]
    assert samples.alike(samples.corners(samples.opened(picture)), samples.QUARTERS)


def test_only_the_first_frame_of_an_animation_is_rendered():
    frames = [samples.quarters(), Image.new("RGB", (96, 64), "black")]
    for kind in ("GIF", "WEBP", "PNG", "AVIF"):
        data = samples.encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
        assert samples.alike(samples.corners(samples.opened(render(data, JPEG))), samples.QUARTERS)


def test_the_blurhash_is_that_of_the_upright_picture():
    hashes = {render(samples.turned("PNG", orientation), JPEG).blurhash for orientation in range(1, 9)}

    assert len(hashes) == 1
    assert len(hashes.pop()) == 28


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><svg/>",
        b"push graphic-context\nviewbox 0 0 1 1\nimage over 0,0 0,0 'https://x.example/'\npop graphic-context",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"%PDF-1.7",
        b"<!doctype html><script>alert(1)</script>",
        b'{"@context":"https://www.w3.org/ns/activitystreams","type":"Person"}',
        b"BM" + bytes(60),
        b"II*\x00" + bytes(60),
        b"\x00\x00\x01\x00" + bytes(60),
        b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(60),
        b"8BPS" + bytes(60),
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42",
        b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00avifheic",
        b"GIF89b" + bytes(60),
        b" \xff\xd8\xff\xe0" + bytes(60),
    ],
)
def test_any_other_type_is_refused(data):
    assert sniff(data[:64]) is None
    with pytest.raises(BadImage, match="JPEG, PNG, WebP, GIF, AVIF and HEIC"):
        render(data, JPEG)


def test_a_polyglot_file_comes_out_as_a_picture_only():
    page = b"<script>alert(document.domain)</script>"
    jpeg = samples.encoded(samples.quarters(), "JPEG", comment=page) + b"PK\x03\x04" + page
    gif = samples.encoded(samples.quarters().quantize(4), "GIF", comment=page) + page

    for data in (jpeg, gif):
        assert all(
            b"script" not in file.data and b"PK\x03\x04" not in file.data
            for file in render(data, ALL_FORMATS).files
        )
