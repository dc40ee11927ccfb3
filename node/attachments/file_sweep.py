"""Deletes stored files that no table names: what an upload left behind whose process was killed before its row.

Once a day job `sweep_files` walks over the media folder, some files at a time. A file younger than a day is left alone,
since its row may still come.
"""

from __future__ import annotations

import functools
import logging
import time

from node.attachments import stored_files
from node.database import Writer
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.node import Node

log = logging.getLogger("tintype.photos")

GRACE_SECONDS = 24 * 3600.0
BATCH_SIZE = 500
PAUSE_MS = 1000


def start(tx: Writer) -> None:
    """Queues a sweep, unless one is under way."""
    queue.add_once(tx, "sweep_files", {"after": ""})


async def sweep(node: Node, job: Job) -> bool:
    """Job `sweep_files`: looks at the next files behind `after`, and queues the rest."""
    found = await node.storage.keys_after(job.payload["after"], BATCH_SIZE)
    # A time far ahead is that of a clock which was wrong.
    old = [key for key, put_at in found if abs(time.time() - put_at) > GRACE_SECONDS]
    names = await node.db.read(stored_files.referenced, old)
    deleted = 0
    for key in old:
        if key not in names:
            deleted += await node.storage.delete_unless(key, functools.partial(_is_needed, node, key))
    if deleted:
        log.warning("%d stored files were named by no photo, avatar or emoji, and were deleted", deleted)
    await node.db.write(_continue, job, found[-1][0] if len(found) == BATCH_SIZE else "")
    return True


async def _is_needed(node: Node, key: str) -> bool:
    return bool(await node.db.read(stored_files.referenced, [key]))


def _continue(tx: Writer, job: Job, after: str) -> None:
    queue.finish(tx, job)
    if after:
        queue.add(tx, "sweep_files", {"after": after}, run_at=now_ms() + PAUSE_MS)
