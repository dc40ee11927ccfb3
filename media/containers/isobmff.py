"""HEIF and AVIF files (ISO/IEC 23008-12): the colour and the crop of the picture that they show.

Their decoders know the rest. Boxes are read as far as they are well formed; whatever is not says nothing.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media.colour.encodings import CodePoints

Box = tuple[bytes, memoryview]
CropBox = tuple[int, int, int, int]

# Neither a file with a picture in a thousand tiles nor one with a long sequence reaches these.
_MAX_BOXES, _MAX_ASSOCIATION_BOXES = 4000, 8
_TRACK = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_VISUAL_ENTRY_BYTES = 78
# An entry of the table of items, of version 2 or 3: flags, number, protection, and this type.
_EXIF_ITEM = re.compile(rb"(infe[\x02\x03].{3}(?:.{4}|.{6}))Exif", re.DOTALL)


@dataclass
class Properties:
    """What the file says of its primary picture. `clean_aperture` is a `clap` box."""

    code_points: CodePoints | None = None
    has_profile: bool = False
    clean_aperture: tuple[int, ...] | None = None

    def crop_box(self, width: int, height: int) -> CropBox | None:
        """Returns left, top, right, bottom of the part to show; None for the whole picture."""
        if self.clean_aperture is None:
            return None
        sides = []
        for at, side in ((0, width), (2, height)):
            numbers = self.clean_aperture[at : at + 2] + self.clean_aperture[at + 4 : at + 6]
            length, length_divisor, offset, offset_divisor = numbers
            if length_divisor <= 0 or offset_divisor <= 0:
                return None
            kept = round(length / length_divisor)
            start = round((side - length / length_divisor) / 2 + offset / offset_divisor)
            if kept < 1 or start < 0 or start + kept > side:
                return None
            sides.append((start, start + kept))
        (left, right), (top, bottom) = sides
        return None if (right - left, bottom - top) == (width, height) else (left, top, right, bottom)


def read_properties(data: bytes) -> Properties:
    """Reads the properties of the primary picture, or else of the first track."""
    found = Properties()
    try:
        whole = memoryview(data)
        top = dict(_boxes(whole))
        if b"meta" in top:
            _read_meta(top[b"meta"][4:], found)
        elif b"moov" in top:
            _read_track(whole, found)
    except (struct.error, IndexError, ValueError, StopIteration):
        pass  # what is malformed says nothing
    return found


def has_track(data: bytes) -> bool:
    """Returns whether the file holds a sequence beside single pictures."""
    return any(name == b"moov" for name, _ in _boxes(memoryview(data)))


def with_main_brand(data: bytes, brand: bytes) -> bytes:
    """Returns the same file with another main brand."""
    return data[:8] + brand + data[12:]


def without_exif(data: bytes) -> bytes:
    """Returns the same file with its Exif under a name that no decoder looks for."""
    return _EXIF_ITEM.sub(rb"\1none", data)


def _boxes(data: memoryview) -> Iterator[Box]:
    at = 0
    for _ in range(_MAX_BOXES):
        if at + 8 > len(data):
            return
        size, name, head = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8]), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = len(data) - at
        if size < head:
            return
        yield name, data[at + head : at + size]
        at += size


def _read_meta(meta: memoryview, found: Properties) -> None:
    boxes = dict(_boxes(meta))
    primary = boxes.get(b"pitm")
    if primary is None or b"iprp" not in boxes:
        return
    wide_ids = primary[0] > 0
    item = int.from_bytes(primary[4 : 8 if wide_ids else 6], "big")
    inside = list(_boxes(boxes[b"iprp"]))
    properties = list(_boxes(dict(inside)[b"ipco"])) if b"ipco" in dict(inside) else []
    for body in [body for name, body in inside if name == b"ipma"][:_MAX_ASSOCIATION_BOXES]:
        for index in _associated(body, item):
            if 0 < index <= len(properties):
                _read_property(*properties[index - 1], found)


def _associated(body: memoryview, wanted: int) -> list[int]:
    """Returns the numbers of the properties of an item, from an `ipma` box."""
    id_bytes = 4 if body[0] > 0 else 2
    index_bytes = 2 if body[3] & 1 else 1
    count, at = int.from_bytes(body[4:8], "big"), 8
    for _ in range(min(count, _MAX_BOXES)):
        item = int.from_bytes(body[at : at + id_bytes], "big")
        number = body[at + id_bytes]
        at += id_bytes + 1
        entries = [
            int.from_bytes(body[at + n * index_bytes : at + (n + 1) * index_bytes], "big")
            for n in range(number)
        ]
        if item == wanted:
            return [entry & (0x7FFF if index_bytes == 2 else 0x7F) for entry in entries]
        at += number * index_bytes
    return []


def _read_track(whole: memoryview, found: Properties) -> None:
    body = whole
    for name in _TRACK:
        body = next(inside for inner, inside in _boxes(body) if inner == name)
    entry = next(inside for _, inside in _boxes(body[8:]))
    for name, inside in _boxes(entry[_VISUAL_ENTRY_BYTES:]):
        _read_property(name, inside, found)


def _read_property(name: bytes, body: memoryview, found: Properties) -> None:
    if name == b"colr" and bytes(body[:4]) == b"nclx" and found.code_points is None:
        primaries, transfer = struct.unpack(">HH", body[4:8])
        # Range is the matter of the decoder: it makes RGB of the whole range.
        found.code_points = CodePoints(primaries, transfer)
    elif name == b"colr" and bytes(body[:4]) in (b"prof", b"rICC"):
        found.has_profile = True
    elif name == b"clap" and found.clean_aperture is None:
        found.clean_aperture = struct.unpack(">IIIIiIiI", body[:32])
