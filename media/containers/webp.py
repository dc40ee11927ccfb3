"""WebP files (RIFF): rebuilt from their chunks where what stands around the picture is wrong."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_PIXELS = frozenset((b"VP8 ", b"VP8L"))
_KEPT = frozenset((b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"ICCP", b"EXIF")) | _PIXELS
_PROFILE_FLAG, _EXIF_FLAG, _XMP_FLAG = 0x20, 0x08, 0x04
_MAX_CHUNKS = 16 * 1024


def rebuilt(data: bytes) -> bytes:
    """Returns the picture with right lengths and flags, and without metadata that is cut short."""
    chunks = [(name, body) for name, body in _chunks(data) if name in _KEPT]
    names = {name for name, _ in chunks}
    pieces = []
    for name, body in chunks:
        if name == b"VP8X" and len(body) >= 10:
            flags = body[0] & ~(_PROFILE_FLAG | _EXIF_FLAG | _XMP_FLAG)
            flags |= (_PROFILE_FLAG if b"ICCP" in names else 0) | (_EXIF_FLAG if b"EXIF" in names else 0)
            body = bytes((flags,)) + body[1:10]
        pieces.append(name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1))
    content = b"WEBP" + b"".join(pieces)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            return
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + length]
        if len(body) < length:
            return
        yield name, body
        at += 8 + length + (length & 1)
