"""One process at a time has the lock of a SQLite file; a second one waits, or is referred to the node that serves it."""

from __future__ import annotations

import os
import resource
import socket
import threading
import time
from pathlib import Path

import pytest

from node.database import Site, open_database
from node.database.lock import DatabaseInUse, acquire, is_served, socket_address

SITE = Site("https", "a.test", b"a secret that only the tests know")


async def test_a_second_process_waits_until_the_lock_is_released(tmp_path: Path) -> None:
    path = str(tmp_path / "tintype.db")
    first = await open_database(f"sqlite:{path}", SITE)
    with pytest.raises(DatabaseInUse, match="Another `tintype` command"):
        await acquire(path, timeout_seconds=0.1)

    def release() -> None:
        time.sleep(0.2)
        os.close(descriptor)

    await first.close()
    held = await acquire(path)
    descriptor = held._descriptor
    assert descriptor is not None
    held._descriptor = None
    threading.Thread(target=release).start()
    second = await open_database(f"sqlite:{path}", SITE)
    await second.close()


async def test_the_lock_file_names_its_process_and_stays(tmp_path: Path) -> None:
    lock = await acquire(str(tmp_path / "a.db"))
    file = tmp_path / "a.db.lock"
    assert file.read_text() == str(os.getpid())
    with pytest.raises(DatabaseInUse, match=f"process {os.getpid()}") as refused:
        await acquire(str(tmp_path / "a.db"), timeout_seconds=0)
    assert not refused.value.is_served

    lock.release()
    lock.release()  # twice does no harm

    assert file.exists()
    (await acquire(str(tmp_path / "a.db"), timeout_seconds=0)).release()


async def test_a_served_database_is_refused_without_waiting(tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    lock = await acquire(path)
    assert not is_served(path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{path}.sock")
        server.listen()
        assert is_served(path)

        with pytest.raises(DatabaseInUse, match="is running with this database") as refused:
            await acquire(path, timeout_seconds=10_000)

    assert refused.value.is_served
    assert not is_served(path)  # the socket file is still there, but nobody listens on it
    lock.release()


def test_a_socket_path_that_is_too_long_is_shortened_while_in_use(tmp_path: Path) -> None:
    folder = tmp_path / ("a long name " * 10).strip()
    folder.mkdir()
    assert len(str(folder)) > 108

    with socket_address(str(folder / "a.db")) as address, socket.socket(socket.AF_UNIX) as server:
        assert len(address) < 108
        server.bind(address)

    assert (folder / "a.db.sock").is_socket()
    with socket_address("/short/a.db") as address:
        assert address == "/short/a.db.sock"


async def test_a_lock_is_taken_also_where_nothing_can_be_written(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        lock = await acquire(str(tmp_path / "a.db"))
        with pytest.raises(DatabaseInUse):
            await acquire(str(tmp_path / "a.db"), timeout_seconds=0.05)
        lock.release()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
