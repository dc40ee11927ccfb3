"""Reads the size of a picture from the beginning of its file, without decoding it."""

from __future__ import annotations

import struct

from media.containers import isobmff, jpeg

MAX_SIDE = 65_535
_MAX_CHUNKS = 1_000
_TURNED = frozenset({5, 6, 7, 8})
"""Values of the Exif orientation that exchange width and height."""


def parse(head: bytes) -> tuple[int, int] | None:
    """Returns the width and height of a picture as it is shown, from the beginning of its file; None if it is not there."""
    try:
        size = _parse(head)
    except (struct.error, IndexError):
        return None
    return size if size is not None and all(1 <= side <= MAX_SIDE for side in size) else None


def _parse(head: bytes) -> tuple[int, int] | None:
    if head.startswith(b"\xff\xd8"):
        return _jpeg_size(head)
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return _upright(struct.unpack_from(">II", head, 16), _chunk(head, 8, b"eXIf", ">I4s", 4))
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return struct.unpack_from("<HH", head, 6)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        size = _webp_size(head)
        return size and _upright(size, _chunk(head, 12, b"EXIF", "<4sI", 0))
    if head[4:8] == b"ftyp":
        return _isobmff_size(head)
    return None


def _upright(size: tuple[int, int], exif: bytes) -> tuple[int, int]:
    return size[::-1] if _exif_orientation(exif.removeprefix(b"Exif\0\0")) in _TURNED else size


def _chunk(head: bytes, position: int, wanted: bytes, layout: str, checksum: int) -> bytes:
    """Returns the content of the first chunk of a PNG or WebP that has this name, as far as it is there."""
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(head):
            break
        first, second = struct.unpack_from(layout, head, position)
        name, length = (first, second) if isinstance(first, bytes) else (second, first)
        if name == wanted:
            return head[position + 8 : position + 8 + length]
        position += 8 + length + (checksum or length % 2)
    return b""


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    is_turned = False
    for marker, start, end in jpeg.segments(head, 2):
        if marker in jpeg.FRAMES:
            height, width = struct.unpack_from(">HH", head, start + 5)
            return (height, width) if is_turned else (width, height)
        if marker == 0xE1 and head[start + 4 : start + 10] == b"Exif\0\0":
            is_turned = _exif_orientation(head[start + 10 : end]) in _TURNED
    return None


def _exif_orientation(tiff: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    start = struct.unpack_from(order + "I", tiff, 4)[0]
    if start + 2 > len(tiff):
        return 1
    for number in range(struct.unpack_from(order + "H", tiff, start)[0]):
        entry = start + 2 + 12 * number
        if entry + 12 > len(tiff):
            break
        if struct.unpack_from(order + "H", tiff, entry)[0] == 0x0112:
            return int(struct.unpack_from(order + "H", tiff, entry + 8)[0])
    return 1


def _webp_size(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = struct.unpack_from("<I", head, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _isobmff_size(head: bytes) -> tuple[int, int] | None:
    """Returns the largest size that an AVIF or HEIC file gives for any of its pictures: that of the whole one."""
    sizes: list[tuple[int, int]] = []
    position = head.find(b"ispe")
    while position >= 0 and position + 16 <= len(head) and len(sizes) < 64:
        sizes.append(struct.unpack_from(">II", head, position + 8))
        position = head.find(b"ispe", position + 16)
    if not sizes:
        return None
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    if box := isobmff.read_properties(head).crop_box(width, height):  # it comes before turning
        width, height = box[2] - box[0], box[3] - box[1]
    rotation = head.find(b"irot")
    is_turned = 0 <= rotation < len(head) - 4 and head[rotation + 4] & 1
    return (height, width) if is_turned else (width, height)
