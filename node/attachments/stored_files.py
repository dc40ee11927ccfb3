"""Stored files: what the sandbox rendered, kept under names made of its bytes, and let go of when unneeded.

The same picture uploaded twice is one file, so deleting asks the tables first. Rows are written by
`photos`, `avatars` and `emoji`, after the file they name is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from media.images import EXTENSIONS, Rendered
from media.storage import content_key
from node.database import Reader, Writer
from node.jobs import queue
from node.jobs.queue import Job
from node.node import Node


@dataclass(frozen=True, slots=True)
class File:
    """One stored file: `file` is its storage key."""

    file: str
    width: int
    height: int
    bytes: int


Files = Mapping[tuple[str, str], File]


async def store(node: Node, made: Sequence[Rendered], *, folder: str = "") -> dict[tuple[str, str], File]:
    """Keep rendered files; return what the table holds of each, by (variant, format).

    Those of other servers go to a `folder` of their own, and so never share a file with our people's.
    """
    secret = node.site.subkey("files")
    stored = {}
    for one in made:
        key = folder + content_key(secret, one.data, EXTENSIONS[one.mime])
        await node.storage.put(key, one.data, one.mime)
        stored[one.variant, one.format] = File(key, one.width, one.height, len(one.data))
    return stored


async def restore_lost(node: Node, stored: Files, made: Sequence[Rendered]) -> None:
    """Put back what a deletion of the same bytes took away before the new rows could speak for them."""
    for one in made:
        key = stored[one.variant, one.format].file
        path = node.storage.path(key)
        if path is not None and not path.exists():
            await node.storage.put(key, one.data, one.mime)


def discard(tx: Writer, keys: Iterable[str]) -> None:
    """Leave a job to delete files, once the rows that named them are gone."""
    if unique := sorted({key for key in keys if key}):
        queue.add(tx, "delete_files", {"keys": unique})


async def delete_files(node: Node, job: Job) -> None:
    """Job `delete_files`: delete what no photo, avatar or emoji needs any more."""
    needed = await node.db.read(_needed, job.payload["keys"])
    for key in job.payload["keys"]:
        if key not in needed:
            await node.storage.delete(key)


def _needed(tx: Reader, keys: Sequence[str]) -> set[str]:
    rows = tx.all(
        """SELECT file FROM photo_files WHERE file IN (:keys)
           UNION SELECT file FROM avatar_files WHERE file IN (:keys)
           UNION SELECT file FROM emoji WHERE file IN (:keys)""",
        keys=keys,
    )
    return {row["file"] for row in rows}
