"""Looks at the parts of a picture before it is decoded: what it may cost, and whether it was made to cost more.

A file of a few kilobytes can keep a decoder busy for minutes: with thousands of scans, tiles, chunks or comments, each
of them valid. So they are counted first, without decoding any. `cpu_seconds` is for the node, and looks at the header
only; `check` walks over the whole file, and is meant for the confined process, as all that reads untrusted bytes.

A picture that is damaged passes: to say so is up to its decoder.
"""

from __future__ import annotations

import contextlib
import math
import re
import struct
from collections.abc import Callable, Iterator

from media.images import MAX_PIXELS_JPEG, MEGAPIXEL, BadImage, sniff, too_many_pixels_error

MAX_SCANS = 100  # libjpeg writes ten, the tools that search for the smallest file some thirty
MAX_SEGMENTS = 5_000  # of a JPEG; metadata of 40 MB are 640
MAX_CHUNKS = 100_000  # of a PNG or WebP; pixels of 40 MB are 5,000 in a usual PNG
MAX_BLOCKS = 10_000  # of a GIF before its first frame
MAX_ITEMS = 1_000  # of a HEIC or AVIF; a phone's picture of 48 megapixels has 192 tiles
MAX_REFERENCES = 4_000  # between its items
MAX_BOXES = 10_000
MAX_SIDE = 200_000  # pixels

# A picture of 48 megapixels needs up to 3.4 s of a usual processor, one of 12 megapixels 0.8 s.
BASE_SECONDS, SECONDS_PER_MEGAPIXEL = 3.0, 0.25
# An edit works on no more pixels than the largest variant has: straightened, with every tool, it takes some 3 s.
EDIT_SECONDS = 6

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_CONTAINERS = frozenset((b"meta", b"iprp", b"ipco", b"moov", b"trak", b"mdia", b"minf", b"stbl"))
_MAX_SPATIAL_EXTENTS = 2_000
_MAX_GAP = 4_096


def cpu_seconds(data: bytes) -> int:
    """Returns the CPU time that this picture may take, by the size in its header."""
    pixels = 0
    try:
        width, height = _header_size(data)
        pixels = width * height
    except (BadImage, struct.error, IndexError, ValueError):
        pass  # `check` or the decoder says what is wrong with it
    megapixels = min(pixels, MAX_PIXELS_JPEG) / MEGAPIXEL
    return math.ceil(BASE_SECONDS + SECONDS_PER_MEGAPIXEL * megapixels)


def check(data: bytes) -> None:
    """Raises BadImage for a picture with more parts than a picture has."""
    for step in (_check_sides, _CHECKS.get(sniff(data[:64]) or "")):
        if step is not None:
            # A header that cannot be read must not keep the parts from being counted.
            with contextlib.suppress(struct.error, IndexError, ValueError):
                step(data)


def _check_sides(data: bytes) -> None:
    width, height = _header_size(data)
    if max(width, height) > MAX_SIDE:
        raise too_many_pixels_error(width, height)


def _too_many(what: str, most: int) -> BadImage:
    return BadImage(
        "This picture is made of too many parts to be shown here. Saved anew by another program, it may be accepted.",
        f"more than {most} {what}",
    )


def _header_size(data: bytes) -> tuple[int, int]:
    """Returns the width and height that the header claims. Raises ValueError and others where there is none."""
    match sniff(data[:64]):
        case "image/jpeg":
            for marker, at in _jpeg_segments(data, _MAX_GAP):
                if marker in _SOF:
                    height, width = struct.unpack_from(">HH", data, at + 5)
                    return width, height
                if marker == _SOS:
                    break
            raise ValueError("no frame header")
        case "image/png":
            width, height = struct.unpack_from(">II", data, 16)
            return width, height
        case "image/gif":
            width, height = struct.unpack_from("<HH", data, 6)
            return width, height
        case "image/webp":
            return _webp_size(data)
        case _:
            return _largest_extent(data)


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _largest_extent(data: bytes) -> tuple[int, int]:
    """Returns the largest of the sizes of a HEIC's or AVIF's items: that of the whole picture, not of a tile."""
    largest, at = (0, 0), 0
    for _ in range(_MAX_SPATIAL_EXTENTS):
        at = data.find(b"ispe", at, 1 << 20) + 4
        if at < 4:
            break
        width, height = struct.unpack_from(">II", data, at + 4)
        if width * height > largest[0] * largest[1]:
            largest = (width, height)
    return largest


def _jpeg_segments(data: bytes, max_gap: int | None = None) -> Iterator[tuple[int, int]]:
    """Yields (marker, its place) of every segment until the end of the image, or a gap. Raises BadImage for too many.

    An end before the first scan is none, as for the decoder. A gap is more than `max_gap` bytes without a marker, as the pixels are.
    """
    at, has_scan = 2, False
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at, len(data) if max_gap is None else at + max_gap)
        if found is None:
            return
        place = found.start()
        marker = data[place + 1]
        if marker == _EOI and has_scan:
            return
        has_scan = has_scan or marker == _SOS
        yield marker, place
        if marker in (_SOI, _TEM, _EOI):
            at = place + 2
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        at = place + 2 + max(2, length)
    raise _too_many("segments", MAX_SEGMENTS)


def _check_jpeg(data: bytes) -> None:
    if sum(marker == _SOS for marker, _ in _jpeg_segments(data)) > MAX_SCANS:
        raise _too_many("scans", MAX_SCANS)


def _check_png(data: bytes) -> None:
    at = 8
    for _ in range(MAX_CHUNKS):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IEND":
            return
        at += 12 + length
    raise _too_many("chunks", MAX_CHUNKS)


def _check_webp(data: bytes) -> None:
    at = 12
    for _ in range(MAX_CHUNKS):
        (length,) = struct.unpack_from("<I", data, at + 4)
        at += 8 + length + length % 2
        if at >= len(data):
            return
    raise _too_many("chunks", MAX_CHUNKS)


def _check_gif(data: bytes) -> None:
    """Counts what stands before the first frame; no later one is decoded."""
    flags = data[10]
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    for _ in range(MAX_BLOCKS):
        if data[at] != 0x21:  # a frame, the end, or damage
            return
        at += 2
        while length := data[at]:
            at += 1 + length
        at += 1
    raise _too_many("blocks", MAX_BLOCKS)


def _check_heif(data: bytes) -> None:
    boxes = [0]
    _check_boxes(data, 0, len(data), boxes, depth=0)


def _check_boxes(data: bytes, at: int, end: int, boxes: list[int], depth: int) -> None:
    """Counts the boxes of ISO/IEC 14496-12, and the items and references that ISO/IEC 23008-12 puts there."""
    while at + 8 <= end:
        boxes[0] += 1
        if boxes[0] > MAX_BOXES:
            raise _too_many("boxes", MAX_BOXES)
        size, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        size = end - at if size == 0 else size
        if size < head:
            return
        stop = min(end, at + size)
        body = at + head
        if name == b"iref":
            _check_references(data, body, stop)
        elif name in (b"iinf", b"iloc"):
            _check_items(data, name, body)
        elif name in _CONTAINERS and depth < 8:
            _check_boxes(data, body + (4 if name == b"meta" else 0), stop, boxes, depth + 1)
        at += size


def _check_items(data: bytes, name: bytes, at: int) -> None:
    version = data[at]
    at += 4 if name == b"iinf" else 6
    is_wide = version > 0 if name == b"iinf" else version == 2
    (count,) = struct.unpack_from(">I" if is_wide else ">H", data, at)
    if count > MAX_ITEMS:
        raise _too_many("items", MAX_ITEMS)


def _check_references(data: bytes, at: int, end: int) -> None:
    width = 4 if data[at] else 2
    at += 4
    total = 0
    while at + 8 <= end:
        (size,) = struct.unpack_from(">I", data, at)
        (count,) = struct.unpack_from(">H", data, at + 8 + width)
        total += 1 + count
        if total > MAX_REFERENCES:
            raise _too_many("references", MAX_REFERENCES)
        at += max(8, size)


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "image/jpeg": _check_jpeg,
    "image/png": _check_png,
    "image/webp": _check_webp,
    "image/gif": _check_gif,
    "image/heic": _check_heif,
    "image/avif": _check_heif,
}
