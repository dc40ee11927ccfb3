"""A few megabytes of disk that are kept for the database: a file of nothing, deleted when the disk is full.

So what fills a disk, the photos or another program, does not lock people out: they can still sign in, and delete
something. The file is made again once there is room.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from pathlib import Path

from node.errors import is_disk_full

log = logging.getLogger("tintype.disk")

MAX_BYTES = 8 * 1024 * 1024
SHARE = 8  # of the free space, one part in so many
MIN_BYTES = 256 * 1024
REFILL_SECONDS = 60.0


class Reserve:
    """The file `<database>.reserve`. Its methods block for a moment."""

    def __init__(self, database: str) -> None:
        self._path = Path(f"{database}.reserve")
        self._tried_at = float("-inf")

    def is_due(self) -> bool:
        """Returns whether `fill` is to be called: it was not in the last minute."""
        return time.monotonic() - self._tried_at >= REFILL_SECONDS

    def fill(self) -> None:
        """Makes the file if there is none and enough room for it."""
        self._tried_at = time.monotonic()
        try:
            if self._path.exists():
                return
            size = min(MAX_BYTES, shutil.disk_usage(self._path.parent).free // SHARE)
            if size >= MIN_BYTES:
                self._make(size)
        except OSError as error:
            log.debug("no space is kept for the database: %s", error)

    def has_room(self) -> bool:
        """Returns whether there is any space left: SQLite calls that an I/O error for a quota, and where it maps a file.

        Tries it, because what a quota leaves is told by no system call that knows nothing of quotas.
        """
        probe = self._path.with_name(f"{self._path.name}.probe")
        try:
            self._write(probe, MIN_BYTES)
        except OSError as error:
            return not is_disk_full(error)
        finally:
            with contextlib.suppress(OSError):
                probe.unlink()
        return True

    def release(self) -> bool:
        """Gives the space to the database. False when that was done already."""
        self._tried_at = time.monotonic()
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            log.error("the disk of the database is full, and %s cannot be deleted: %s", self._path, error)
            return False
        log.error(
            "the disk of the database is full: %s was deleted, so that people can sign in. Please make room in %s",
            self._path,
            self._path.parent,
        )
        return True

    def _make(self, size: int) -> None:
        draft = self._path.with_name(f"{self._path.name}.new")
        try:
            self._write(draft, size)
            draft.replace(self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise

    def _write(self, path: Path, size: int) -> None:
        with open(path, "wb", buffering=0, opener=_open_privately) as file:
            # Written, not allocated: a file of holes keeps no space.
            for _ in range(0, size, MIN_BYTES):
                data = os.urandom(MIN_BYTES)
                while data:  # a write that fits in part only is followed by one that fails
                    data = data[file.write(data) or 0 :]
            os.fsync(file.fileno())  # some file systems know only then


def _open_privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
