"""Photos: from the upload to every size, and away again without a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from media.images import VARIANTS
from node.attachments import photo_rows, photos, stored_files
from node.attachments.photo_rows import Photo
from node.database import Writer
from node.errors import Invalid, NotFound, TooMuch
from node.ids import now_ms
from node.jobs import queue
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from tests.support.posting import publish

JOBS = {"render_photo": photos.render_later, "delete_files": stored_files.delete_files}


async def work(node: Node) -> None:
    """Do the jobs that concern photos, to the end."""
    while True:
        found = [job for kind in JOBS for job in await node.db.write(queue.claim, kind, 100, now_ms())]
        if not found:
            return
        for job in found:
            await JOBS[job.kind](node, job)
            await node.db.write(queue.finish, job)


def stored(node: Node) -> set[str]:
    """The keys of all files in the store."""
    folder = Path(node.config.media.url.removeprefix("file:"))
    return {str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.is_file()}


async def now(node: Node, photo_id: int) -> Photo:
    return (await node.db.read(photo_rows.by_ids, [photo_id]))[photo_id]


async def test_an_upload_gets_every_size_and_its_original_is_forgotten(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo(1200, 900), alt="  a lake\x00 ")

    assert (uploaded.width, uploaded.height, uploaded.alt, uploaded.mime) == (
        1200,
        900,
        "a lake",
        "image/jpeg",
    )
    assert set(uploaded.files) == {(v.name, v.format) for v in VARIANTS if not v.later}
    assert uploaded.original_file in stored(node)

    await work(node)

    kept = await now(node, uploaded.id)
    assert set(kept.files) == {(v.name, v.format) for v in VARIANTS}
    assert kept.original_file == ""
    assert stored(node) == {file.file for file in kept.files.values()}


async def test_the_admin_may_keep_originals(node: Node, alice: Account, photo: Callable[..., bytes]) -> None:
    node.config = replace(node.config, media=replace(node.config.media, keep_originals=True))
    data = photo()
    uploaded = await photos.upload(node, alice, data)
    await work(node)

    kept = await now(node, uploaded.id)
    assert await node.storage.get(kept.original_file) == data
    await node.db.write(photos.discard, alice, uploaded.id)
    await work(node)
    assert stored(node) == set()


async def test_a_file_that_is_no_photo_is_refused_with_a_sentence(node: Node, alice: Account) -> None:
    for data in (b"", b"hello", b"<svg/>", b"\xff\xd8\xff" + b"x" * 500):
        with pytest.raises(Invalid, match="accepted"):
            await photos.upload(node, alice, data)
    node.config = replace(node.config, media=replace(node.config.media, max_upload_mb=1))
    with pytest.raises(Invalid, match="1 MB"):
        await photos.upload(node, alice, b"\xff\xd8\xff" + b"x" * 1_100_000)
    assert stored(node) == set()
    assert await node.db.read(lambda tx: tx.all("SELECT id FROM photos")) == []


async def test_the_same_picture_posted_twice_is_stored_once_and_deleted_with_the_last(
    node: Node, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    data = photo()
    one, two = await photos.upload(node, alice, data), await photos.upload(node, bob, data)
    await work(node)
    whole = stored(node)
    assert len(whole) == len({file.file for file in (await now(node, one.id)).files.values()})

    await node.db.write(photos.discard, alice, one.id)
    await work(node)
    assert stored(node) == whole

    await node.db.write(photos.discard, bob, two.id)
    await work(node)
    assert stored(node) == set()


async def test_a_file_deleted_while_its_twin_was_uploaded_is_put_back(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    picture = await node.sandbox.render(photo(), photos.NOW)
    kept = await stored_files.store(node, picture.files)
    for file in kept.values():
        await node.storage.delete(file.file)

    await stored_files.restore_lost(node, kept, picture.files)

    assert stored(node) == {file.file for file in kept.values()}


async def test_a_photo_deleted_before_its_later_sizes_leaves_nothing(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    post = await node.db.write(publishing.publish, alice, Draft(photo_ids=[uploaded.id]))
    await node.db.write(post_deletion.delete, alice, post)
    await work(node)
    assert stored(node) == set()


async def test_a_loose_photo_is_its_owners_to_describe_and_discard(
    node: Node, alice: Account, mallory: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())

    def unit(tx: Writer) -> None:
        with pytest.raises(NotFound):
            photos.set_alt(tx, mallory, uploaded.id, "mine")
        photos.discard(tx, mallory, uploaded.id)
        changed = photos.set_alt(tx, alice, uploaded.id, "a lake", (3.0, -0.5))
        assert (changed.alt, changed.focus_x, changed.focus_y) == ("a lake", 1.0, -0.5)
        [kept] = tx.all("SELECT alt FROM photos WHERE account_id = :who AND post_id IS NULL", who=alice.id)
        assert kept["alt"] == "a lake"
        post = publish(tx, alice, photo_ids=[uploaded.id])
        with pytest.raises(NotFound):
            photos.set_alt(tx, alice, uploaded.id, "x")
        photos.discard(tx, alice, uploaded.id)
        assert len(photo_rows.of_posts(tx, [post.id])[post.id]) == 1

    await node.db.write(unit)


async def test_photos_that_no_post_takes_are_deleted_after_a_day(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    await work(node)
    await node.db.write(photos.clean_up, now_ms())
    assert (await now(node, uploaded.id)).id == uploaded.id
    await node.db.write(photos.clean_up, now_ms() + photos.LOOSE_KEPT_MS + 1)
    await work(node)
    assert stored(node) == set()


async def test_nobody_fills_the_disk_with_photos_in_no_post(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    def unit(tx: Writer) -> None:
        for number in range(photos.MOST_LOOSE):
            tx.run(
                "INSERT INTO photos (id, account_id, mime, created_at) VALUES (:id, :who, 'image/jpeg', 1)",
                id=number + 1,
                who=alice.id,
            )

    await node.db.write(unit)
    with pytest.raises(TooMuch):
        await photos.upload(node, alice, photo())


async def test_an_original_that_is_gone_costs_only_the_later_sizes(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    await node.storage.delete(uploaded.original_file)
    await work(node)
    kept = await now(node, uploaded.id)
    assert (kept.original_file, set(kept.files)) == ("", set(uploaded.files))
