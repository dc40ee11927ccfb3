"""A picture comes out upright, without metadata, in every requested variant."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from itertools import pairwise

import pytest
from PIL import Image, PngImagePlugin

from media.colour import profiles as colour_profiles
from media.images import (
    AVATAR_VARIANTS,
    EMOJI_VARIANTS,
    HEADER_VARIANTS,
    MIMES,
    VARIANTS,
    BadImage,
    Variant,
    sniff,
)
from media.pixels import render
from tests.media import samples

KINDS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF")
JPEG = (Variant("federated", 4096, "jpeg", 95, "test"),)
ALL_FORMATS = (*JPEG, Variant("page", 200, "webp", 95, "test"), Variant("page", 200, "avif", 95, "test"))

LOSSLESS = (Variant("page", 200, "webp", 100, "test"),)


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


def test_a_transparent_picture_is_on_white_wherever_it_is_shown():
    half = Image.new("RGBA", (80, 60), (255, 0, 0, 128))
    half.paste((0, 0, 255, 0), (0, 0, 40, 60))
    palette = Image.new("P", (80, 60), 3)
    palette.putpalette([10, 20, 30] * 4)
    files = [
        (samples.encoded(half, kind, **options), (255, 127, 127))
        for kind, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("AVIF", {"quality": 100}))
    ]
    files.append((samples.encoded(palette, "PNG", transparency=3), (255, 255, 255)))
    files.append((samples.encoded(palette, "GIF", transparency=3), (255, 255, 255)))
    for data, right in files:
        for variants in (ALL_FORMATS, VARIANTS, AVATAR_VARIANTS[:1], HEADER_VARIANTS):
            picture = render(data, variants)
            for place in range(len(variants)):
                shown = samples.opened(picture, place)
                assert shown.mode == "RGB"
                x, y = shown.width, shown.height // 2
                found = [shown.getpixel((x // 8, y)), shown.getpixel((x * 7 // 8, y))]
                assert samples.alike(found, ((255, 255, 255), right), by=8)


def test_an_emoji_stays_transparent():
    image = Image.new("RGBA", (80, 60), (255, 0, 0, 0))

    shown = samples.opened(render(samples.encoded(image, "PNG"), EMOJI_VARIANTS))

    assert shown.getpixel((40, 30))[3] == 0


def raw_png(depth: int, colour_type: int, pixels: list[tuple[int, ...]], *chunks: bytes) -> bytes:
    """A PNG of a square of 16 pixels of each of these colours, at any depth."""
    bits = "".join(f"{sample:0{depth}b}" for pixel in pixels for sample in pixel * 16)
    bits += "0" * (-len(bits) % 8)
    row = b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    header = struct.pack(">IIBBBBB", len(pixels) * 16, 16, depth, colour_type, 0, 0, 0)
    body = [
        samples.chunk(b"IHDR", header),
        *chunks,
        samples.chunk(b"IDAT", zlib.compress(row * 16)),
        samples.chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("colours", [1, 3])
def test_the_transparent_colour_of_a_png_is_found_at_every_depth(depth, colours):
    if colours == 3 and depth < 8:
        return  # there are none
    largest = (1 << depth) - 1
    levels = sorted({0, 1, largest // 3, largest // 2, largest - 1, largest})
    for key in levels:
        pixels = [(level,) * colours for level in levels]
        chunk = samples.chunk(b"tRNS", struct.pack(f">{colours}H", *(key,) * colours))

        picture = render(raw_png(depth, 0 if colours == 1 else 2, pixels, chunk), LOSSLESS)

        shown = samples.opened(picture)
        for x, level in enumerate(levels):
            wanted = 255 if level == key else level * 255 // largest
            assert abs(shown.getpixel((x * 16 + 8, 8))[0] - wanted) <= 3, (key, level)


def test_colours_that_differ_in_their_low_bytes_alone_are_not_both_transparent():
    key, near = (0x1234, 0x5678, 0x9ABC), (0x1234, 0x5679, 0x9ABC)
    chunk = samples.chunk(b"tRNS", struct.pack(">3H", *key))

    shown = samples.opened(render(raw_png(16, 2, [key, near, key, near], chunk), LOSSLESS))

    assert [shown.getpixel((x * 16 + 8, 8)) == (255, 255, 255) for x in range(4)] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("alphas", [b"\0", b"\xff\0\x80", bytes(300), b""])
def test_a_palette_may_name_fewer_or_more_transparent_colours_than_it_has(alphas):
    palette = samples.chunk(b"PLTE", bytes((200, 0, 0, 0, 200, 0, 0, 0, 200)))
    chunks = (palette, samples.chunk(b"tRNS", alphas))

    shown = samples.opened(render(raw_png(8, 3, [(0,), (1,), (2,)], *chunks), LOSSLESS))

    for x, base in enumerate(((200, 0, 0), (0, 200, 0), (0, 0, 200))):
        alpha = alphas[x] / 255 if x < len(alphas) else 1
        wanted = tuple(round(level * alpha + 255 * (1 - alpha)) for level in base)
        assert samples.alike([shown.getpixel((x * 16 + 8, 8))], (wanted,), by=6)


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("has_exif", [False, True])
def test_xmp_alone_turns_nothing(kind, has_exif):
    options = {"exif": samples.exif()} if has_exif else {}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"] = text
    else:
        options["xmp"] = XMP

    picture = render(samples.encoded(samples.quarters(), kind, **options), ALL_FORMATS)

    assert (picture.width, picture.height) == (96, 64)
    assert samples.alike(samples.corners(samples.opened(picture)), samples.QUARTERS)


def with_clean_aperture(container: bytes, numbers: tuple[int, ...]) -> bytes:
    """An AVIF or HEIC with a `clap` property on its first picture."""
    clap = struct.pack(">I4s8i", 40, b"clap", *numbers)
    ipco, ipma = container.index(b"ipco") - 4, container.index(b"ipma") - 4
    properties = container[ipco + 8 : ipco + int.from_bytes(container[ipco : ipco + 4], "big")]
    count, at = 0, 0
    while at < len(properties):
        count, at = count + 1, at + int.from_bytes(properties[at : at + 4], "big")
    where = ipco + 8 + len(properties)
    # One entry more in the first association, whose number of properties is the byte behind its item's id.
    more = container[:where] + clap + container[where:]
    number = ipma + len(clap) + 8 + 4 + 4 + 2
    used = more[number]
    # Behind what describes the picture, and before what turns it.
    at = number + 1 + (used - 1 if b"irot" in container else used)
    more = more[:number] + bytes((used + 1,)) + more[number + 1 : at] + bytes((0x80 | count + 1,)) + more[at:]
    grown = [(b"meta", len(clap) + 1), (b"iprp", len(clap) + 1), (b"ipco", len(clap)), (b"ipma", 1)]
    for name, by in grown:
        start = more.index(name) - 4
        more = (
            more[:start]
            + struct.pack(">I", int.from_bytes(more[start : start + 4], "big") + by)
            + more[start + 4 :]
        )
    return with_moved_items(more, len(clap) + 1)


def with_moved_items(container: bytes, by: int) -> bytes:
    """The same file with the offsets of its `iloc` box corrected, where pictures lie behind the metadata."""
    at = container.index(b"iloc") + 4
    version, sizes, more = container[at], container[at + 4], container[at + 5]
    offset_size, base_size, count = sizes >> 4, more >> 4, int.from_bytes(container[at + 6 : at + 8], "big")
    result, place = bytearray(container), at + 8
    for _ in range(count):
        place += 2 + (2 if version else 0) + 2
        base = int.from_bytes(container[place : place + base_size], "big")
        if base:
            result[place : place + base_size] = (base + by).to_bytes(base_size, "big")
        place += base_size + 2
        if not base:
            offset = int.from_bytes(container[place : place + offset_size], "big")
            result[place : place + offset_size] = (offset + by).to_bytes(offset_size, "big")
        place += offset_size + (sizes & 15)
    return bytes(result)


@pytest.mark.parametrize(
    ("aperture", "size", "colours"),
    [
        ((48, 1, 32, 1, -24, 1, -16, 1), (48, 32), (samples.RED,) * 4),
        ((48, 1, 32, 1, 24, 1, 16, 1), (48, 32), (samples.WHITE,) * 4),
        ((96, 1, 32, 1, 0, 1, 16, 1), (96, 32), (samples.BLUE, samples.WHITE, samples.BLUE, samples.WHITE)),
        ((80, 1, 60, 1, 0, 1, 0, 1), (80, 60), samples.QUARTERS),
        ((0, 1, 32, 1, 0, 1, 0, 1), (96, 64), samples.QUARTERS),
        ((480, 1, 32, 1, 0, 1, 0, 1), (96, 64), samples.QUARTERS),
        ((48, 0, 32, 1, 0, 1, 0, 1), (96, 64), samples.QUARTERS),
    ],
)
def test_the_clean_aperture_of_an_avif_is_what_is_shown(aperture, size, colours):
    data = with_clean_aperture(samples.encoded(samples.quarters(), "AVIF", quality=95), aperture)

    picture = render(data, ALL_FORMATS)

    assert (picture.width, picture.height) == size
    for place in range(3):
        assert samples.opened(picture, place).size == size
        assert samples.alike(samples.corners(samples.opened(picture, place)), colours)


def test_a_clean_aperture_comes_before_turning():
    turned = with_clean_aperture(samples.turned("AVIF", 6), (32, 1, 48, 1, -16, 1, -24, 1))
    heic = with_clean_aperture(samples.HEIC, (32, 1, 48, 1, -16, 1, 0, 1))

    assert (render(turned, JPEG).width, render(turned, JPEG).height) == (48, 32)
    assert (render(heic, JPEG).width, render(heic, JPEG).height) == (48, 32)


@pytest.mark.parametrize(
    "size",
    [
        (5000, 3000), (3000, 5000), (1500, 1000), (500, 300), (300, 5000), (7, 1), (1, 1), (500, 1081), (1081, 500),
        (1000, 4097), (4097, 1000), (300, 641), (641, 300), (1000, 2049), (100, 1085), (480, 481), (479, 480),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_every_variant_has_its_size_and_none_is_enlarged(size, kind):
    picture = render(samples.encoded(samples.quarters(*size), kind), VARIANTS)

    assert (picture.width, picture.height) == size
    assert len(picture.files) == len(VARIANTS)
    for variant, file in zip(VARIANTS, picture.files, strict=True):
        assert (file.variant, file.format) == (variant.name, variant.format)
        if variant.ratio:
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
