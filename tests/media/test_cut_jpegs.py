"""A JPEG that breaks off is accepted by how much of it is there, whatever stands where the rest was."""

from __future__ import annotations

import itertools
import random
import struct
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFile

from media.images import BadImage, Picture, Variant
from media.pixels import render
from tests.media import samples

JPEG = (Variant("federated", 4096, "jpeg", 95, "test"),)
END = b"\xff\xd9"


def photograph(size: tuple[int, int]) -> Image.Image:
    """Something in every block, so that what is missing shows."""
    layers = [Image.effect_noise(size, 90) for _ in range(3)]
    return Image.blend(samples.quarters(*size), Image.merge("RGB", layers), 0.4)


PHOTO = photograph((320, 404))


def encoded(mode: str = "RGB", image: Image.Image = PHOTO, **options: Any) -> bytes:
    if mode == "CMYK":
        black = image.convert("L").point([level // 3 for level in range(256)])
        image = Image.merge("CMYK", (*image.split(), black))
    return samples.encoded(image.convert(mode), "JPEG", quality=85, **options)


SEQUENTIAL = {
    "4:2:0": encoded(),
    "4:2:2": encoded(subsampling=1),
    "4:4:4": encoded(subsampling=0),
    "RGB": encoded(keep_rgb=True),
    "optimised": encoded(optimize=True),
    "restart rows": encoded(restart_marker_rows=1),
    "restart blocks": encoded(restart_marker_blocks=7),
    "few restarts": encoded(restart_marker_rows=9),
    "grey": encoded("L"),
    "grey with restarts": encoded("L", restart_marker_rows=2),
    "CMYK": encoded("CMYK"),
    "CMYK with restarts": encoded("CMYK", restart_marker_rows=1),
}
PROGRESSIVE = {
    name: encoded(mode, progressive=True, **options)
    for name, mode, options in (
        ("4:2:0", "RGB", {}),
        ("4:4:4", "RGB", {"subsampling": 0}),
        ("restart rows", "RGB", {"restart_marker_rows": 1}),
        ("restart blocks", "RGB", {"restart_marker_blocks": 40}),
        ("grey", "L", {}),
        ("grey with restarts", "L", {"restart_marker_rows": 1}),
        ("CMYK", "CMYK", {}),
        ("CMYK with restarts", "CMYK", {"restart_marker_rows": 2}),
    )
}
_NOISE = random.Random(5).randbytes(400_000)
_PAGE = "".join(
    f'<p class="n{n}">Lorem ipsum {n * 7919 % 1000} dolor sit amet, consectetur &amp; {n:x}</p>\n'
    for n in range(9000)
).encode()
_FOREIGN = "".join(
    f"{n}: Съешь же ещё этих мягких французских булок, 日本語 {n * n}. " for n in range(9000)
).encode()
_BINARY = _NOISE.replace(b"\xff", b"")
# What stands behind the cut, of as many bytes as are missing; without a 0xFF in it also of more.
FILLED = {
    "nothing": lambda missing: b"",
    "zeros": bytes,
    "erased flash": lambda missing: b"\xff" * missing,
    "both": lambda missing: b"\xff" * (missing // 2) + bytes(missing - missing // 2),
    "another byte": lambda missing: b"\x55" * missing,
    "another file": lambda missing: SEQUENTIAL["4:2:2"][:missing],
    "noise": lambda missing: _NOISE[:missing],
    "short text": lambda missing: _PAGE[:missing],
    "text": lambda missing: _PAGE[: 3 * missing + 5000],
    "foreign text": lambda missing: _FOREIGN[: 3 * missing + 5000],
    "ten bytes": lambda missing: b"abcdefghij" * (missing // 3 + 500),
    "bytes without markers": lambda missing: _BINARY[: 3 * missing + 5000],
}
GARBLED = ("noise", "short text", "text", "foreign text", "ten bytes", "bytes without markers")
CUTS = [f"{fill}{end}" for fill, end in itertools.product(FILLED, ("", ", ended"))]
SHORTER = {
    "one fill byte": b"\xff",
    "fill bytes": b"\xff" * 70,
    "fill bytes and an end": b"\xff" * 9 + END,
    "half an end": b"\xff",
    "a trailer": b"SEFHe\0\0\0k\0\0\0 SEFT" * 3,
    "a trailer behind fill bytes": b"\xff" * 90 + b"SEFHe\0\0\0k\0\0\0 SEFT" * 3,
}


def broken(whole: bytes, at: int, kind: str) -> bytes:
    fill, _, end = kind.partition(", ")
    filler = FILLED[fill](len(whole) - at - 2)
    return whole[:at] + filler + (END if end else b"")


def share_of_equal_rows(cut: bytes, whole: bytes) -> float:
    """How much of a picture comes out of what is left of the file as out of the whole one."""
    try:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        ends = [Image.open(BytesIO(data)).convert("RGB") for data in (cut + END, whole)]
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    box = ImageChops.difference(*ends).getbbox()
    return box[1] / ends[0].height if box else 1.0


def assert_refused(data: bytes) -> None:
    with pytest.raises(BadImage, match="damaged or incomplete"):
        render(data, JPEG)


def assert_incomplete(picture: Picture, size: tuple[int, int] = PHOTO.size) -> None:
    assert (picture.width, picture.height, picture.is_incomplete) == (*size, True)


@pytest.mark.parametrize("kind", CUTS)
@pytest.mark.parametrize("variety", SEQUENTIAL)
def test_half_a_jpeg_is_never_whole(variety: str, kind: str) -> None:
    whole = SEQUENTIAL[variety]
    scan = whole.index(b"\xff\xda")

    assert_refused(broken(whole, (scan + len(whole)) // 2, kind))


@pytest.mark.parametrize("variety", SEQUENTIAL)
@settings(deadline=None, max_examples=15)
@given(kind=st.sampled_from(CUTS), share=st.floats(0.05, 0.9) | st.floats(0.9, 0.9995))
def test_a_jpeg_is_accepted_if_nearly_all_of_its_rows_are_there(
    variety: str, kind: str, share: float
) -> None:
    whole = SEQUENTIAL[variety]
    at = int(len(whole) * share)
    there = share_of_equal_rows(whole[:at], whole)
    # A decoder takes what is no part of the picture for pixels, up to the next marker or as long as it may be.
    is_garbled = kind.startswith(GARBLED)

    if there < (0.9 if is_garbled else 0.93):
        assert_refused(broken(whole, at, kind))
    elif there > 0.96:
        picture = render(broken(whole, at, kind), JPEG)
        # The last bytes alone are not missed, and of a file that has an end again not the last unit.
        assert picture.is_incomplete or is_garbled or share > (0.99 if kind.endswith("ended") else 0.999)


@pytest.mark.parametrize("behind", SHORTER.values(), ids=SHORTER)
@pytest.mark.parametrize("variety", SEQUENTIAL)
def test_a_few_bytes_behind_the_cut_make_no_difference(variety: str, behind: bytes) -> None:
    whole = SEQUENTIAL[variety]
    scan = whole.index(b"\xff\xda")

    assert_refused(whole[: (scan + len(whole)) // 2] + behind)
    assert_incomplete(render(whole[: scan + int((len(whole) - scan) * 0.975)] + behind, JPEG))


@pytest.mark.parametrize("kind", CUTS)
@pytest.mark.parametrize("variety", PROGRESSIVE)
def test_a_progressive_jpeg_may_lack_no_scan(variety: str, kind: str) -> None:
    whole = PROGRESSIVE[variety]
    last = whole.rindex(b"\xff\xda")

    for share in (0.3, 0.6, 0.98):
        at = int(last * share)
        if whole.rindex(b"\xff\xda", 0, at) + 200 < at < whole.index(b"\xff\xda", at) - 200:
            assert_refused(broken(whole, at, kind))


@pytest.mark.parametrize("kind", CUTS)
@pytest.mark.parametrize("variety", PROGRESSIVE)
def test_a_progressive_jpeg_may_lack_the_end_of_its_last_scan(variety: str, kind: str) -> None:
    whole = PROGRESSIVE[variety]
    last = whole.rindex(b"\xff\xda")

    nearly = render(broken(whole, len(whole) - max(60, len(whole) // 100), kind), JPEG)

    assert nearly.is_incomplete or kind.startswith(("noise", "short text", "bytes without markers"))
    # Bytes that are neither text nor markers may be the finest bits of a picture.
    if last < 0.9 * len(whole) and not kind.startswith("bytes without markers"):
        assert_refused(broken(whole, int(0.92 * len(whole)), kind))


ENDINGS = {
    "nothing": b"",
    "half an end": b"\xff",
    "zeros": bytes(5000),
    "erased flash": b"\xff" * 5000,
    "both": b"\xff" * 500 + bytes(500),
    "fill bytes": b"\xff" * 9,
    "zeros and an end": bytes(3000) + END,
    "erased flash and an end": b"\xff" * 3000 + END,
    "another byte": b"\x55" * 300,
    "a trailer": b"SEFHe\0\0\0k\0\0\0 SEFT" * 30,
    "another file": SEQUENTIAL["4:2:2"][:9000],
    "noise": _NOISE[:9000],
    "text": _PAGE[:100_000],
    "a little text": _PAGE[:90],
    "foreign text": _FOREIGN[:100_000],
    "bytes without markers": _BINARY[:100_000],
    "text and an end": _PAGE[:3000] + END,
    "a few bytes and an end": b"a\0b\0c" + END,
}


IMAGES = {
    "photograph": PHOTO,
    "small": PHOTO.crop((0, 0, 17, 9)),
    "flat": samples.quarters(120, 90),
    "white": Image.new("RGB", (600, 450), "white"),
}


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("is_progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_whose_pixels_are_there_is_whole(
    mode: str, is_progressive: bool, ending: bytes, image: Image.Image
) -> None:
    for restarts in ({}, {"restart_marker_rows": 1}, {"restart_marker_blocks": 7}):
        whole = encoded(mode, image, progressive=is_progressive, **restarts)

        picture = render(whole[:-2] + ending, JPEG)

        assert (picture.width, picture.height, picture.is_incomplete) == (*image.size, False)
        assert picture.files == render(whole, JPEG).files


def test_restart_intervals_that_change_between_scans_are_followed() -> None:
    whole = PROGRESSIVE["restart rows"]
    intervals = {
        struct.unpack(">H", whole[at + 4 : at + 6])[0]
        for at in range(len(whole))
        if whole.startswith(b"\xff\xdd\0\4", at)
    }
    assert len(intervals) > 1

    assert not render(whole[:-2], JPEG).is_incomplete


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"restart_marker_rows": 1}], ids=str)
def test_the_share_is_one_of_rows_where_the_last_units_are_cut_off(options: dict[str, Any]) -> None:
    """292 rows are 18 units of 16 rows and one of four."""
    image = PHOTO.crop((0, 0, 320, 292))
    whole = encoded("RGB", image, **options)
    shares = [
        (share_of_equal_rows(whole[:at], whole), whole[:at])
        for at in range(len(whole) * 9 // 10, len(whole) - 200, 40)
    ]

    for there, cut in shares:
        if there < 0.89:
            assert_refused(cut)
        elif there >= 0.955:
            assert_incomplete(render(cut, JPEG), image.size)


@pytest.mark.parametrize("end", [b"", END, bytes(999) + END, _PAGE[:999] + END])
@pytest.mark.parametrize("variety", PROGRESSIVE)
def test_a_progressive_jpeg_may_lack_no_bit_of_its_coefficients(variety: str, end: bytes) -> None:
    whole = PROGRESSIVE[variety]
    at = len(whole)

    for _ in range(3):
        at = whole.rindex(b"\xff\xda", 0, at)
        assert_refused(whole[:at] + end)
        assert_refused(whole[: whole.rindex(b"\xff\xc4", 0, at)] + end)


def test_a_component_cut_in_a_scan_of_its_own_is_missed() -> None:
    """Each component in one scan: the last one is colour only, so its end is not grey."""
    whole = _one_scan_each(PHOTO.crop((0, 0, 320, 240)))
    assert not render(whole, JPEG).is_incomplete
    last = whole.rindex(b"\xff\xda")

    for cut in (whole[: last - 50], whole[: (last + len(whole)) // 2]):
        for end in (b"", END, b"\xff" * 300 + END, _PAGE, _PAGE + END):
            assert_refused(cut + end)


def test_a_component_without_colour_is_whole() -> None:
    """Its scan is of zeros, which are no padding, and the other components are not flat."""
    whole = _one_scan_each(PHOTO.convert("L").convert("RGB").crop((0, 0, 320, 320)))
    assert whole.endswith(bytes(200) + END)

    for ending in (END, b"", END + bytes(300)):
        assert not render(whole[:-2] + ending, JPEG).is_incomplete


def _one_scan_each(image: Image.Image) -> bytes:
    """Three grey JPEGs as the components of one."""
    files = [
        samples.encoded(band, "JPEG", quality=85, optimize=True) for band in image.convert("YCbCr").split()
    ]
    frames = [file.index(b"\xff\xc0") for file in files]
    size = files[0][frames[0] + 4 : frames[0] + 9]
    body = size + b"\3" + b"".join(bytes((n, 0x11, 0)) for n in (1, 2, 3))
    parts = [files[0][: frames[0]], struct.pack(">BBH", 0xFF, 0xC0, len(body) + 2), body]
    for n, (file, frame) in enumerate(zip(files, frames, strict=True), 1):
        start = file.index(b"\xff\xda")
        parts += [file[frame + 13 : start + 5], bytes((n,)), file[start + 6 : -2]]
    return b"".join(parts) + END
