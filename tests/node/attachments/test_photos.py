"""Photos: from the upload to every variant, attached to posts, and deleted without a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from media.images import VARIANTS
from node.attachments import photo_rows, photos, stored_files
from node.attachments.photo_rows import Photo
from node.database import Writer
from node.errors import Invalid, NotFound, TooManyRequests
from node.ids import now_ms
from node.jobs import queue
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from tests.support.people import remote
from tests.support.posting import picture, publish, receive_post

JOBS = {"render_photo": photos.render_deferred_variants, "delete_files": stored_files.delete_files}


async def run_jobs(node: Node) -> None:
    """Run the jobs of photos to the end."""
    while True:
        jobs = [job for kind in JOBS for job in await node.db.write(queue.claim, kind, 100, now_ms())]
        if not jobs:
            return
        for job in jobs:
            await JOBS[job.kind](node, job)
            await node.db.write(queue.finish, job)


def stored(node: Node) -> set[str]:
    """The keys of all stored files."""
    folder = Path(node.config.media.url.removeprefix("file:"))
    return {str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.is_file()}


async def current(node: Node, photo_id: int) -> Photo:
    return (await node.db.read(photo_rows.by_ids, [photo_id]))[photo_id]


async def test_an_upload_gets_every_variant_and_its_original_is_deleted(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo(1200, 900), alt="  a lake\x00 ")

    assert (uploaded.width, uploaded.height, uploaded.alt, uploaded.mime) == (
        1200,
        900,
        "a lake",
        "image/jpeg",
    )
    assert set(uploaded.files) == {
        (variant.name, variant.format) for variant in VARIANTS if not variant.is_deferred
    }
    assert uploaded.original_file in stored(node)

    await run_jobs(node)

    kept = await current(node, uploaded.id)
    assert set(kept.files) == {(variant.name, variant.format) for variant in VARIANTS}
    assert kept.original_file == ""
    assert stored(node) == {file.key for file in kept.files.values()}


async def test_the_admin_may_keep_originals(node: Node, alice: Account, photo: Callable[..., bytes]) -> None:
    node.config = replace(node.config, media=replace(node.config.media, keep_originals=True))
    data = photo()
    uploaded = await photos.upload(node, alice, data)
    await run_jobs(node)

    kept = await current(node, uploaded.id)
    assert await node.storage.get(kept.original_file) == data
    await node.db.write(photos.delete_unattached, alice, uploaded.id)
    await run_jobs(node)
    assert stored(node) == set()


async def test_a_file_that_is_no_picture_is_refused_with_the_reason(node: Node, alice: Account) -> None:
    for data in (b"", b"hello", b"<svg/>", b"\xff\xd8\xff" + b"x" * 500):
        with pytest.raises(Invalid, match="accepted"):
            await photos.upload(node, alice, data)
    node.config = replace(node.config, media=replace(node.config.media, max_upload_mb=1))
    with pytest.raises(Invalid, match="1 MB"):
        await photos.upload(node, alice, b"\xff\xd8\xff" + b"x" * 1_100_000)
    assert stored(node) == set()
    assert await node.db.read(lambda tx: tx.all("SELECT id FROM photos")) == []


async def test_equal_pictures_are_stored_once_and_deleted_with_the_last(
    node: Node, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    data = photo()
    one, two = await photos.upload(node, alice, data), await photos.upload(node, bob, data)
    await run_jobs(node)
    keys = stored(node)
    assert len(keys) == len({file.key for file in (await current(node, one.id)).files.values()})

    await node.db.write(photos.delete_unattached, alice, one.id)
    await run_jobs(node)
    assert stored(node) == keys

    await node.db.write(photos.delete_unattached, bob, two.id)
    await run_jobs(node)
    assert stored(node) == set()


async def test_a_photo_deleted_before_its_deferred_variants_leaves_nothing(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    post = await node.db.write(publishing.publish, alice, Draft(photo_ids=[uploaded.id]))
    await node.db.write(post_deletion.delete, alice, post)
    await run_jobs(node)
    assert stored(node) == set()


async def test_only_its_owner_describes_or_deletes_an_unattached_photo(
    node: Node, alice: Account, mallory: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())

    def unit(tx: Writer) -> None:
        with pytest.raises(NotFound):
            photos.set_alt_and_focus(tx, mallory, uploaded.id, "mine")
        photos.delete_unattached(tx, mallory, uploaded.id)
        changed = photos.set_alt_and_focus(tx, alice, uploaded.id, "a lake", (3.0, -0.5))
        assert (changed.alt, changed.focus_x, changed.focus_y) == ("a lake", 1.0, -0.5)
        [kept] = tx.all(
            "SELECT alt FROM photos WHERE account_id = :account AND post_id IS NULL", account=alice.id
        )
        assert kept["alt"] == "a lake"
        post = publish(tx, alice, photo_ids=[uploaded.id])
        with pytest.raises(NotFound):
            photos.set_alt_and_focus(tx, alice, uploaded.id, "x")
        photos.delete_unattached(tx, alice, uploaded.id)
        assert len(photo_rows.by_posts(tx, [post.id])[post.id]) == 1

    await node.db.write(unit)


async def test_photos_unattached_for_a_day_are_deleted(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    await run_jobs(node)
    await node.db.write(photos.clean_up, now_ms())
    assert (await current(node, uploaded.id)).id == uploaded.id
    await node.db.write(photos.clean_up, now_ms() + photos.UNATTACHED_RETENTION_MS + 1)
    await run_jobs(node)
    assert stored(node) == set()


async def test_an_account_has_a_bounded_number_of_unattached_photos(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    def unit(tx: Writer) -> None:
        for number in range(photos.MAX_UNATTACHED):
            tx.run(
                "INSERT INTO photos (id, account_id, mime, created_at) VALUES (:id, :account, 'image/jpeg', 1)",
                id=number + 1,
                account=alice.id,
            )

    await node.db.write(unit)
    with pytest.raises(TooManyRequests):
        await photos.upload(node, alice, photo())


async def test_without_its_original_a_photo_lacks_only_deferred_variants(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    await node.storage.delete(uploaded.original_file)
    await run_jobs(node)
    kept = await current(node, uploaded.id)
    assert (kept.original_file, set(kept.files)) == ("", set(uploaded.files))


async def test_a_photo_of_another_account_or_post_cannot_be_attached(
    node: Node, alice: Account, mallory: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())

    def unit(tx: Writer) -> None:
        with pytest.raises(Invalid):
            publish(tx, mallory, photo_ids=[uploaded.id])
        publish(tx, alice, photo_ids=[uploaded.id])
        with pytest.raises(Invalid):
            publish(tx, alice, photo_ids=[uploaded.id])

    await node.db.write(unit)


async def test_an_update_of_a_remote_post_keeps_the_photos_it_still_has(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post = receive_post(tx, rita, photos=[picture("a"), picture("b")])
        first, second = photo_rows.by_posts(tx, [post.id])[post.id]

        photos.attach_remote(tx, rita.id, post.id, [replace(picture("b"), alt="B"), picture("c")])

        kept, added = photo_rows.by_posts(tx, [post.id])[post.id]
        assert (kept.id, kept.alt, kept.position) == (second.id, "B", 0)
        assert added.remote_url.endswith("/c.jpg")
        assert photo_rows.by_ids(tx, [first.id]) == {}

    await node.db.write(unit)


async def test_declared_dimensions_of_a_remote_photo_stay(node: Node) -> None:
    def unit(tx: Writer) -> None:
        declared = picture("a", width=80, height=60)
        post = receive_post(tx, remote(tx), photos=[declared])
        [photo] = photo_rows.by_posts(tx, [post.id])[post.id]

        photos.complete_remote_metadata(tx, photo.id, 900, 600, "LEHV6nWB2yk8pyo0adR*.7kCMdnj")

        [completed] = photo_rows.by_posts(tx, [post.id])[post.id]
        assert (completed.width, completed.height) == (80, 60)
        assert completed.blurhash == "LEHV6nWB2yk8pyo0adR*.7kCMdnj"

    await node.db.write(unit)
