"""Finds the byte in which the pixels of a JPEG of one Huffman-coded scan end, by reading its codes (ITU-T T.81, F.2.2).

Nothing is decoded: a code says how many bits and coefficients it stands for. A decoder in C is a hundred times as fast,
but reads ahead and does not say how far it used what it read. So this is for the few files of which that decides.
"""

from __future__ import annotations

import re
from array import array

from media.containers.jpeg import JpegFile, segments

_SEQUENTIAL_FRAMES, _DHT = (0xC0, 0xC1), 0xC4
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
# Half a second of work. In more bytes, those that stand for the pixels of a twentieth hardly end by chance where it did.
_MAX_BYTES, _MAX_BLOCKS = 1 << 20, 1_000_000
_CODE_BITS = 16
# A block has 64 coefficients; after the last one that is not zero, a code goes to its end.
_BLOCK, _ZEROS = 64, 16
# Enough to read a block behind the end, at no more than 31 bits for a coefficient.
_ROOM = bytes(_BLOCK * 4)

# What the next 16 bits begin with: the number of its bits, and 32 times that of its coefficients; zero for no code.
Table = list[int]


class CannotTell(Exception):
    """Raised for scans of other kinds, and those that take too long."""


def is_end_of_pixels(data: bytes, file: JpegFile, size: tuple[int, int]) -> bool:
    """Returns whether the last pixel ends in the last byte, or in the last one before a run of one byte.

    Raises CannotTell.
    """
    start, units = _last_interval(data, file, size)
    blocks = _blocks(data, file)
    if file.end - start > _MAX_BYTES or units * len(blocks) > _MAX_BLOCKS:
        raise CannotTell
    coded = re.sub(rb"\xff+\0", b"\xff", data[start : file.end])
    used = _used_bytes(coded, blocks, units)
    return used in (len(coded), len(coded.rstrip(coded[-1:])))


def _last_interval(data: bytes, file: JpegFile, size: tuple[int, int]) -> tuple[int, int]:
    """Returns where the bytes behind the last restart marker begin, and how many units they have to hold.

    None are to be held where there are too many markers, or too few.
    """
    across, down = file.mcu_size()
    units, start = -(-size[0] // across) * -(-size[1] // down), file.last_scan_start
    if file.restart_interval:
        for found in _RESTART.finditer(data, start, file.end):
            start, units = found.end(), units - file.restart_interval
        units = units if units <= file.restart_interval else 0
    return start, units


def _blocks(data: bytes, file: JpegFile) -> list[tuple[Table, Table]]:
    """Returns the tables with which the blocks of a unit are read, one pair a block."""
    if not file.is_one_scan() or file.is_arithmetic:
        raise CannotTell
    tables: dict[int, Table] = {}
    is_sequential = False
    for marker, at, stop in segments(file.head, 2):
        is_sequential = is_sequential or marker in _SEQUENTIAL_FRAMES
        if marker == _DHT:
            _read_tables(file.head[at + 4 : stop], tables)
    header = data[file.start + 4 : file.last_scan_start]
    components = file.scans[0].components
    blocks = []
    try:
        for place, component in enumerate(components):
            h, v = file.sampling[component] if len(components) > 1 else (1, 1)
            chosen = header[2 + 2 * place]
            blocks += [(tables[chosen >> 4], tables[16 + (chosen & 15)])] * (h * v)
    except (KeyError, IndexError) as error:
        raise CannotTell from error
    if not is_sequential:
        raise CannotTell
    return blocks


def _read_tables(body: bytes, tables: dict[int, Table]) -> None:
    """Reads a segment of Huffman tables; those of means are numbered from 0, the others from 16."""
    at = 0
    while at + 1 + _CODE_BITS < len(body):
        counts = body[at + 1 : at + 1 + _CODE_BITS]
        symbols = body[at + 1 + _CODE_BITS : at + 1 + _CODE_BITS + sum(counts)]
        tables[body[at]] = _table(counts, symbols, is_of_means=body[at] < _CODE_BITS)
        at += 1 + _CODE_BITS + sum(counts)


def _table(counts: bytes, symbols: bytes, *, is_of_means: bool) -> Table:
    lengths = [length for length, count in enumerate(counts, 1) for _ in range(count)]
    table: Table = []
    for length, symbol in zip(lengths, symbols, strict=False):
        run, bits = (0, symbol) if is_of_means else divmod(symbol, 16)
        coefficients = run + 1 if bits or run == _ZEROS - 1 else _BLOCK
        table += [(length + min(bits, 15)) | coefficients << 5] * (1 << (_CODE_BITS - length))
    return (table + [0] * (1 << _CODE_BITS))[: 1 << _CODE_BITS]


def _used_bytes(coded: bytes, blocks: list[tuple[Table, Table]], units: int) -> int | None:
    """Returns in how many bytes these units are; None if they are not all there."""
    if units < 1:
        return None
    end, at = 8 * len(coded), 0
    room = coded + _ROOM
    # The 24 bits from each byte on hold the 16 from each of its bits on.
    ahead = array("I", (a << 16 | b << 8 | c for a, b, c in zip(room, room[1:], room[2:], strict=False)))
    for _ in range(units):
        for means, others in blocks:
            code = means[ahead[at >> 3] >> (8 - (at & 7)) & 0xFFFF]
            at += code & 31
            coefficient = 1
            while code and coefficient < _BLOCK:
                code = others[ahead[at >> 3] >> (8 - (at & 7)) & 0xFFFF]
                at += code & 31
                coefficient += code >> 5
            if not code or at > end:
                return None
    return -(-at // 8)
