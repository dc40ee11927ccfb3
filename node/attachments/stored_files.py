"""Stored files: what the sandbox rendered, stored under keys made of its bytes, and deleted when unneeded.

The same picture uploaded twice is one file, so a deletion asks the tables first. `photos`, `avatars` and
`custom_emoji` write the rows, after the file they name is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from media.images import EXTENSIONS, RenderedFile
from media.storage import content_key
from node.database import Reader, Writer
from node.jobs import queue
from node.jobs.queue import Job
from node.node import Node


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One stored file: `key` is its storage key, `width` and `height` are pixels."""

    key: str
    width: int
    height: int
    bytes: int


StoredFiles = Mapping[tuple[str, str], StoredFile]


async def store(
    node: Node, rendered: Sequence[RenderedFile], *, folder: str = ""
) -> dict[tuple[str, str], StoredFile]:
    """Stores rendered files; returns what the tables hold of each, by (variant, format).

    Those of other servers go to a `folder` of their own, and so never share a file with a local account's.
    """
    secret = node.site.subkey("files")
    stored = {}
    for file in rendered:
        key = folder + content_key(secret, file.data, EXTENSIONS[file.mime])
        await node.storage.put(key, file.data, file.mime)
        stored[file.variant, file.format] = StoredFile(key, file.width, file.height, len(file.data))
    return stored


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
    referenced = await node.db.read(_referenced, job.payload["keys"])
    for key in job.payload["keys"]:
        if key not in referenced:
            await node.storage.delete(key)


def _referenced(tx: Reader, keys: Sequence[str]) -> set[str]:
    rows = tx.all(
        """SELECT file FROM photo_files WHERE file IN (:keys)
           UNION SELECT file FROM avatar_files WHERE file IN (:keys)
           UNION SELECT file FROM emoji WHERE file IN (:keys)""",
        keys=keys,
    )
    return {row["file"] for row in rows}
