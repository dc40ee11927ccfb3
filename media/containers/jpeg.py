"""JPEG files (ITU-T T.81): the segments a decoder needs, what they say of colour, and where the scans end.

Cameras and editors add segments that are cut short, twice there or wrongly counted, and data behind the end;
some never write the end at all. Only tables, frame, scans, Exif and a whole `Adobe` or `JFIF` segment are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_EOI, _SOI, _SOS, _DQT, _DHT, _DAC, _DNL, _DRI, _COM = 0xD9, 0xD8, 0xDA, 0xDB, 0xC4, 0xCC, 0xDC, 0xDD, 0xFE
FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, _DAC, 0xC8}
_PROGRESSIVE_FRAMES = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_FIRST_ARITHMETIC_FRAME = 0xC9
_TABLES = frozenset((_DQT, _DHT, _DAC, _DRI, _DNL))
_BETWEEN_SCANS = _TABLES | {_SOS, _COM, *range(0xE0, 0xF0)}
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
# The lengths of a whole Adobe and JFIF segment. A shorter one says nothing that can be relied on.
_ADOBE_BYTES, _JFIF_BYTES = 12, 14
# Sixteen times what 64 MB can hold in segments of full length.
_MAX_SEGMENTS = 16 * 1024
_EXIF, _ICC = b"Exif\0\0", b"ICC_PROFILE\0"
END = b"\xff\xd9"
_PADDING_BLOCK_BYTES = 64 * 1024
_MIN_PADDING_BYTES = 64
# The last bytes of a scan may be zeros, or a 0xFF, which a zero follows.
_KEPT_PADDING = re.compile(rb"(?:\xff\x00)?\x00{0,4}")
# What text in UTF-8 consists of. Of the bytes of a scan six of seven are among them, but in no such order.
_TEXT = bytes((*range(0x20, 0x7F), *range(0x80, 0xF5), *b"\t\n\r"))
_UTF_8 = re.compile(
    rb"(?:[\t\n\r -~]++|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})++"
)
_MIN_TEXT_BYTES, _KEPT_TEXT_BYTES, _MAX_CHECKED_TEXT_BYTES = 256, 64, 1 << 20

_COEFFICIENTS = 64


@dataclass(frozen=True)
class _Scan:
    components: tuple[int, ...]
    first: int
    last: int
    shift: int


@dataclass
class JpegFile:
    """The parts of a JPEG. `head` ends before the first scan; the scans are `data[start:end]`.

    `padding` is how many bytes that are likely no pixels follow: zeros, 0xFF of erased storage, another byte again
    and again, or text. `restart_interval` is the one of the last scan.
    """

    head: bytes = b""
    start: int = 0
    end: int = 0
    has_end: bool = False
    padding: int = 0
    icc: bytes = b""
    is_progressive: bool = False
    is_arithmetic: bool = False
    restart_interval: int = 0
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    scans: list[_Scan] = field(default_factory=list)
    last_scan_start: int = 0

    def parts(self, data: bytes, filler: bytes = b"") -> list[bytes | memoryview]:
        """Returns what a decoder reads: always with an end, and with `filler` before it."""
        return [self.head, memoryview(data)[self.start : self.end], filler, END]

    def is_one_scan(self) -> bool:
        """Returns whether all is in one scan, so that its rows are done one after another."""
        return not self.is_progressive and {*self.scans[0].components} >= set(self.sampling)

    def is_last_scan_reached(self) -> bool:
        """Returns whether the scan in which the file ends is the one that completes the picture."""
        if not self.sampling or not self.scans:
            return False
        if not self.is_progressive:
            return {component for scan in self.scans for component in scan.components} >= set(self.sampling)
        # How many of its bits are still to come, by component and coefficient.
        missing = {component: [1] * _COEFFICIENTS for component in self.sampling}
        for scan in self.scans:
            for component in scan.components:
                if (levels := missing.get(component)) is not None:
                    for coefficient in range(scan.first, min(scan.last + 1, _COEFFICIENTS)):
                        levels[coefficient] = scan.shift
        return not any(any(levels) for levels in missing.values())

    def mcu_size(self) -> tuple[int, int]:
        """Returns the width and height of a minimum coded unit of the last scan, in pixels of the picture."""
        most_h = max(h for h, _ in self.sampling.values())
        most_v = max(v for _, v in self.sampling.values())
        if len(components := self.scans[-1].components) > 1:
            return 8 * most_h, 8 * most_v
        h, v = self.sampling.get(components[0], (1, 1))
        return 8 * most_h // h, 8 * most_v // v

    def share_of_units(self, units: int, size: tuple[int, int]) -> float:
        """Returns how much of the rows of a picture of this size the first units of its last scan are."""
        across, down = self.mcu_size()
        columns = -(-size[0] // across)
        row, column = divmod(units, columns)
        top = min(size[1], row * down)
        return (top + min(down, size[1] - top) * column / columns) / size[1]

    def restarts(self, data: bytes) -> int:
        """Returns how many restart markers the last scan has."""
        return sum(1 for _ in _RESTART.finditer(data, self.last_scan_start, self.end))


def parse(data: bytes) -> JpegFile:
    """Reads the segments of a JPEG. Without a scan, `head` is what there is."""
    file = JpegFile(end=len(data))
    head: list[bytes] = [b"\xff\xd8"]
    profiles: list[bytes] = []
    is_adobe_known = is_jfif_known = False
    for marker, at, stop in segments(data, 2):
        if marker == _SOS:
            file.start = at
            break
        body = data[at + 4 : stop]
        if marker in FRAMES:
            _read_frame(file, marker, body)
        elif marker == _DRI:
            file.restart_interval = int.from_bytes(body[:2], "big")
        elif marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= _JFIF_BYTES and not is_jfif_known:
            is_jfif_known = True
        elif (
            marker == 0xEE and body.startswith(b"Adobe") and len(body) >= _ADOBE_BYTES and not is_adobe_known
        ):
            is_adobe_known = True
        elif marker == 0xE2 and body.startswith(_ICC):
            profiles.append(body)
            continue
        elif not (marker in _TABLES or (marker == 0xE1 and body.startswith(_EXIF))):
            continue
        head.append(data[at:stop])
    file.head = b"".join(head)
    file.icc = _joined_profile(profiles)
    if file.start:
        _read_scans(file, data)
    return file


def segments(data: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Yields (marker, start, end) of each segment. Bytes that belong to none are passed over, as decoders do."""
    for _ in range(_MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None:
            return
        at, marker = found.start(), data[found.start() + 1]
        if marker in (_SOI, _EOI):
            at += 2
            continue
        stop = at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
        if stop > len(data):
            return
        yield marker, at, stop
        at = stop


def with_halved_means(head: bytes) -> bytes:
    """Returns a head whose tables leave of each block its mean, halved at least; zero where it is whole already."""
    changed = bytearray(head)
    for marker, at, stop in segments(head, 2):
        place = at + 4
        while marker == _DQT and place < stop:
            width = 1 + (head[place] >> 4 & 1)
            mean = int.from_bytes(head[place + 1 : place + 1 + width], "big") // 2
            place, size = place + 1, width * _COEFFICIENTS
            changed[place : min(stop, place + size)] = mean.to_bytes(width, "big").ljust(size, b"\0")[
                : stop - place
            ]
            place += size
    return bytes(changed)


def _read_frame(file: JpegFile, marker: int, body: bytes) -> None:
    file.is_progressive, file.is_arithmetic = marker in _PROGRESSIVE_FRAMES, marker >= _FIRST_ARITHMETIC_FRAME
    for at in range(6, 6 + 3 * min(4, body[5] if len(body) > 5 else 0), 3):
        if len(entry := body[at : at + 3]) == 3:
            file.sampling[entry[0]] = (max(1, entry[1] >> 4), max(1, entry[1] & 15))


def _read_scans(file: JpegFile, data: bytes) -> None:
    """Walks over all scans to the end of the picture, or to where it breaks off."""
    at, interval = file.start, file.restart_interval
    for _ in range(_MAX_SEGMENTS):
        marker = data[at + 1]
        stop = at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
        if stop > len(data):
            file.end = at
            return
        if marker == _SOS:
            _read_scan(file, data[at + 4 : stop])
            file.last_scan_start, file.restart_interval = stop, interval
        elif marker == _DRI:
            interval = int.from_bytes(data[at + 4 : at + 6], "big")
        found = _MARKER_IN_SCAN.search(data, stop)
        if found is None:
            _find_end_of_pixels(file, data, stop, len(data))
            return
        at, marker = found.start(), data[found.start() + 1]
        # Behind a picture that is complete, nothing is a part of it, whatever it looks like.
        if marker not in _BETWEEN_SCANS or file.is_last_scan_reached():
            file.has_end = marker == _EOI
            _find_end_of_pixels(file, data, stop, at)
            return


def _find_end_of_pixels(file: JpegFile, data: bytes, start: int, end: int) -> None:
    """Finds where the pixels end between these places.

    One 0xFF or more before a marker, or before the end of the file, are none; a long run of one byte or text likely is none.
    """
    file.end = end = _stripped(data, start, end, b"\xff")
    unlike = _stripped(data, start, end, b"\0\xff" + data[end - 1 : end])
    kept = _KEPT_PADDING.match(data, unlike, end)
    if end - unlike >= _MIN_PADDING_BYTES and kept is not None:
        file.end = kept.end()
    text = _text_start(data, start, file.end)
    if file.end - text >= _MIN_TEXT_BYTES:
        file.end = text + _KEPT_TEXT_BYTES
    file.padding = end - file.end


def _text_start(data: bytes, start: int, end: int) -> int:
    """Returns where text begins that ends at `end`. Only the last part of a long one is looked at closely."""
    text = _stripped(data, start, end, _TEXT)
    if end - text < _MIN_TEXT_BYTES:
        return text
    checked = last = max(text, end - _MAX_CHECKED_TEXT_BYTES)
    for found in _UTF_8.finditer(data, checked, end):
        last = found.start()
    # The first character of the part may be cut.
    return last if last > checked + 3 else text


def _stripped(data: bytes, start: int, end: int, bytes_: bytes) -> int:
    """Returns the end of what is left if these bytes are taken off at the end."""
    while end > start and data[end - 1] in bytes_:
        block = max(start, end - _PADDING_BLOCK_BYTES)
        end = block + len(data[block:end].rstrip(bytes_))
    return end


def _read_scan(file: JpegFile, body: bytes) -> None:
    count = body[0] if body else 0
    if not 1 <= count <= 4 or len(body) < 4 + 2 * count:
        return
    components = tuple(body[1 : 1 + 2 * count : 2])
    first, last, shift = body[1 + 2 * count : 4 + 2 * count]
    file.scans.append(_Scan(components, first, last, shift & 15))


def _joined_profile(pieces: list[bytes]) -> bytes:
    """Joins an ICC profile in order of its numbered pieces; empty if one is missing."""
    pieces = [piece for piece in pieces if len(piece) >= 14]
    pieces.sort(key=lambda piece: piece[12])
    if not pieces or pieces[0][13] != len(pieces):
        return b""
    return b"".join(piece[14:] for piece in pieces)
