"""Receiving an upload in pieces: how far it is, the next piece of it, and the photo that it becomes.

Each of these has the file of the upload to itself, under a lock (see `partial_files`). Two pieces of one upload at the
same time are refused. Whoever asks how far it is has lost the connection on which the last piece came: if this
process still waits for the rest of that, it stops, so that the answer holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import hmac
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from node.attachments import photo_rows, photos
from node.attachments.disk_space import DiskSpace
from node.attachments.file_sweep import GRACE_SECONDS
from node.attachments.photo_rows import Photo
from node.errors import N_, Conflict, DiskFull, Invalid, NotFound, Refused
from node.models.account import Account
from node.node import Node
from node.uploads import partial_files, uploads
from node.uploads.partial_files import PartialFile, UploadLocked
from node.uploads.uploads import PartialUpload

log = logging.getLogger("tintype.photos")

CHECKSUMS = ("sha1", "sha256", "md5")
LOCK_SECONDS, LOCK_PAUSE = 10.0, 0.05
"""How long the question how far an upload is waits for the piece that is just being written."""


class WrongOffset(Conflict):
    """A piece that does not begin where the last one ended; `offset` is where that is."""

    def __init__(self, offset: int) -> None:
        super().__init__(N_("This piece does not follow the last one."), detail=f"the offset is {offset}")
        self.offset = offset


class PieceTooLong(Refused):
    """A piece goes on behind the end of its upload."""

    status = 413

    def __init__(self) -> None:
        super().__init__(N_("More was sent than the upload was said to have."))


class ChecksumMismatch(Refused):
    """A piece arrived with other bytes than its checksum says."""

    status = 460

    def __init__(self) -> None:
        super().__init__(N_("A part of the photo arrived damaged. Please send it again."))


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a piece must have as its hash. `algorithm` is one of CHECKSUMS."""

    algorithm: str
    digest: bytes


class ReceivedNow:
    """The uploads of which one process is receiving a piece just now, with what ends each."""

    def __init__(self, node: Node) -> None:
        self._ends: dict[int, Callable[[], None]] = {}

    @contextlib.contextmanager
    def listed(self, upload_id: int, end: Callable[[], None] | None) -> Iterator[None]:
        if end is not None:
            self._ends[upload_id] = end
        try:
            yield
        finally:
            self._ends.pop(upload_id, None)

    def end(self, upload_id: int) -> None:
        """Stops receiving the piece of an upload, if there is one."""
        if (end := self._ends.get(upload_id)) is not None:
            end()


async def find_offset(node: Node, account: Account, upload_id: int) -> tuple[PartialUpload, int]:
    """Returns an upload and how many of its bytes are on the disk. Stops waiting for the rest of a piece.

    Raises NotFound; UploadLocked where another process has it.
    """
    upload = await node.db.read(uploads.by_id, account, upload_id)
    if upload.photo_id is not None:
        return upload, upload.length
    node.component(ReceivedNow).end(upload_id)
    async with _locked(node, account, upload_id, LOCK_SECONDS) as (upload, file):
        return upload, upload.length if upload.photo_id is not None else file.size


async def append(
    node: Node,
    account: Account,
    upload_id: int,
    offset: int,
    pieces: AsyncIterable[bytes],
    *,
    size: int | None = None,
    checksum: Checksum | None = None,
    end: Callable[[], None] | None = None,
) -> tuple[PartialUpload, int]:
    """Adds what arrives to an upload, from `offset` on; returns the upload and its new offset.

    What arrived stays when the rest does not, unless there is a checksum, which is of the whole. `size` is how many bytes
    are announced, and `end` stops them. Raises NotFound, WrongOffset, UploadLocked, PieceTooLong, ChecksumMismatch, DiskFull.
    """
    async with _locked(node, account, upload_id) as (upload, file):
        at = file.size if upload.photo_id is None else upload.length
        if offset != at:
            raise WrongOffset(at)
        if size is not None and size > upload.length - at:
            raise PieceTooLong
        with node.component(ReceivedNow).listed(upload_id, end):
            try:
                await _receive(node, file, pieces, upload.length - at, checksum)
            except DiskFull as full:
                node.component(DiskSpace).report(OSError(full.detail))
                raise
        at = file.size if upload.photo_id is None else upload.length
    return await node.db.write(uploads.postpone_end, account, upload_id), at


async def _receive(
    node: Node, file: PartialFile, pieces: AsyncIterable[bytes], room: int, checksum: Checksum | None
) -> None:
    if checksum is None:
        await _write_up_to(file, pieces, room)
        return
    hashed = hashlib.new(checksum.algorithm, usedforsecurity=False)

    async def hash_pieces() -> AsyncIterator[bytes]:
        async for piece in pieces:
            hashed.update(piece)
            yield piece

    # Only what was found right is ever at the end of the file, however its process ends.
    with PartialFile(node.storage.temporary_file()) as aside:
        await _write_up_to(aside, hash_pieces(), room)
        if not hmac.compare_digest(hashed.digest(), checksum.digest):
            raise ChecksumMismatch
        position = 0
        while data := await aside.read_at(position):
            position += len(data)
            await file.write(data)
        await file.flush()


async def _write_up_to(file: PartialFile, pieces: AsyncIterable[bytes], room: int) -> None:
    async for piece in pieces:
        await file.write(piece[:room])
        if len(piece) > room:
            await file.flush()
            raise PieceTooLong
        room -= len(piece)
    await file.flush()


async def become_photo(node: Node, account: Account, upload_id: int, *, alt: str = "") -> Photo:
    """Makes a photo of an upload that has arrived, as `photos.upload` does; a second time it is the same photo.

    One that is no picture is deleted. Raises what `photos.upload` raises, NotFound, UploadLocked, and Conflict for an
    upload that is not complete.
    """
    upload = await node.db.read(uploads.by_id, account, upload_id)
    if upload.photo_id is not None:
        return await node.db.read(photo_rows.owned_by, account, upload.photo_id)
    async with _locked(node, account, upload_id, LOCK_SECONDS) as (upload, file):
        if upload.photo_id is not None:
            return await node.db.read(photo_rows.owned_by, account, upload.photo_id)
        if file.size != upload.length:
            raise Conflict(N_("This photo has not arrived completely. Please send the rest."))
        recorded = functools.partial(uploads.record_photo, upload_id=upload_id)
        try:
            return await photos.upload(node, account, file.raw, alt=alt, and_then=recorded)
        except Invalid as invalid:
            if invalid.field == "photo":
                await node.db.write(uploads.delete, account, upload_id)
            raise


async def cancel(node: Node, account: Account, upload_id: int) -> None:
    """Deletes an upload, and stops receiving it. Raises NotFound."""
    await node.db.write(uploads.delete, account, upload_id)
    node.component(ReceivedNow).end(upload_id)


@contextlib.asynccontextmanager
async def _locked(
    node: Node, account: Account, upload_id: int, seconds: float = 0
) -> AsyncIterator[tuple[PartialUpload, PartialFile]]:
    """Locks the file of an upload; waits for so many seconds where another request has it.

    Raises NotFound, UploadLocked.
    """
    await node.db.read(uploads.by_id, account, upload_id)  # so that there is no file for what is no upload
    now = asyncio.get_running_loop().time
    until = now() + seconds
    while True:
        try:
            file = partial_files.open_locked(node, upload_id)
            break
        except UploadLocked:
            if now() >= until:
                raise
        await asyncio.sleep(LOCK_PAUSE)
    with file:
        try:
            # Again, since it may have ended or become a photo before it was locked.
            upload = await node.db.read(uploads.by_id, account, upload_id)
        except NotFound:
            await node.storage.delete(partial_files.storage_key(upload_id))
            raise
        if upload.photo_id is not None:
            await node.storage.delete(partial_files.storage_key(upload_id))
        yield upload, file


async def delete_unknown_files(node: Node) -> int:
    """Deletes the files of uploads that no row names, a day after they were written; returns how many.

    A row is there before its file. So these are left of a process that was killed while it deleted one.
    """
    ids = await asyncio.to_thread(partial_files.ids_on_disk, node, older_than=GRACE_SECONDS)
    deleted = 0
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        known = await node.db.read(uploads.known, some)
        for id_ in some:
            if id_ not in known:
                await node.storage.delete(partial_files.storage_key(id_))
                deleted += 1
    if deleted:
        log.warning("%d files of uploads had no upload any more, and were deleted", deleted)
    return deleted
