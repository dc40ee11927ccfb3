"""What containers say is read from any bytes without an error, and what a decoder gets is their pixels alone."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.containers import isobmff, jpeg, png, webp
from media.containers.spliced import open_spliced
from media.images import BadImage, Variant
from media.pixels import render
from tests.media import damaged, samples

FILES = {
    kind: samples.encoded(samples.quarters(), kind, exif=samples.exif())
    for kind in ("JPEG", "PNG", "WEBP", "AVIF")
}
SMALL = (Variant("thumb", 64, "jpeg", 80, "test"),)


@given(
    st.lists(st.binary(max_size=40), max_size=6), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)))
)
def test_parts_are_read_like_the_file_they_make(parts: list[bytes], reads: list[tuple[int, int]]) -> None:
    whole = b"".join(parts)
    file = open_spliced([memoryview(part) for part in parts])

    assert file.read() == whole
    for at, size in reads:
        file.seek(at)
        assert file.read(size) == whole[at : at + size]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_any_damage_is_a_picture_or_refused(kind: str, data: st.DataObject) -> None:
    whole = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        action = data.draw(st.sampled_from(["change", "cut", "insert", "remove"]))
        if action == "change":
            whole[at] = data.draw(st.integers(0, 255))
        elif action == "insert":
            whole[at:at] = data.draw(st.binary(max_size=30))
        elif action == "remove":
            del whole[at : at + data.draw(st.integers(1, 30))]
        else:
            del whole[max(20, at) :]
        if not whole:
            return
    for read in (jpeg.parse, png.parse, webp.rebuilt, isobmff.read_properties, isobmff.has_track):
        read(bytes(whole))
    try:
        picture = render(bytes(whole), SMALL)
    except BadImage:
        return
    assert picture.files


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 3_000_000,
        b"\xff\xd8" + b"\xff\x00" * 1_500_000,
        b"\xff\xd8" + b"\xff\xfe\x00\x02" * 700_000,
        b"\xff\xd8" + samples.encoded(samples.quarters(), "JPEG")[2:-2] + b"\xff\xda\x00\x02" * 700_000,
        damaged.SIGNATURE + samples.chunk(b"teXt", b"") * 250_000,
        damaged.SIGNATURE + b"\0\0\0\0!!!!" * 300_000,
        b"RIFF\0\0\0\0WEBP" + b"VP8X\0\0\0\0" * 300_000,
        b"\0\0\0\x10ftypavif\0\0\0\0" + struct.pack(">I4s", 8, b"free") * 300_000,
    ],
    ids=range(8),
)
def test_what_is_read_of_a_file_is_bounded_by_a_number_of_parts(data: bytes) -> None:
    assert len(jpeg.parse(data).scans) <= 16 * 1024
    assert len(png.parse(data).head) < 100
    assert len(webp.rebuilt(data)) < 400_000
    assert isobmff.read_properties(data).code_points is None


def test_a_jpeg_keeps_what_a_decoder_needs_and_nothing_else() -> None:
    whole = samples.with_secrets("JPEG")

    file = jpeg.parse(whole)

    read = open_spliced(file.parts(whole)).read()
    assert read.count(b"Exif\0\0") == 1
    assert b"ns.adobe.com" not in read
    assert b"8BIM" not in read
    assert read.endswith(b"\xff\xd9")
    assert file.has_end
    assert file.icc


def test_a_png_keeps_its_pixels_and_nothing_else() -> None:
    whole = samples.with_secrets("PNG")

    file = png.parse(whole)

    names = [name for name, _ in damaged.png_chunks(open_spliced(file.parts(whole)).read())]
    assert set(names) == {b"IHDR", b"IDAT", b"IEND"}
    assert file.exif.startswith(b"Exif\0\0")
    assert file.icc
