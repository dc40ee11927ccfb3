"""A picture whose pixels are there is shown, whatever is wrong beside or behind them."""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFile

from media.images import BadImage, Picture, Variant
from media.pixels import render
from tests.media import damaged, samples

JPEG = (Variant("federated", 4096, "jpeg", 95, "test"),)
TRAILING = (
    b"\0" * 5000,
    b"\0\0\0\x18ftypmp42" + bytes(900),
    b"junk \xff\xd8\xff\xe1",
    b"\xff\xff\xc0" * 99,
    b"PK\x03\x04",
)
ANCILLARY = (
    b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT", b"bKGD", b"hIST", b"tRNS",
    b"pHYs", b"sPLT", b"tIME", b"eXIf", b"acTL", b"fcTL", b"fdAT", b"mDCV", b"cLLI", b"prVt",
)  # fmt: skip
BODIES = {
    "empty": b"",
    "one byte": b"\x07",
    "text without an end": b"k" * 90,
    "huge": b"k\0\0" + damaged.HUGE,
    "huge international": b"XML:com.adobe.xmp\0\x01\0\0\0" + damaged.HUGE,
    "not compressed": b"k\0\0" + bytes(range(200)),
    "unknown compression": b"k\0\x09" + bytes(200),
}


def assert_whole(picture: Picture, size: tuple[int, int] = (96, 64)) -> None:
    assert (picture.width, picture.height, picture.is_incomplete) == (*size, False)
    assert samples.alike(samples.corners(samples.opened(picture)), samples.QUARTERS)


@pytest.mark.parametrize("name", ANCILLARY)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_damaged_chunk_beside_the_pixels_of_a_png_is_passed_over(name: bytes, body: bytes) -> None:
    whole = samples.encoded(samples.quarters(), "PNG")

    for before in (b"IDAT", b"IEND"):
        for raw in (samples.chunk(name, body), damaged.bad_crc(name, body)):
            assert_whole(render(damaged.with_chunk(whole, raw, before=before), JPEG))
    assert_whole(render(damaged.with_chunk(whole, damaged.too_long(name, body), before=b"IDAT"), JPEG))


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA"])
def test_a_wrong_checksum_of_what_is_there_hides_no_png(mode: str) -> None:
    whole = samples.encoded(samples.quarters().convert(mode), "PNG")
    expected = render(whole, JPEG).files

    for name in (b"IHDR", b"PLTE", b"IDAT", b"IEND"):
        if (at := whole.find(name)) > 0:
            end = at + 4 + int.from_bytes(whole[at - 4 : at], "big")
            assert render(whole[:end] + b"oops" + whole[end + 4 :], JPEG).files == expected
    if mode != "P":
        for palette in (damaged.bad_crc(b"PLTE", bytes(30)), samples.chunk(b"PLTE", bytes(31))):
            assert render(damaged.with_chunk(whole, palette, before=b"IDAT"), JPEG).files == expected


@pytest.mark.parametrize("name", [b"tEXt", b"iCCP", b"prVt"])
def test_a_chunk_that_reaches_over_the_header_of_the_pixels_hides_no_png(name: bytes) -> None:
    whole = samples.encoded(samples.quarters(), "PNG")
    raw = samples.chunk(name, b"k\0some text")

    for too_much in (9, 20, 50):
        length = int.from_bytes(raw[:4], "big") + too_much
        wrong = length.to_bytes(4, "big") + raw[4:]
        for without_checksum in (wrong, wrong[:-4]):
            assert_whole(render(damaged.with_chunk(whole, without_checksum, before=b"IDAT"), JPEG))


def test_a_picture_in_a_chunk_with_a_wrong_checksum_is_not_taken_for_the_picture() -> None:
    whole = samples.encoded(samples.quarters(), "PNG")
    inside = samples.encoded(Image.new("RGB", (96, 64), "black"), "PNG")

    assert_whole(render(damaged.with_chunk(whole, damaged.bad_crc(b"prVt", inside), before=b"IDAT"), JPEG))


@pytest.mark.parametrize("wrong", [b"\xff" * 12, b"Exif\0\0" + b"\xff" * 6, bytes(12)])
@pytest.mark.parametrize("kind", ["AVIF", "HEIC"])
def test_wrong_exif_in_a_container_hides_no_picture(kind: str, wrong: bytes) -> None:
    whole = samples.encoded(samples.quarters(), "AVIF", quality=90, exif=samples.exif())
    data = samples.HEIC if kind == "HEIC" else whole
    at = data.rindex(b"II*\0") if b"II*\0" in data else data.rindex(b"MM\0*")

    for start in (at - 10, at - 6, at):
        picture = render(data[:start] + wrong + data[start + len(wrong) :], JPEG)
        assert (picture.width, picture.height) == ((48, 64) if kind == "HEIC" else (96, 64))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIC"])
@pytest.mark.parametrize("trailing", TRAILING)
def test_data_behind_a_picture_is_passed_over(kind: str, trailing: bytes) -> None:
    data = samples.HEIC if kind == "HEIC" else samples.encoded(samples.quarters(), kind)

    picture = render(data + trailing, JPEG)

    assert (picture.width, picture.height) == ((48, 64) if kind == "HEIC" else (96, 64))
    assert not picture.is_incomplete


@pytest.mark.parametrize("ends", [True, False])
def test_the_base_picture_of_a_jpeg_with_a_gain_map_is_shown(ends: bool) -> None:
    base = samples.encoded(samples.quarters(), "JPEG", quality=95)
    gain_map = samples.encoded(Image.linear_gradient("L").resize((24, 16)), "JPEG")
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"/>'
    index = b"MPF\0MM\0*\0\0\0\x08\0\x01\xb0\x01\0\x04\0\0\0\x01\0\0\0\x02\0\0\0\0"
    whole = damaged.with_segment(damaged.with_segment(base, 0xE2, index), 0xE1, xmp)

    assert_whole(render((whole if ends else damaged.without_end(whole)) + gain_map, JPEG))


@pytest.mark.parametrize(
    ("marker", "body"),
    [
        (0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        (0xE0, b"JFXX\0\x10" + bytes(60)),
        (0xE1, b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0"),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
        (0xE2, b"ICC_PROFILE\0\x01\x02" + bytes(40)),
        (0xE2, b"MPF\0II*\0\x08\0\0\0\x03\0\0\xb0\x07\0"),
        (0xE2, b"FPXR\0\0\0\0"),
        (0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10" + bytes(16)),
        (0xEE, b"Adobe\0\x64\0\0\0\0\x01"),
        (0xFE, b"comment"),
    ],
)
def test_a_segment_cut_at_any_byte_does_not_hide_a_jpeg(marker: int, body: bytes) -> None:
    whole = samples.encoded(samples.quarters(), "JPEG", quality=95)

    for length in range(len(body)):
        assert_whole(render(damaged.with_segment(whole, marker, body[:length]), JPEG))


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}, {"restart_marker_blocks": 3}],
    ids=str,
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(96, 64), (1, 1), (17, 9), (400, 300), (1600, 400)])
def test_a_jpeg_without_its_end_is_whole(
    options: dict[str, object], mode: str, size: tuple[int, int]
) -> None:
    image = samples.quarters(*size).convert(mode)
    data = damaged.without_end(samples.encoded(image, "JPEG", quality=90, **options))

    for trailing in (b"", bytes(3000), b"\0\0\x41\x0aSEFH" + bytes(40) + b"SEFT"):
        picture = render(data + trailing, JPEG)
        assert (picture.width, picture.height, picture.is_incomplete) == (*size, False)
        expected = render(data + b"\xff\xd9", JPEG)
        assert picture.files == expected.files


@pytest.mark.parametrize("marker", [0xC0, 0xC4, 0xDA, 0xDB, 0xDD, 0xE1, 0xFE])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}], ids=str)
def test_what_looks_like_a_segment_behind_a_jpeg_without_an_end_is_no_part_of_it(
    options: dict[str, object], marker: int
) -> None:
    data = damaged.without_end(samples.encoded(samples.quarters(), "JPEG", quality=90, **options))
    expected = render(data + b"\xff\xd9", JPEG)

    for body in (b"", bytes(range(40)), b"\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"):
        segment = bytes((0xFF, marker)) + (2 + len(body)).to_bytes(2, "big") + body
        for behind in (b"", bytes(range(250)) * 9, data):
            picture = render(data + segment + behind, JPEG)
            assert (picture.is_incomplete, picture.files) == (False, expected.files)


def photograph(size: tuple[int, int]) -> Image.Image:
    """Something in every block, so that what is missing shows."""
    layers = [Image.effect_noise(size, 90) for _ in range(3)]
    return Image.blend(samples.quarters(*size), Image.merge("RGB", layers), 0.4)


PHOTO = photograph((640, 800))
VARIETIES = {
    str(options): samples.encoded(PHOTO, "JPEG", quality=85, **options)
    for options in (
        {},
        {"subsampling": 0},
        {"restart_marker_rows": 1},
        {"restart_marker_blocks": 7},
        {"optimize": True},
    )
} | {"grey": samples.encoded(PHOTO.convert("L"), "JPEG", quality=85)}


def share_of_equal_rows(cut: bytes, whole: bytes) -> float:
    """How much of a picture comes out of the broken file as out of the whole one."""
    try:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        ends = [Image.open(BytesIO(data)).convert("RGB") for data in (cut + b"\xff\xd9", whole)]
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    box = ImageChops.difference(*ends).getbbox()
    return box[1] / ends[0].height if box else 1.0


@pytest.mark.parametrize("variety", VARIETIES)
@pytest.mark.parametrize("end", ["", "ended", "padded"])
@settings(deadline=None, max_examples=12)
@given(data=st.data())
def test_a_cut_jpeg_is_accepted_if_nearly_all_of_it_is_there(
    data: st.DataObject, variety: str, end: str
) -> None:
    whole = VARIETIES[variety]
    cut = whole[: int(len(whole) * data.draw(st.floats(0.05, 0.9) | st.floats(0.9, 0.9995)))]
    share = share_of_equal_rows(cut, whole)
    broken = cut + {"": b"", "ended": b"\xff\xd9", "padded": bytes(999)}[end]

    if share < 0.92:
        with pytest.raises(BadImage, match="damaged or incomplete"):
            render(broken, JPEG)
    elif share > 0.97:
        picture = render(broken, JPEG)
        # Of a file that has an end again, the last unit alone is not missed.
        assert picture.is_incomplete or end == "ended"
        assert (picture.width, picture.height) == PHOTO.size


def test_a_progressive_jpeg_may_lack_the_end_of_its_last_scan() -> None:
    whole = samples.encoded(PHOTO, "JPEG", quality=85, progressive=True)

    nearly = render(whole[: int(len(whole) * 0.99)], JPEG)

    assert nearly.is_incomplete
    for share in (0.1, 0.5, 0.6):
        with pytest.raises(BadImage):
            render(whole[: int(len(whole) * share)], JPEG)


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"optimize": True}], ids=str)
def test_a_progressive_jpeg_cut_before_a_restart_marker_is_not_whole(options: dict[str, Any]) -> None:
    whole = samples.encoded(PHOTO, "JPEG", quality=85, progressive=True, restart_marker_blocks=40, **options)
    markers = [found.start() for found in re.finditer(rb"\xff[\xd0-\xd7]", whole)]

    for share in (0.85, 0.9, 0.93, 0.97, 0.99):
        at = max(marker for marker in markers if marker <= share * len(whole))
        for broken in (whole[:at], whole[: at + 2]):
            if at < 0.94 * len(whole):
                with pytest.raises(BadImage, match="damaged or incomplete"):
                    render(broken, JPEG)
            elif at > 0.96 * len(whole):
                assert render(broken, JPEG).is_incomplete
    assert not render(whole[:-2], JPEG).is_incomplete


def flat_jpeg(height: int) -> bytes:
    flat = Image.new("L", (2008, height), "white")
    flat.paste(100, (0, 0, 64, 64))
    return damaged.without_end(samples.encoded(flat, "JPEG", optimize=True))


def test_zeros_at_the_end_of_a_flat_jpeg_are_its_pixels() -> None:
    data = next(data for data in map(flat_jpeg, range(2000, 2064, 8)) if data.endswith(bytes(500)))

    assert not render(data, JPEG).is_incomplete
    with pytest.raises(BadImage):
        render(data[: len(data) * 2 // 3], JPEG)


def test_a_grey_picture_is_not_taken_for_an_incomplete_one() -> None:
    for kind in ({}, {"restart_marker_rows": 1}, {"progressive": True}):
        data = samples.encoded(Image.new("RGB", (300, 200), (128, 128, 128)), "JPEG", **kind)
        for whole in (data, damaged.without_end(data)):
            assert not render(whole, JPEG).is_incomplete


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_png_needs_its_rows_and_not_the_end_of_its_stream(mode: str) -> None:
    image = samples.quarters().convert(mode)
    chunks = damaged.png_chunks(samples.encoded(image, "PNG"))
    stream = b"".join(body for name, body in chunks if name == b"IDAT")
    before = [chunk for chunk in chunks if chunk[0] not in (b"IDAT", b"IEND")]
    whole = render(damaged.png_of([*before, (b"IDAT", stream), (b"IEND", b"")]), JPEG)

    for ending in (stream[:-4], stream[:-4] + b"\0\0\0\0", stream[:-1]):
        for pieces in ([ending], [ending[:9], ending[9:]], [ending[:2], ending[2:3], ending[3:]]):
            data = damaged.png_of([*before, *((b"IDAT", piece) for piece in pieces)])
            for cut in (data, data[:-4], data + b"\0\0"):
                assert render(cut, JPEG).files == whole.files
    rows = zlib.decompressobj().decompress(stream)
    short = zlib.compress(rows[: len(rows) * 2 // 3])
    with pytest.raises(BadImage):
        render(damaged.png_of([*before, (b"IDAT", short), (b"IEND", b"")]), JPEG)


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_with_wrong_lengths_around_its_picture_is_read(lossless: bool) -> None:
    plain = samples.encoded(samples.quarters(), "WEBP", lossless=lossless, quality=90)
    with_exif = samples.encoded(
        samples.quarters(), "WEBP", lossless=lossless, quality=90, exif=samples.exif()
    )

    for claimed in (0, 11, len(plain) - 7, len(plain) + 27, 0xFFFF_FFF0):
        assert_whole(render(plain[:4] + claimed.to_bytes(4, "little") + plain[8:], JPEG))
    for cut in (1, 10, 100):
        assert_whole(render(with_exif[:-cut], JPEG))
    for cut in (40, 60):
        with pytest.raises(BadImage):
            render(plain[: len(plain) - cut], JPEG)


@pytest.mark.parametrize("brand", [b"avif", b"avis", b"mif1", b"msf1", b"miaf", b"mif2"])
def test_an_avif_is_read_by_any_main_brand_that_its_pictures_have(brand: bytes) -> None:
    data = samples.encoded(samples.quarters(), "AVIF", quality=90)

    assert_whole(render(data[:8] + brand + data[12:], JPEG))


def test_an_avif_sequence_that_breaks_off_behind_its_first_picture_is_read() -> None:
    others = [samples.quarters().rotate(angle) for angle in range(40, 160, 40)]
    options = {"save_all": True, "quality": 90}
    data = samples.encoded(samples.quarters(), "AVIF", append_images=others, **options)
    first = len(samples.encoded(samples.quarters(), "AVIF", quality=90))
    assert data.startswith(b"ftypavis", 4)

    for cut in (1, 10, 50, 300):
        assert_whole(render(data[:-cut], JPEG))
    for end in (first // 2, data.index(b"mdat") + 100):
        with pytest.raises(BadImage):
            render(data[:end], JPEG)


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"miaf", b"mif2"])
def test_a_heic_is_read_by_any_main_brand_that_its_pictures_have(brand: bytes) -> None:
    at = samples.HEIC.index(b"heic", 12)
    data = samples.HEIC[:8] + brand + samples.HEIC[12:at] + b"heic" + samples.HEIC[at + 4 :]

    picture = render(data, JPEG)

    assert (picture.mime, picture.width, picture.height) == ("image/heic", 48, 64)
