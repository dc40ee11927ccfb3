"""The rows of uploads: who may have how many, what gives way, and what is deleted when."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from node.attachments import photo_rows, photos
from node.attachments.photo_rows import MAX_UNATTACHED
from node.config import MediaOptions
from node.database import Reader, Writer
from node.errors import NotFound, Overloaded, TooManyRequests
from node.ids import new_id, now_ms
from node.lifecycle import account_deletion
from node.models.account import Account
from node.node import Node
from node.uploads import partial_files, uploads
from node.uploads.uploads import BYTES_PER_MB, IDLE_MS, MAX_UNFINISHED, RETENTION_MS, UploadLimits
from web import wiring

LIMITS = UploadLimits(of_person=100 * BYTES_PER_MB, in_all=200 * BYTES_PER_MB, options=MediaOptions())
MB = BYTES_PER_MB


async def begin(node: Node, who: Account, length: int = MB, limits: UploadLimits = LIMITS) -> int:
    return (await node.db.write(uploads.create, who, length, "", limits)).id


def ids(tx: Reader, who: Account) -> list[int]:
    return [
        row["id"] for row in tx.all("SELECT id FROM uploads WHERE account_id = :id ORDER BY id", id=who.id)
    ]


def make_idle(tx: Writer, ids: list[int]) -> None:
    tx.run("UPDATE uploads SET expires_at = expires_at - :ms WHERE id IN (:ids)", ms=IDLE_MS + 1000, ids=ids)


async def test_an_upload_is_its_owners_alone(node: Node, alice: Account, mallory: Account) -> None:
    upload = await begin(node, alice)

    assert (await node.db.read(uploads.by_id, alice, upload)).length == MB
    for unit in (uploads.by_id, uploads.delete, uploads.postpone_end):
        with pytest.raises(NotFound):
            await node.db.write(unit, mallory, upload)
    assert await node.db.read(ids, alice) == [upload]


async def test_one_person_has_a_limited_number_of_unfinished_uploads(
    node: Node, alice: Account, bob: Account
) -> None:
    for _ in range(MAX_UNFINISHED):
        await begin(node, alice, 10)

    with pytest.raises(TooManyRequests):
        await begin(node, alice, 10)
    await begin(node, bob, 10)


async def test_one_person_has_a_limited_number_of_bytes_under_way(
    node: Node, alice: Account, bob: Account
) -> None:
    first = await begin(node, alice, 60 * MB)

    with pytest.raises(TooManyRequests):
        await begin(node, alice, 41 * MB)
    await begin(node, bob, 41 * MB)
    await begin(node, alice, 40 * MB)
    await node.db.write(uploads.delete, alice, first)
    await begin(node, alice, 41 * MB)


async def test_what_somebody_left_for_an_hour_gives_way_to_their_next_photo(
    node: Node, alice: Account
) -> None:
    left = [await begin(node, alice, 30 * MB) for _ in range(2)]
    recent = await begin(node, alice, 30 * MB)
    await node.db.write(make_idle, left)

    new = await begin(node, alice, 30 * MB)

    assert await node.db.read(ids, alice) == [left[1], recent, new]


async def test_where_all_have_too_much_the_one_with_most_loses_the_oldest(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    loud = [await begin(node, mallory, 45 * MB) for _ in range(2)]
    await begin(node, bob, 60 * MB)

    new = await begin(node, alice, 50 * MB)

    assert await node.db.read(ids, mallory) == [loud[1]]
    assert await node.db.read(ids, alice) == [new]
    assert len(await node.db.read(ids, bob)) == 1


async def test_where_all_have_too_much_the_one_with_most_is_refused(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    for who in (alice, bob):
        await begin(node, who, 60 * MB)
    await begin(node, mallory, 70 * MB)

    with pytest.raises(Overloaded):
        await begin(node, mallory, 20 * MB)

    assert len(await node.db.read(ids, alice)) == len(await node.db.read(ids, bob)) == 1


async def test_the_number_of_small_uploads_is_limited_in_all(
    node: Node, alice: Account, bob: Account
) -> None:
    few = UploadLimits(of_person=MB, in_all=10 * MB, options=MediaOptions())
    for _ in range(5):
        await begin(node, alice, 0, few)
        await begin(node, bob, 0, few)

    with pytest.raises(Overloaded):
        await begin(node, alice, 0, few)


async def test_whoever_may_have_no_more_photos_is_told_before_sending_one(node: Node, alice: Account) -> None:
    def fill(tx: Writer) -> None:
        for _ in range(MAX_UNATTACHED):
            tx.run(
                """INSERT INTO photos (id, account_id, position, alt, mime, width, height, blurhash, focus_x, focus_y,
                       remote_url, original_file, extra, camera, created_at, is_incomplete, recipe)
                   VALUES (:id, :account, 0, '', 'image/jpeg', 1, 1, '', 0, 0, '', '', '{}', '[]', :now, FALSE, '')""",
                id=new_id(),
                account=alice.id,
                now=now_ms(),
            )

    await node.db.write(fill)

    with pytest.raises(TooManyRequests):
        await begin(node, alice)


async def test_an_upload_ends_a_day_after_its_last_piece(
    node: Node, alice: Account, clock: Callable[[int], None], settle: Callable[[], object]
) -> None:
    upload = await begin(node, alice)
    with partial_files.open_locked(node, upload) as file:
        await file.write(b"some of it")
    clock(RETENTION_MS - 60_000)
    await node.db.write(uploads.postpone_end, alice, upload)
    clock(2 * RETENTION_MS - 120_000)
    assert (await node.db.read(uploads.by_id, alice, upload)).id == upload
    assert await node.db.write(uploads.clean_up, now_ms()) == 0

    clock(2 * RETENTION_MS)
    with pytest.raises(NotFound):
        await node.db.read(uploads.by_id, alice, upload)
    with pytest.raises(NotFound):
        await node.db.write(uploads.postpone_end, alice, upload)
    assert await node.db.write(uploads.clean_up, now_ms()) == 1
    await wiring.run_due_jobs(node)
    assert partial_files.ids_on_disk(node, older_than=0) == []


async def test_a_time_of_a_wrong_clock_keeps_no_upload(
    node: Node, alice: Account, clock: Callable[[int], None]
) -> None:
    clock(400 * RETENTION_MS)
    upload = await begin(node, alice)
    clock(0)

    with pytest.raises(NotFound):
        await node.db.read(uploads.by_id, alice, upload)
    assert await node.db.write(uploads.clean_up, now_ms()) == 1


async def test_what_has_ended_makes_room_when_the_next_one_begins(
    node: Node, alice: Account, clock: Callable[[int], None]
) -> None:
    first = await begin(node, alice, 100 * MB)
    clock(RETENTION_MS + 1000)

    second = await begin(node, alice, 100 * MB)

    assert first != second
    assert await node.db.read(ids, alice) == [second]


async def test_the_uploads_of_a_deleted_account_go_with_their_files(node: Node, alice: Account) -> None:
    upload = await begin(node, alice)
    with partial_files.open_locked(node, upload) as file:
        await file.write(b"some of it")

    await node.db.write(account_deletion.delete_account, alice)
    await wiring.run_due_jobs(node)

    assert await node.db.read(ids, alice) == []
    assert partial_files.ids_on_disk(node, older_than=0) == []


async def test_a_photo_takes_the_place_of_its_upload(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    full = UploadLimits(of_person=10 * MB, in_all=20 * MB, options=MediaOptions())
    upload = await begin(node, alice, 10 * MB, full)
    recorded = functools.partial(uploads.record_photo, upload_id=upload)

    made = await photos.upload(node, alice, photo(), and_then=recorded)

    assert (await node.db.read(uploads.by_id, alice, upload)).photo_id == made.id
    await begin(node, alice, 10 * MB, full)  # it no longer counts


async def test_an_upload_that_was_deleted_meanwhile_becomes_no_photo(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    upload = await begin(node, alice)
    await node.db.write(uploads.delete, alice, upload)

    with pytest.raises(NotFound):
        await photos.upload(
            node, alice, photo(), and_then=functools.partial(uploads.record_photo, upload_id=upload)
        )

    def count(tx: Reader) -> int:
        found: int = tx.value("SELECT COUNT(*) FROM photos WHERE account_id = :id", id=alice.id)
        return found

    assert await node.db.read(count) == 0
    assert await node.db.read(photo_rows.by_ids, [upload]) == {}
