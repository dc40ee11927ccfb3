"""Files that are damaged beside their pixels, made from whole ones."""

from __future__ import annotations

import struct
import zlib

from tests.media import samples

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HUGE = zlib.compress(bytes(3_000_000), 9)


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a whole PNG, as (name, body)."""
    at, found = len(SIGNATURE), []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    return SIGNATURE + b"".join(samples.chunk(name, body) for name, body in chunks)


def with_chunk(data: bytes, raw: bytes, *, before: bytes) -> bytes:
    """A PNG with some raw bytes before its first chunk of that name."""
    at = data.index(before) - 4
    return data[:at] + raw + data[at:]


def bad_crc(name: bytes, body: bytes) -> bytes:
    return samples.chunk(name, body)[:-4] + b"\xde\xad\xbe\xef"


def too_long(name: bytes, body: bytes) -> bytes:
    """A chunk whose length reaches far behind the end of the file."""
    return struct.pack(">I", 0x7FFF_0000) + samples.chunk(name, body)[4:]


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment at its start."""
    return data[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + data[2:]


def without_end(data: bytes) -> bytes:
    assert data.endswith(b"\xff\xd9")
    return data[:-2]
