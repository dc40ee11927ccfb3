"""PNG files (W3C PNG, third edition): the chunks that hold the picture, and what the others say of it.

A chunk beside the picture that is damaged, too large or cut short is passed over. Of an animation only the picture
that every reader shows is kept.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from media.colour import encodings
from media.colour.encodings import CodePoints, Primaries
from media.colour.profiles import MAX_PROFILE_BYTES

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 128 * 1024
_MAX_EXIF_BYTES = 1024 * 1024
_NAME = re.compile(rb"[A-Za-z]{4}")
_RAW_PROFILE = b"Raw profile type exif"
_FOLLOWING = re.compile(rb"PLTE|tRNS|IDAT|IEND")
# Samples a pixel, by colour type.
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# The passes of Adam7: first column and row, steps between columns and rows.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE_BYTES, _INFLATED_PIECE_BYTES = 64 * 1024, 1024 * 1024


@dataclass
class PngFile:
    """The parts of a PNG. `head` ends before the first `IDAT`; `spans` are where its `IDAT` chunks lie.

    `transparent` is the one colour that is transparent, in samples as the file holds them.
    """

    width: int = 0
    height: int = 0
    depth: int = 8
    colour_type: int = 0
    is_interlaced: bool = False
    head: bytes = b""
    spans: list[tuple[int, int]] = field(default_factory=list)
    cut_chunk: bytes = b""
    transparent: tuple[int, ...] | None = None
    exif: bytes = b""
    has_raw_profile: bool = False
    icc: bytes = b""
    code_points: CodePoints | None = None
    is_srgb: bool = False
    gamma: float | None = None
    chromaticities: Primaries | None = None

    def parts(self, data: bytes, pixels: bytes = b"") -> list[bytes | memoryview]:
        """Returns what a decoder reads: the picture and nothing beside it. `pixels` stands in for its `IDAT` chunks."""
        view, end = memoryview(data), _chunk(b"IEND", b"")
        if pixels:
            return [self.head, pixels, end]
        return [self.head, *(view[start:stop] for start, stop in self.spans), self.cut_chunk, end]

    def high_byte(self, sample: int) -> int:
        """Returns what a decoder makes of a sample in its eight bits."""
        return sample >> 8 if self.depth == 16 else sample * 255 // ((1 << self.depth) - 1)

    def described_profile(self) -> bytes:
        """Returns a profile for what the file says without one; empty for sRGB.

        An ICC profile in the file stands between the first and the other ways to say it.
        """
        if self.code_points is not None:
            return encodings.from_code_points(self.code_points)
        if self.is_srgb:
            return b""
        try:
            return encodings.from_gamma(self.gamma, self.chromaticities)
        except ValueError:
            return encodings.from_gamma(self.gamma, None)

    def share_there(self, data: bytes) -> float:
        """Returns how much of the rows can be inflated, from 0 to 1. Raises zlib.error for what is no stream."""
        return sum(map(len, self._inflated(data))) / self._inflated_bytes()

    def restored_pixels(self, data: bytes) -> bytes:
        """Returns one whole `IDAT` chunk, with grey in place of the rows that are missing at the end."""
        deflate, missing = zlib.compressobj(1), self._inflated_bytes()
        whole = bytearray()
        for rows in self._inflated(data):
            whole += deflate.compress(rows)
            missing -= len(rows)
        row_bytes = self._inflated_bytes() // self.height
        is_grey = self.depth >= 8 and self.colour_type != 3
        grey_row = b"\0" + (b"\x80" if is_grey else b"\0") * (row_bytes - 1)
        whole += deflate.compress(bytes(missing % row_bytes))
        for _ in range(missing // row_bytes):
            whole += deflate.compress(grey_row)
        return _chunk(b"IDAT", bytes(whole + deflate.flush()))

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        """Yields the rows as they are filtered, as far as they are there; the checksum behind them is not read."""
        missing, inflate, skipped = self._inflated_bytes(), zlib.decompressobj(-15), 2
        for body in self._bodies(data):
            for at in range(0, len(body), _PIECE_BYTES):
                piece = bytes(body[at : at + _PIECE_BYTES])
                rest, skipped = piece[skipped:], max(0, skipped - len(piece))
                while rest and missing > 0:
                    rows = inflate.decompress(rest, min(missing, _INFLATED_PIECE_BYTES))
                    missing -= len(rows)
                    yield rows
                    rest = inflate.unconsumed_tail
        yield inflate.flush()[:missing]

    def _bodies(self, data: bytes) -> Iterator[memoryview]:
        view = memoryview(data)
        for start, end in self.spans:
            at = start
            while at < end:
                length = int.from_bytes(view[at : at + 4], "big")
                yield view[at + 8 : at + 8 + length]
                at += 12 + length
        if self.cut_chunk:
            yield memoryview(self.cut_chunk)[8:-4]

    def _inflated_bytes(self) -> int:
        bits = self.depth * _SAMPLES.get(self.colour_type, 1)
        passes = _PASSES if self.is_interlaced else ((0, 0, 1, 1),)
        total = 0
        for left, top, across, down in passes:
            width, height = -(-(self.width - left) // across), -(-(self.height - top) // down)
            if width > 0 and height > 0:
                total += height * (1 + (width * bits + 7) // 8)
        return total


def parse(data: bytes) -> PngFile:
    """Reads the chunks of a PNG. Without a header, its size is 0."""
    file = PngFile()
    head: dict[bytes, bytes] = {}
    read: set[bytes] = set()
    for name, start, end in _chunks(data):
        if name == b"IDAT":
            _add_pixels(file, data, start, end)
        elif name in (b"IHDR", b"PLTE"):
            body = data[start + 8 : end - 4]
            head.setdefault(name, _chunk(name, body))
            if name == b"IHDR":
                _read_header(file, body)
        elif name in _READERS and name not in read and not (file.spans and name in _BEFORE_PIXELS):
            body = data[start + 8 : end - 4]
            if zlib.crc32(body, zlib.crc32(name)) != int.from_bytes(data[end - 4 : end], "big"):
                continue
            _READERS[name](file, body)
            if name not in _REPEATED:
                read.add(name)
            if name == b"tRNS" and file.colour_type == 3:
                head[name] = _chunk(name, body[:256])
    # The palette of a picture without one is only a hint.
    order = (b"IHDR", b"PLTE", b"tRNS") if file.colour_type == 3 else (b"IHDR",)
    file.head = _SIGNATURE + b"".join(head[name] for name in order if name in head)
    return file


def _read_header(file: PngFile, body: bytes) -> None:
    if len(body) >= 13 and not file.width:
        file.width, file.height, file.depth, file.colour_type = struct.unpack(">IIBB", body[:10])
        file.is_interlaced = bool(body[12])


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yields (name, start, end) of each chunk up to the end of the picture.

    From a chunk whose length cannot be right, the next known one is looked for.
    """
    at = len(_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            return
        name, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if (
            _NAME.fullmatch(name)
            and (end <= len(data) or name == b"IDAT")
            and not _swallows(data, name, at, end)
        ):
            yield name, at, end
            if name == b"IEND":
                return
            at = end
            continue
        found = _FOLLOWING.search(data, at + 8)
        if found is None or found.start() - 4 <= at:
            return
        at = found.start() - 4


def _swallows(data: bytes, name: bytes, start: int, end: int) -> bool:
    """Returns whether a chunk beside the picture reaches over the start of one of its own, and ends within it."""
    if not name[:1].islower() or end + 8 > len(data) or _NAME.fullmatch(data, end + 4, end + 8):
        return False
    return _FOLLOWING.search(data, start + 8, end + 4) is not None


def _add_pixels(file: PngFile, data: bytes, start: int, end: int) -> None:
    if end > len(data):
        file.cut_chunk = _chunk(b"IDAT", data[start + 8 :])
    elif file.spans and file.spans[-1][1] == start:
        file.spans[-1] = (file.spans[-1][0], end)
    else:
        file.spans.append((start, end))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _read_transparency(file: PngFile, body: bytes) -> None:
    samples = _SAMPLES.get(file.colour_type, 1)
    if file.colour_type in (0, 2) and len(body) >= 2 * samples:
        largest = (1 << file.depth) - 1
        file.transparent = tuple(
            value & largest for value in struct.unpack(f">{samples}H", body[: 2 * samples])
        )


def _read_profile(file: PngFile, body: bytes) -> None:
    _, _, compressed = body.partition(b"\0")
    if compressed[:1] == b"\0":
        profile = _inflated(compressed[1:], MAX_PROFILE_BYTES)
        # The channels it is for; one that does not fit would hide what else the file says.
        wanted = b"GRAY" if file.colour_type in (0, 4) else b"RGB "
        file.icc = profile if profile[16:20] == wanted and profile[36:40] == b"acsp" else b""


def _read_code_points(file: PngFile, body: bytes) -> None:
    if len(body) == 4 and body[2] == 0 and body[3] in (0, 1):
        file.code_points = CodePoints(body[0], body[1], is_full_range=body[3] == 1)


def _read_srgb(file: PngFile, body: bytes) -> None:
    file.is_srgb = len(body) == 1 and body[0] < 4


def _read_gamma(file: PngFile, body: bytes) -> None:
    if len(body) == 4 and 5_000 <= (gamma := int.from_bytes(body, "big")) <= 2_000_000:
        file.gamma = gamma / 100_000


def _read_chromaticities(file: PngFile, body: bytes) -> None:
    if len(body) == 32:
        numbers = [number / 100_000 for number in struct.unpack(">8I", body)]
        white, red, green, blue = ((numbers[at], numbers[at + 1]) for at in (0, 2, 4, 6))
        file.chromaticities = (red, green, blue, white)


def _read_exif(file: PngFile, body: bytes) -> None:
    if len(body) <= _MAX_EXIF_BYTES:
        file.exif = b"Exif\0\0" + body.removeprefix(b"Exif\0\0")


def _read_text(file: PngFile, body: bytes) -> None:
    """Reads Exif that older programs wrote as a text of hexadecimal digits, below a name and a length."""
    key, _, text = body.partition(b"\0")
    if key == _RAW_PROFILE and not file.has_raw_profile and not file.exif and text[:1] == b"\0":
        _read_raw_profile(file, _inflated(text[1:], 2 * _MAX_EXIF_BYTES))


def _read_plain_text(file: PngFile, body: bytes) -> None:
    key, _, text = body.partition(b"\0")
    if key == _RAW_PROFILE and not file.has_raw_profile and not file.exif:
        _read_raw_profile(file, text[: 2 * _MAX_EXIF_BYTES])


def _read_raw_profile(file: PngFile, text: bytes) -> None:
    file.has_raw_profile = True
    try:
        exif = bytes.fromhex("".join(text.decode("ascii").split("\n")[3:]))
    except ValueError:
        return
    file.exif = b"Exif\0\0" + exif.removeprefix(b"Exif\0\0")


def _inflated(data: bytes, most: int) -> bytes:
    """Inflates as far as the data is whole; empty if it would be more than `most` bytes."""
    inflate, out = zlib.decompressobj(), b""
    try:
        out = inflate.decompress(data, most + 1)
    except zlib.error:
        return b""
    return out if len(out) <= most else b""


_READERS: dict[bytes, Callable[[PngFile, bytes], None]] = {
    b"tRNS": _read_transparency,
    b"iCCP": _read_profile,
    b"cICP": _read_code_points,
    b"sRGB": _read_srgb,
    b"gAMA": _read_gamma,
    b"cHRM": _read_chromaticities,
    b"eXIf": _read_exif,
    b"zTXt": _read_text,
    b"tEXt": _read_plain_text,
}
# A file has one of each other chunk, and unpacking thousands of them would take minutes.
_REPEATED = frozenset((b"zTXt", b"tEXt"))
_BEFORE_PIXELS = frozenset((b"tRNS", b"iCCP", b"cICP", b"sRGB", b"gAMA", b"cHRM"))
