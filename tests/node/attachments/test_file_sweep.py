"""The sweep deletes stored files that no table names, once they are old, and nothing else."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from media.storage import content_key
from node.attachments import avatars, file_sweep, photos
from node.config import Config
from node.database import Writer
from node.ids import now_ms
from node.jobs import queue
from node.maintenance import clean_up
from node.models.account import Account
from node.node import Node

OLD = time.time() - 2 * file_sweep.GRACE_SECONDS


@pytest.fixture
def folder(options: Config) -> Path:
    return Path(options.media.url.removeprefix("file:"))


def make_old(folder: Path) -> None:
    for file in folder.rglob("*.*"):
        os.utime(file, (OLD, OLD))


async def run_batch(node: Node) -> int:
    """Runs the next job of a sweep, and none of another kind."""
    jobs = await node.db.write(queue.claim, "sweep_files", 1, now_ms() + 10_000)
    for job in jobs:
        await file_sweep.sweep(node, job)
    return len(jobs)


async def sweep(node: Node) -> None:
    await node.db.write(file_sweep.start)
    while await run_batch(node):
        pass


async def put_orphan(node: Node, number: int, prefix: str = "") -> str:
    key = prefix + content_key(b"secret", b"%d" % number, "jpg")
    await node.storage.put(key, b"%d" % number, "image/jpeg")
    return key


async def test_an_old_file_that_no_table_names_is_deleted(node: Node, folder: Path) -> None:
    keys = [await put_orphan(node, number, prefix) for number in range(5) for prefix in ("", "cache/")]
    make_old(folder)

    await sweep(node)

    assert not [key for key in keys if (folder / key).exists()]


async def test_a_young_file_stays_since_its_row_may_still_come(node: Node, folder: Path) -> None:
    key = await put_orphan(node, 1)

    await sweep(node)

    assert (folder / key).exists()


async def test_a_file_stored_while_the_clock_was_far_ahead_is_no_young_one(node: Node, folder: Path) -> None:
    key = await put_orphan(node, 1)
    ahead = time.time() + 365 * 86_400
    os.utime(folder / key, (ahead, ahead))

    await sweep(node)

    assert not (folder / key).exists()


async def test_a_file_that_is_put_again_is_young(node: Node, folder: Path) -> None:
    key = await put_orphan(node, 1)
    make_old(folder)
    await put_orphan(node, 1)

    await sweep(node)

    assert (folder / key).exists()


async def test_every_file_that_a_table_names_stays(
    node: Node, alice: Account, folder: Path, photo: Callable[..., bytes]
) -> None:
    await photos.upload(node, alice, photo(900, 600))
    await avatars.upload(node, alice, photo(200, 200))
    await avatars.upload(node, alice, photo(300, 200), kind=avatars.HEADER)
    files = {file: file.stat().st_size for file in folder.rglob("*.*")}
    make_old(folder)

    await sweep(node)

    assert {file: file.stat().st_size for file in folder.rglob("*.*") if file in files} == files
    assert len(files) >= 8


async def test_what_else_an_admin_keeps_in_the_folder_stays(node: Node, folder: Path) -> None:
    others = ["tintype.db", "ab/cd/notes.txt", "backup/ab/cd/" + "a" * 48 + ".jpg", "ab/" + "a" * 48 + ".jpg"]
    for other in others:
        (folder / other).parent.mkdir(parents=True, exist_ok=True)
        (folder / other).write_text("mine")
    make_old(folder)

    await sweep(node)

    assert [other for other in others if (folder / other).exists()] == others


async def test_many_files_are_looked_at_in_jobs_of_a_limited_size(
    node: Node, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_sweep, "BATCH_SIZE", 7)
    keys = [await put_orphan(node, number, "cache/" if number % 3 else "") for number in range(40)]
    make_old(folder)
    await node.db.write(file_sweep.start)

    left = []
    while await run_batch(node):
        left.append(sum((folder / key).exists() for key in keys))

    assert left == [33, 26, 19, 12, 5, 0]


async def test_every_key_is_listed_once_and_in_order(node: Node) -> None:
    keys = {await put_orphan(node, number, "cache/" if number % 2 else "") for number in range(60)}

    listed, after = [], ""
    while found := await node.storage.keys_after(after, 9):
        listed += [key for key, _ in found]
        after = listed[-1]

    assert len(listed) == 60
    assert set(listed) == keys


async def test_an_upload_of_the_same_picture_during_a_sweep_keeps_its_files(
    node: Node, alice: Account, folder: Path, photo: Callable[..., bytes]
) -> None:
    data = photo(400, 300)
    for _ in range(4):
        made = await photos.upload(node, alice, data)
        await node.db.write(photos.delete_unattached, alice, made.id)
        await node.db.write(_forget_deletions)
        make_old(folder)

        again, _ = await asyncio.gather(photos.upload(node, alice, data), sweep(node))

        assert all((folder / file.key).exists() for file in again.files.values())
        await node.db.write(photos.delete_unattached, alice, again.id)


def _forget_deletions(tx: Writer) -> None:
    tx.run("DELETE FROM jobs WHERE kind IN ('delete_files', 'render_photo')")


@pytest.mark.parametrize("is_needed", [True, False])
async def test_a_file_has_no_name_while_it_is_asked_whether_it_is_needed(
    node: Node, folder: Path, is_needed: bool
) -> None:
    key = await put_orphan(node, 1)
    seen = []

    async def ask() -> bool:
        seen.append((folder / key).exists())
        return is_needed

    assert await node.storage.delete_unless(key, ask) is not is_needed
    assert seen == [False]
    assert (folder / key).exists() is is_needed


async def test_the_daily_clean_up_starts_a_sweep(node: Node, folder: Path) -> None:
    key = await put_orphan(node, 1)
    make_old(folder)

    [job] = await node.db.write(queue.claim, "clean_up", 1, now_ms() + clean_up.DAY_MS)
    await clean_up.clean_up(node, job)

    assert await run_batch(node) == 1
    assert not (folder / key).exists()
