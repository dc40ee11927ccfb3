"""A picture comes out upright, clean, in a known colour space, in every named size."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise

import pytest
from PIL import Image, ImageCms

from media import colour_profiles
from media.images import AVATAR_VARIANTS, HEADER_VARIANTS, MIMES, VARIANTS, BadImage, Picture, Variant, sniff
from media.pixels import render
from tests.media import samples

KINDS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF")
JPEG = (Variant("federated", 4096, "jpeg", 95, "test"),)
ALL_FORMATS = (*JPEG, Variant("page", 200, "webp", 95, "test"), Variant("page", 200, "avif", 95, "test"))


def opened(picture: Picture, place: int = 0) -> Image.Image:
    image = Image.open(BytesIO(picture.files[place].data))
    image.load()
    return image


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    image = image.convert("RGB")
    x, y = image.width // 4, image.height // 4
    return [image.getpixel(at) for at in ((x, y), (3 * x, y), (x, 3 * y), (3 * x, 3 * y))]


def alike(found: list[tuple[int, ...]], wanted: tuple[tuple[int, ...], ...], by: int = 24) -> bool:
    return all(
        abs(a - b) <= by
        for one, other in zip(found, wanted, strict=True)
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_by_its_bytes_and_becomes_a_picture(kind):
    data = samples.encoded(samples.quarters(), kind)

    picture = render(data, ALL_FORMATS)

    assert sniff(data[:64]) == picture.mime == f"image/{kind.lower()}"
    assert (picture.width, picture.height) == (96, 64)
    assert [sniff(file.data) for file in picture.files] == [MIMES[variant.format] for variant in ALL_FORMATS]
    assert alike(corners(opened(picture)), samples.QUARTERS)


def test_a_heic_is_turned_by_its_container_and_keeps_its_wide_colours_on_the_page():
    picture = render(samples.HEIC, ALL_FORMATS)

    assert (picture.mime, picture.width, picture.height) == ("image/heic", 48, 64)
    turned = (samples.BLUE, samples.RED, samples.WHITE, samples.GREEN)
    assert alike(corners(opened(picture, 1)), turned)
    assert opened(picture, 1).info["icc_profile"] == colour_profiles.PROFILES["p3"]
    assert opened(picture).info["icc_profile"] == colour_profiles.PROFILES["srgb"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(kind, orientation):
    picture = render(samples.turned(kind, orientation), ALL_FORMATS)

    assert (picture.width, picture.height) == (96, 64)
    for place, file in enumerate(picture.files):
        assert (file.width, file.height) == (96, 64) == opened(picture, place).size
        assert alike(corners(opened(picture, place)), samples.QUARTERS)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_a_file_tells_beside_its_pixels_goes_further(kind):
    data = samples.telling(kind)
    assert samples.SECRET.encode() in data or kind == "PNG"

    for file in render(data, ALL_FORMATS).files:
        for words in (
            samples.SECRET.encode(),
            samples.SECRET.encode("utf-16-be"),
            b"Exif",
            b"adobe",
            b"8BIM",
            b"GPS",
        ):
            assert words not in file.data
        facts = Image.open(BytesIO(file.data))
        assert not facts.getexif()
        allowed = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "icc_profile"}
        assert set(facts.info) <= allowed | {"loop", "background", "timestamp", "duration"}


def test_a_jpeg_for_other_servers_has_no_segment_but_the_needed_ones():
    data = render(samples.telling("JPEG"), JPEG).files[0].data

    markers, at = [], 2
    while data[at + 1] != 0xDA:
        markers.append(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    assert set(markers) == {0xE0, 0xE2, 0xDB, 0xC0, 0xC4}


def test_display_p3_stays_on_the_page_and_becomes_srgb_for_other_servers():
    p3_red = (234, 51, 35)  # what sRGB's pure red is in P3
    data = samples.encoded(
        Image.new("RGB", (64, 64), p3_red), "PNG", icc_profile=colour_profiles.PROFILES["p3"]
    )

    picture = render(data, ALL_FORMATS)

    assert alike([opened(picture, 0).getpixel((9, 9))], ((255, 0, 0),), by=6)
    for place in (1, 2):
        assert alike([opened(picture, place).getpixel((9, 9))[:3]], (p3_red,), by=6)
        assert opened(picture, place).info["icc_profile"] == colour_profiles.PROFILES["p3"]


def test_one_size_does_not_spoil_the_colours_of_the_next():
    p3_red = (234, 51, 35)
    data = samples.encoded(
        Image.new("RGB", (800, 600), p3_red), "PNG", icc_profile=colour_profiles.PROFILES["p3"]
    )
    variants = tuple(
        Variant(f"{edge} {quality}", edge, kind, quality, "test", crop=crop)
        for edge in (900, 300)
        for kind, quality in (("jpeg", 95), ("jpeg", 94), ("webp", 95))
        for crop in (False, True)
    )

    picture = render(data, variants)

    for place, variant in enumerate(variants):
        red = (255, 0, 0) if variant.format == "jpeg" else p3_red
        assert alike([opened(picture, place).getpixel((9, 9))], (red,), by=6)


def test_srgb_pixels_are_left_alone_and_the_page_needs_no_profile():
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain, tagged = (
        render(samples.encoded(samples.quarters(), "PNG", **options), ALL_FORMATS)
        for options in ({}, {"icc_profile": icc})
    )

    assert [file.data for file in plain.files] == [file.data for file in tagged.files]
    assert "icc_profile" not in opened(plain, 1).info
    assert "icc_profile" not in opened(plain, 2).info


def test_a_space_wider_than_p3_becomes_p3_and_a_narrow_one_srgb():
    # Adobe RGB's primaries, adapted to D50, and primaries half-way between sRGB's and grey.
    wide = colour_profiles._profile(
        "w", (0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)
    )
    narrow = colour_profiles._profile("n", (0.38, 0.29, 0.14), (0.35, 0.51, 0.18), (0.2342, 0.2, 0.5049))
    spaces = []
    for icc in (wide, narrow):
        picture = render(samples.encoded(samples.quarters(), "PNG", icc_profile=icc), ALL_FORMATS)
        spaces.append(opened(picture, 1).info.get("icc_profile"))

    assert spaces == [colour_profiles.PROFILES["p3"], None]


@pytest.mark.parametrize(
    "icc", [b"nonsense", bytes(200), colour_profiles.PROFILES["p3"][:300], bytes(5_000_000)]
)
def test_a_profile_that_makes_no_sense_is_ignored(icc):
    picture = render(samples.encoded(samples.quarters(), "JPEG", icc_profile=icc), ALL_FORMATS)

    assert alike(corners(opened(picture)), samples.QUARTERS)
    assert opened(picture).info["icc_profile"] == colour_profiles.PROFILES["srgb"]


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
def test_every_sort_of_pixels_is_taken(mode, kind):
    grey = Image.linear_gradient("L").resize((80, 60))
    image = (
        grey.convert("I").point(lambda level: level * 257).convert("I;16")
        if mode == "I;16"
        else grey.convert(mode)
    )

    picture = render(samples.encoded(image, kind), ALL_FORMATS)

    for place in range(3):
        shown = opened(picture, place).convert("L")
        assert shown.size == (80, 60)
        assert shown.getpixel((40, 3)) < 60
        assert shown.getpixel((40, 56)) > 195


def test_what_is_see_through_is_white_in_a_jpeg_and_stays_so_on_the_page():
    image = Image.new("RGBA", (80, 60), (255, 0, 0, 0))
    palette = Image.new("P", (80, 60), 3)
    palette.putpalette([10, 20, 30] * 4)
    for data in (samples.encoded(image, "PNG"), samples.encoded(palette, "PNG", transparency=3)):
        picture = render(data, ALL_FORMATS)
        assert opened(picture).getpixel((40, 30)) == (255, 255, 255)
        assert opened(picture, 1).getpixel((40, 30))[3] == 0
        assert opened(picture, 2).getpixel((40, 30))[3] == 0


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

    shown = opened(render(samples.encoded(image, "PNG"), JPEG)).convert("L")

    assert shown.size == (4096, 3277)
    down = [shown.getpixel((2000, y)) for y in range(0, 3277, 4)]
    assert all(-3 <= after - before <= 5 for before, after in pairwise(down))


def test_an_avatar_is_a_square_from_the_middle():
    picture = render(samples.encoded(samples.quarters(900, 600), "PNG"), AVATAR_VARIANTS)

    assert [(file.width, file.height) for file in picture.files] == [(400, 400), (400, 400), (96, 96)]
    assert alike(corners(opened(picture)), samples.QUARTERS)


def test_only_the_first_picture_of_an_animation_is_taken():
    frames = [samples.quarters(), Image.new("RGB", (96, 64), "black")]
    for kind in ("GIF", "WEBP", "PNG", "AVIF"):
        data = samples.encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
        assert alike(corners(opened(render(data, JPEG))), samples.QUARTERS)


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
def test_what_is_not_one_of_our_kinds_is_refused_whatever_it_is_called(data):
    assert sniff(data[:64]) is None
    with pytest.raises(BadImage, match="JPEG, PNG, WebP, GIF, AVIF and HEIC"):
        render(data, JPEG)


def test_a_picture_that_is_also_something_else_comes_out_as_only_a_picture():
    page = b"<script>alert(document.domain)</script>"
    jpeg = samples.encoded(samples.quarters(), "JPEG", comment=page) + b"PK\x03\x04" + page
    gif = samples.encoded(samples.quarters().quantize(4), "GIF", comment=page) + page

    for data in (jpeg, gif):
        assert all(
            b"script" not in file.data and b"PK\x03\x04" not in file.data
            for file in render(data, ALL_FORMATS).files
        )


def test_the_table_of_sizes_keeps_what_other_servers_demand():
    for table in (VARIANTS, AVATAR_VARIANTS, HEADER_VARIANTS):
        assert len({(variant.name, variant.format) for variant in table}) == len(table)
        assert all(variant.purpose for variant in table)
        first = table[0]
        assert (first.format, first.is_deferred) == ("jpeg", False)
        assert first.edge <= 4096
