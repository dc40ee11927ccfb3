"""A file made of parts of another one, read without copying that one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, BinaryIO


def open_spliced(parts: Sequence[bytes | memoryview]) -> BinaryIO:
    """Opens the parts as one file."""
    return io.BufferedReader(_SplicedFile(parts))


class _SplicedFile(io.RawIOBase):
    """Reads the parts one after another."""

    def __init__(self, parts: Sequence[bytes | memoryview]) -> None:
        self._parts: list[tuple[int, memoryview]] = []
        self._size = 0
        self._position = 0
        self._last_part = 0
        for part in parts:
            if part:
                self._parts.append((self._size, memoryview(part)))
                self._size += len(part)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        self._last_part = 0
        return self._position

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(target) and self._last_part < len(self._parts):
            start, part = self._parts[self._last_part]
            piece = part[max(0, self._position - start) :][: len(target) - filled]
            if not piece:
                self._last_part += 1
                continue
            target[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._position += len(piece)
        return filled
