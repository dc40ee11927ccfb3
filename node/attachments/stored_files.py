"""Stored files: what the sandbox rendered, stored under keys made of its bytes, and deleted when unneeded.

The same picture uploaded twice is one file, so a deletion asks the tables first. `photos`, `avatars` and
`custom_emoji` write the rows, after the file they name is stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from media.images import EXTENSIONS, MAX_BYTES, BadImage, Picture, RenderedFile, Variant
from media.render_queue import Source, SourceMustWait
from media.sandbox import NO_EDIT, EditRequest
from media.storage import content_key
from media.workers import SandboxUnavailable
from node.attachments.disk_space import DiskSpace
from node.database import Reader, Writer
from node.errors import DiskFull, Invalid, Overloaded, TooManyRequests, is_disk_full
from node.jobs import queue
from node.jobs.queue import Job
from node.models.account import Account
from node.node import Node

log = logging.getLogger("tintype.photos")

UploadedFile = bytes | IO[bytes]
"""An uploaded file: its bytes, or a file that is read when they are needed."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One stored file: `key` is its storage key, `width` and `height` are pixels."""

    key: str
    width: int
    height: int
    bytes: int


StoredFiles = Mapping[tuple[str, str], StoredFile]


async def render_upload(
    node: Node,
    account: Account,
    file: UploadedFile,
    variants: tuple[Variant, ...],
    *,
    field: str,
    edit: EditRequest = NO_EDIT,
) -> Picture:
    """Renders a picture that an account uploads. It waits for others of this account, not for those of other people.

    Raises Invalid for a file that is no picture; TooManyRequests where the account's pictures took too long; DiskFull;
    Overloaded where this machine is too busy.
    """
    node.component(DiskSpace).check()
    try:
        return await node.sandbox.render(file, variants, uploads_of_account(account.id), edit)
    except BadImage as error:
        raise Invalid(error.message, field=field, detail=error.detail) from error
    except SourceMustWait as wait:
        raise TooManyRequests(
            "Your pictures took too much of the server's time. Please try again in a moment.",
            retry_after=max(1, int(wait.seconds)),
            detail=str(wait),
        ) from wait
    except SandboxUnavailable as busy:
        raise Overloaded("This server is busy. Please try again in a moment.", detail=str(busy)) from busy


def uploads_of_account(account_id: int) -> Source:
    """Returns the source of what an account uploads."""
    return Source(f"account {account_id}", is_local=True)


async def read_file(file: UploadedFile) -> bytes:
    """Returns the bytes of an uploaded file, up to those that a picture may have."""
    if isinstance(file, bytes):
        return file
    file.seek(0)
    return await asyncio.to_thread(file.read, MAX_BYTES + 1)


def file_size(file: UploadedFile) -> int:
    """Returns the size of an uploaded file in bytes."""
    return len(file) if isinstance(file, bytes) else file.seek(0, 2)


async def store(
    node: Node, rendered: Sequence[RenderedFile], *, folder: str = ""
) -> dict[tuple[str, str], StoredFile]:
    """Stores rendered files; returns what the tables hold of each, by (variant, format).

    Those of other servers go to a `folder` of their own, and so never share a file with a local account's. Raises
    DiskFull; then none of them stays.
    """
    secret = node.site.subkey("files")
    stored = {}
    async with discarded_on_failure(node) as attempt:
        for file in rendered:
            key = folder + content_key(secret, file.data, EXTENSIONS[file.mime])
            await attempt.put(key, file.data, file.mime)
            stored[file.variant, file.format] = StoredFile(key, file.width, file.height, len(file.data))
    return stored


@dataclass(slots=True)
class StoreAttempt:
    """Files that are being stored, and are named by no row yet."""

    node: Node
    keys: list[str] = field(default_factory=list)

    async def put(self, key: str, data: bytes, mime: str) -> None:
        self.keys.append(key)
        await self.node.storage.put(key, data, mime)


@contextlib.asynccontextmanager
async def discarded_on_failure(node: Node, *keys: str) -> AsyncIterator[StoreAttempt]:
    """Deletes the files stored within, and those of `keys`, if an error ends it: no row will name them.

    A full disk becomes DiskFull.
    """
    attempt = StoreAttempt(node, list(keys))
    try:
        yield attempt
    except BaseException as error:
        # Another upload of the same picture may have a row that names them.
        discarding = asyncio.ensure_future(_discard(node, attempt.keys))
        await asyncio.shield(discarding)
        if isinstance(error, OSError) and is_disk_full(error):
            node.component(DiskSpace).report(error)
            raise DiskFull from error
        raise


async def _discard(node: Node, keys: Sequence[str]) -> None:
    try:
        await _delete_unreferenced(node, keys)
    except Exception:
        log.exception("%d files of a failed upload stay until they are swept", len(keys))


async def restore_missing(node: Node, stored: StoredFiles, rendered: Sequence[RenderedFile]) -> None:
    """Stores again what a deletion of the same bytes took away before the new rows named them."""
    for file in rendered:
        key = stored[file.variant, file.format].key
        path = node.storage.path(key)
        if path is not None and not path.exists():
            await node.storage.put(key, file.data, file.mime)


def queue_deletion(tx: Writer, keys: Iterable[str]) -> None:
    """Queues the deletion of files, once the rows that named them are gone. Empty keys are ignored."""
    if unique := sorted({key for key in keys if key}):
        queue.add(tx, "delete_files", {"keys": unique})


async def delete_files(node: Node, job: Job) -> None:
    """Job `delete_files`: deletes the files that no row of a photo, avatar or emoji names any more."""
    await _delete_unreferenced(node, job.payload["keys"])


async def _delete_unreferenced(node: Node, keys: Sequence[str]) -> None:
    names = await node.db.read(referenced, keys)
    for key in keys:
        if key not in names:
            await node.storage.delete(key)


def referenced(tx: Reader, keys: Sequence[str]) -> set[str]:
    """Returns those of the keys that a row of a photo, avatar or emoji names."""
    rows = tx.all(
        """SELECT file FROM photo_files WHERE file IN (:keys)
           UNION SELECT original_file FROM photos WHERE original_file IN (:keys) AND original_file <> ''
           UNION SELECT file FROM avatar_files WHERE file IN (:keys)
           UNION SELECT file FROM emoji WHERE file IN (:keys) AND file <> ''""",
        keys=keys,
    )
    return {row["file"] for row in rows}
