"""The lock that lets only one process at a time open a SQLite file for writing.

The process holds an flock on `<file>.lock`, which the kernel releases however the process ends; the lock file
stays, so that nobody can hold a lock on a name that was deleted. A node that serves also listens on
`<file>.sock` (node.cli.control_socket). So a second process knows at once whether to wait, because the other is
a short command, or to send its command to that socket.
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

TIMEOUT_SECONDS = 10.0
POLL_INTERVAL_SECONDS = 0.05
CONNECT_TIMEOUT_SECONDS = 2.0
_MAX_SOCKET_PATH_BYTES = 100  # bytes: a socket's address has room for little more


class DatabaseInUse(Exception):
    """Another process has the database open. The text is for the admin; `is_served`: that process is a node."""

    def __init__(self, path: str, pid: str, *, is_served: bool) -> None:
        process = f" (process {pid})" if pid else ""
        super().__init__(
            f"`tintype serve` is running with this database already{process}."
            if is_served
            else f"Another `tintype` command is using the database {path}{process}. Please try again."
        )
        self.is_served = is_served


class Lock:
    """The held lock of one file, until `release`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


async def acquire(path: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Lock:
    """Takes the lock of a database file. Raises DatabaseInUse: at once if a node serves it, else after the timeout."""
    deadline = time.monotonic() + timeout_seconds
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with contextlib.suppress(
                    OSError
                ):  # the disk is full: only whoever finds it taken would read it
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
                return Lock(descriptor)
            if is_served(path):
                raise DatabaseInUse(path, _holder_pid(descriptor), is_served=True)
            if time.monotonic() > deadline:
                raise DatabaseInUse(path, _holder_pid(descriptor), is_served=False)
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
    except BaseException:
        os.close(descriptor)
        raise


def _holder_pid(descriptor: int) -> str:
    pid = os.pread(descriptor, 20, 0).decode("ascii", "replace")
    return pid if pid.isdecimal() else ""


def is_served(path: str) -> bool:
    """Returns whether a node that serves this database accepts connections on its socket."""
    with (
        contextlib.suppress(OSError),
        socket_address(path) as address,
        socket.socket(socket.AF_UNIX) as client,
    ):
        client.settimeout(CONNECT_TIMEOUT_SECONDS)
        client.connect(address)
        return True
    return False


@contextlib.contextmanager
def socket_address(path: str) -> Iterator[str]:
    """Yields the address of the socket beside a database file.

    A path that is too long for the kernel is given through /proc/self/fd, valid inside the `with` block.
    """
    address = Path(f"{path}.sock")
    if len(os.fsencode(address)) <= _MAX_SOCKET_PATH_BYTES:
        yield str(address)
        return
    folder = os.open(address.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{address.name}"
    finally:
        os.close(folder)
