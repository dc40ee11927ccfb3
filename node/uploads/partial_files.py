"""The files of uploads that arrive in pieces: opened under a lock, written at their end, listed.

How much of an upload has arrived is the size of its file and nothing else, so a process that is killed loses nothing it
had written and promises nothing it had not. The lock is one of the kernel (`flock`): it holds between all processes of a
node that share the media folder, and ends with the process that has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from node.errors import N_, DiskFull, Refused, is_disk_full
from node.node import Node

FOLDER = "uploads"
WRITE_BYTES = 256 * 1024

_NAME = re.compile(r"([0-9]{1,19})\.part")


class UploadLocked(Refused):
    """Another request has this upload."""

    status = 423

    def __init__(self) -> None:
        super().__init__(N_("This photo is being uploaded by another window or app at the moment."))


def storage_key(upload_id: int) -> str:
    """Returns the key of the file of an upload in the storage of its node."""
    return f"{FOLDER}/{upload_id}.part"


class PartialFile:
    """A file that is written at its end. What was given to `write` arrives there in that order, or it breaks off.

    Writing happens in a thread, since a disk may be busy. A request that is cancelled meanwhile closes the file only
    after that, and what it had received is written all the same.
    """

    def __init__(self, raw: BinaryIO | io.FileIO, *, is_locked: bool = False) -> None:
        self.raw = raw
        self._is_locked = is_locked
        self._buffer = bytearray()
        self._writing: asyncio.Future[None] | None = None
        self._is_broken = False

    @property
    def size(self) -> int:
        """The bytes on the disk."""
        return os.fstat(self.raw.fileno()).st_size

    async def write(self, data: bytes) -> None:
        """Adds bytes. Raises DiskFull."""
        self._buffer += data
        if len(self._buffer) >= WRITE_BYTES:
            await self._run(self._write)

    async def flush(self) -> None:
        """Writes what has not been written yet, and waits until all is on the disk. Raises DiskFull."""
        await self._run(self._write_through)

    async def read_at(self, position: int) -> bytes:
        """Returns the next bytes from a position on; none at the end."""
        return await asyncio.to_thread(os.pread, self.raw.fileno(), WRITE_BYTES, position)

    async def _run(self, step: Callable[[bytes], None]) -> None:
        data = bytes(self._buffer)
        self._buffer.clear()
        self._writing = asyncio.ensure_future(asyncio.to_thread(step, data))
        try:
            await asyncio.shield(self._writing)
        except OSError as error:
            if is_disk_full(error):
                raise DiskFull(detail=str(error)) from error
            raise

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self.raw.fileno(), left) :]
        except OSError:
            self._is_broken = True  # what follows would stand in the wrong place
            raise

    def _write_through(self, data: bytes) -> None:
        self._write(data)
        os.fdatasync(self.raw.fileno())

    def close(self) -> None:
        """Closes the file and ends the lock, once nothing is being written any more."""
        if self._writing is not None and not self._writing.done():
            self._writing.add_done_callback(self._close)
        else:
            self._close(None)

    def _close(self, writing: asyncio.Future[None] | None) -> None:
        if writing is not None and not writing.cancelled():
            writing.exception()
        if self._buffer and not self._is_broken:
            with contextlib.suppress(OSError):
                self._write(bytes(self._buffer))
        if self._is_locked:
            # Also where a child process has inherited the file.
            fcntl.flock(self.raw.fileno(), fcntl.LOCK_UN)
        self.raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_locked(node: Node, upload_id: int) -> PartialFile:
    """Opens the file of an upload, a new one if there is none, and locks it. Raises UploadLocked; DiskFull."""
    path = _path(node, upload_id)
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            raw = open(path, "ab+", buffering=0)  # noqa: SIM115
        except OSError as error:
            if is_disk_full(error):
                raise DiskFull(detail=str(error)) from error
            raise
        try:
            fcntl.flock(raw.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = os.fstat(raw.fileno()).st_nlink > 0  # it may have been deleted before it was locked
        except BlockingIOError:
            raw.close()
            raise UploadLocked from None
        except BaseException:
            raw.close()
            raise
        if is_there:
            return PartialFile(raw, is_locked=True)
        raw.close()


def ids_on_disk(node: Node, *, older_than: float) -> list[int]:
    """Returns the uploads that have a file to which nothing was written for so many seconds.

    A time far ahead is that of a clock which was wrong.
    """
    found = []
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(_path(node, 0).parent):
            if match := _NAME.fullmatch(entry.name):
                with contextlib.suppress(FileNotFoundError):
                    if abs(time.time() - entry.stat().st_mtime) >= older_than:
                        found.append(int(match[1]))
    return sorted(found)


def _path(node: Node, upload_id: int) -> Path:
    path = node.storage.path(storage_key(upload_id))
    if path is None:
        raise RuntimeError("the storage has no local files")
    return path
