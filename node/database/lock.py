"""One process at a time opens a SQLite file for writing: the lock that holds the rest of this package to it.

Whoever opens the file holds an flock on `<file>.lock`, which the kernel lets go of however the process
ends; the file itself stays, so that nobody can hold a lock on a name that is gone. A node that serves also
listens on `<file>.sock` (node.cli.control_socket). So one who comes second knows at once whether to wait, because the
other is a short command, or to ask over there.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 10.0
PAUSE = 0.05
ANSWERS_WITHIN = 2.0
_LONGEST_NAME = 100  # bytes: a socket's address has room for little more


class InUse(Exception):
    """Another process has the database. The text is a sentence; `is_served`: it is a node that serves."""

    def __init__(self, path: str, pid: str, *, is_served: bool) -> None:
        who = f" (process {pid})" if pid else ""
        super().__init__(
            f"`tintype serve` is running with this database already{who}."
            if is_served
            else f"Another `tintype` command is using the database {path}{who}. Please try again."
        )
        self.is_served = is_served


class Lock:
    """The right to write one file, until `release`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


async def acquire(path: str, *, patience: float = PATIENCE) -> Lock:
    """Take the lock of a database file. Raises InUse: at once if it is served, else after `patience` seconds."""
    until = time.monotonic() + patience
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
                return Lock(descriptor)
            if is_served(path):
                raise InUse(path, _holder(descriptor), is_served=True)
            if time.monotonic() > until:
                raise InUse(path, _holder(descriptor), is_served=False)
            await asyncio.sleep(PAUSE)
    except BaseException:
        os.close(descriptor)
        raise


def _holder(descriptor: int) -> str:
    pid = os.pread(descriptor, 20, 0).decode("ascii", "replace")
    return pid if pid.isdecimal() else ""


def is_served(path: str) -> bool:
    """Whether a node that serves this database answers."""
    with contextlib.suppress(OSError), reachable(path) as address, socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(ANSWERS_WITHIN)
        asking.connect(address)
        return True
    return False


@contextlib.contextmanager
def reachable(path: str) -> Iterator[str]:
    """The address of the socket beside a database file, short enough for the kernel while it is in use."""
    address = Path(f"{path}.sock")
    if len(os.fsencode(address)) <= _LONGEST_NAME:
        yield str(address)
        return
    folder = os.open(address.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{address.name}"
    finally:
        os.close(folder)
