"""The space left on the disks of a node: whether anything large may still be stored there.

The last megabytes are kept for the database. So a disk that photos have filled refuses photos, and people can still
sign in and delete some.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from pathlib import Path

from node.errors import DiskFull
from node.node import Node

log = logging.getLogger("tintype.disk")

KEPT_BYTES, KEPT_SHARE = 100 * 1024 * 1024, 0.02
"""How much stays free: as many bytes, or that share of a small disk."""

_CHECK_SECONDS = 1.0
_REPORT_SECONDS = 60.0


class DiskSpace:
    """Knows the free space where a node keeps its files, and says in the log when there is too little."""

    def __init__(self, node: Node) -> None:
        self._folders = _local_folders(node)
        self._checked_at = self._reported_at = float("-inf")
        self._full_folder = ""

    def check(self) -> None:
        """Raises DiskFull where something large should not be stored now."""
        if self.is_low():
            raise DiskFull(detail=f"hardly any space is left in {self._full_folder}")

    def is_low(self) -> bool:
        """Returns whether only the space that is kept for the database is left. Looks at most once a second."""
        now = time.monotonic()
        if now - self._checked_at >= _CHECK_SECONDS:
            self._checked_at = now
            self._full_folder = next((folder for folder in self._folders if _is_low(folder)), "")
            if self._full_folder:
                self._report(f"hardly any space is left in {self._full_folder}; no photos are accepted")
        return bool(self._full_folder)

    def report(self, error: OSError) -> None:
        """Says in the log that a write failed, unless that was said a moment ago."""
        self._checked_at = float("-inf")
        self._report(f"a file could not be stored: {error}")

    def _report(self, text: str) -> None:
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_SECONDS:
            self._reported_at = now
            log.error("the disk is full: %s", text)


def _local_folders(node: Node) -> list[str]:
    """Returns the folders of the photos and of a SQLite database."""
    media = node.config.media.url.partition(":")[2].removeprefix("//")
    scheme, _, path = node.config.database.url.partition(":")
    return [media, *([str(Path(path).parent)] if scheme == "sqlite" else [])]


def _is_low(folder: str) -> bool:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return False
    return usage.free < min(KEPT_BYTES, int(usage.total * KEPT_SHARE)) or _free_inodes(folder) == 0


def _free_inodes(folder: str) -> int | None:
    """Returns how many more files the file system can hold; None where it does not count them."""
    found = os.statvfs(folder)
    return found.f_favail if found.f_files else None
