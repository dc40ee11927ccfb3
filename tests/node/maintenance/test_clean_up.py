"""The daily clean-up: one failure keeps no table from its turn, and it queues itself again."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from node.attachments import photo_rows, photos
from node.database import Writer
from node.federation import tombstones
from node.ids import now_ms
from node.jobs import queue
from node.maintenance import clean_up
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import saved_drafts
from web import wiring


async def test_a_table_that_cannot_be_cleaned_does_not_stop_the_others(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(tx: Writer, now: int) -> int:
        raise ValueError("this row is odd")

    monkeypatch.setattr(clean_up, "BATCHES", (fail, tombstones.clean_up))
    await node.db.write(
        lambda tx: tx.run("INSERT INTO tombstones (uri, created_at) VALUES ('https://far.example/1', 1)")
    )

    await clean_up.delete_outdated(node.db, now_ms(), keep_remote_posts_days=0)

    assert await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM tombstones")) == 0
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "fail" in record.getMessage()


async def test_it_runs_once_a_day(node: Node) -> None:
    await node.db.write(queue.add_once, "clean_up", {})

    await wiring.run_due_jobs(node, now_ms() + clean_up.DAY_MS)

    [run_at] = await node.db.read(
        lambda tx: [row["run_at"] for row in tx.all("SELECT run_at FROM jobs WHERE kind = 'clean_up'")]
    )
    assert run_at > now_ms() + clean_up.DAY_MS / 2


async def test_originals_of_photos_in_drafts_go_unless_originals_are_kept(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    await node.db.write(saved_drafts.save, alice, Draft(photo_ids=[uploaded.id]))
    later = now_ms() + 8 * clean_up.DAY_MS
    has_original = []
    for keep in (True, False):
        await clean_up.delete_outdated(node.db, later, keep_remote_posts_days=0, keep_originals=keep)
        found = await node.db.read(photo_rows.by_ids, [uploaded.id])
        has_original.append(bool(found[uploaded.id].original_file))

    assert has_original == [True, False]
