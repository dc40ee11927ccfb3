"""The files of uploads: in order, under a lock that processes share, and closed after what is being written."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from node.node import Node
from node.uploads import partial_files
from node.uploads.partial_files import WRITE_BYTES, PartialFile, UploadLocked, open_locked


def content(node: Node, upload_id: int) -> bytes:
    path = node.storage.path(partial_files.storage_key(upload_id))
    assert path is not None
    return path.read_bytes()


async def test_what_is_written_follows_what_is_there(node: Node) -> None:
    for text in (b"one, ", b"two, ", b"three"):
        with open_locked(node, 1) as file:
            before = file.size
            await file.write(text)
            await file.flush()
            assert file.size == before + len(text)

    assert content(node, 1) == b"one, two, three"


async def test_a_file_is_locked_until_it_is_closed(node: Node) -> None:
    with open_locked(node, 1):
        with pytest.raises(UploadLocked):
            open_locked(node, 1)
        open_locked(node, 2).close()

    open_locked(node, 1).close()


async def test_the_lock_holds_between_processes_and_ends_with_one(node: Node) -> None:
    path = node.storage.path(partial_files.storage_key(1))
    assert path is not None
    path.parent.mkdir(parents=True)
    program = (
        f"import fcntl, sys; file = open({str(path)!r}, 'ab+'); fcntl.flock(file, fcntl.LOCK_EX); print('has it');"
        "sys.stdout.flush(); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"has it\n"
        with pytest.raises(UploadLocked):
            open_locked(node, 1)
        other.kill()
        other.wait()

    open_locked(node, 1).close()


async def test_a_cancelled_request_writes_what_it_received_in_order_before_the_lock_ends(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_writing, may_write = threading.Event(), threading.Event()
    write = os.write

    def slow_write(fd: int, data: bytes) -> int:
        is_writing.set()
        may_write.wait(30)
        return write(fd, data)

    file = open_locked(node, 1)

    async def receive() -> None:
        with file:
            await file.write(b"a" * WRITE_BYTES)

    monkeypatch.setattr(partial_files.os, "write", slow_write)
    task = asyncio.ensure_future(receive())
    await asyncio.to_thread(is_writing.wait, 30)
    file._buffer += b"the rest"
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    with pytest.raises(UploadLocked):
        open_locked(node, 1)
    may_write.set()
    async with asyncio.timeout(30):
        while not file.raw.closed:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert content(node, 1) == b"a" * WRITE_BYTES + b"the rest"
    open_locked(node, 1).close()


async def test_nothing_follows_a_write_that_failed(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def half(fd: int, data: memoryview) -> int:
        if len(data) < WRITE_BYTES:
            raise OSError(5, "broken")
        return write(fd, data[: WRITE_BYTES // 2])

    with open_locked(node, 1) as file:
        monkeypatch.setattr(partial_files.os, "write", half)
        with pytest.raises(OSError, match="broken"):
            await file.write(b"a" * WRITE_BYTES)
        monkeypatch.setattr(partial_files.os, "write", write)
        file._buffer += b"the rest"

    assert content(node, 1) == b"a" * (WRITE_BYTES // 2)


async def test_a_file_that_is_deleted_before_it_is_locked_is_made_anew(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = node.storage.path(partial_files.storage_key(1))
    assert path is not None
    flock, deleted = partial_files.fcntl.flock, []

    def delete_first(fd: int, how: int) -> None:
        if not deleted:
            deleted.append(path.unlink())
        flock(fd, how)

    monkeypatch.setattr(partial_files.fcntl, "flock", delete_first)

    with open_locked(node, 1) as file:
        await file.write(b"new")

    assert content(node, 1) == b"new"


async def test_only_files_of_uploads_are_listed_and_not_before_their_time(
    node: Node, clock: Callable[[int], None]
) -> None:
    assert partial_files.ids_on_disk(node, older_than=0) == []
    for id_ in (12, 7):
        open_locked(node, id_).close()
    path = node.storage.path(partial_files.storage_key(7))
    assert path is not None
    (path.parent / "notes.txt").write_text("of an admin")

    assert partial_files.ids_on_disk(node, older_than=0) == [7, 12]
    assert partial_files.ids_on_disk(node, older_than=3600) == []


async def test_a_file_without_a_name_can_be_written_and_read(node: Node) -> None:
    with PartialFile(node.storage.temporary_file()) as file:
        await file.write(b"x" * (WRITE_BYTES + 5))
        await file.flush()
        assert len(await file.read_at(0)) == WRITE_BYTES
        assert await file.read_at(WRITE_BYTES) == b"xxxxx"
        assert await file.read_at(WRITE_BYTES + 5) == b""
