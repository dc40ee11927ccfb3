"""Photos: from the upload to every variant, attached to posts, and deleted without a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from media.images import VARIANTS, Picture
from node.attachments import deferred_variants, photo_rows, photos, stored_files
from node.attachments.photo_rows import Photo
from node.database import Writer
from node.errors import Invalid, NotFound, TooManyRequests
from node.ids import now_ms
from node.jobs import queue
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing, saved_drafts
from tests.media import samples
from tests.support.people import remote
from tests.support.posting import picture, publish, receive_post

DELETE_KEEPING_PHOTOS = partial(post_deletion.delete, keeps_photos=True)


def _take_photos_out(tx: Writer, author: Account, post: Post) -> None:
    publishing.edit(tx, author, post, Draft(caption="No photo"))


EACH_WAY_OUT = pytest.mark.parametrize(
    "take_out", [DELETE_KEEPING_PHOTOS, _take_photos_out], ids=["deleted", "edited"]
)
JOBS = {"render_photo": deferred_variants.render_deferred_variants, "delete_files": stored_files.delete_files}


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


async def test_an_upload_gets_every_variant_and_its_original_is_deleted_once_it_is_posted(
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

    made = await current(node, uploaded.id)
    assert set(made.files) == {(variant.name, variant.format) for variant in VARIANTS}
    assert made.original_file == uploaded.original_file

    await node.db.write(publishing.publish, alice, Draft(photo_ids=[uploaded.id]))
    await run_jobs(node)

    kept = await current(node, uploaded.id)
    assert (kept.original_file, kept.files) == ("", made.files)
    assert stored(node) == {file.key for file in kept.files.values()}


@pytest.mark.parametrize(("option", "kept"), [(1, 1), (64, 64), (1000, 64)])
async def test_a_file_may_be_as_large_as_is_said_and_not_a_byte_more(
    node: Node, alice: Account, option: int, kept: int
) -> None:
    node.config = replace(node.config, media=replace(node.config.media, max_upload_mb=option))
    data = samples.encoded(samples.quarters(), "PNG").ljust(kept * 1024 * 1024, b"\0")

    assert photos.max_upload_mb(node) == kept
    assert (await photos.upload(node, alice, data)).width == 96
    with pytest.raises(Invalid, match=f"up to {kept} MB"):
        await photos.upload(node, alice, data + b"\0")


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
    keys = {file.key for file in (await current(node, one.id)).files.values()}
    assert stored(node) == keys | {one.original_file, two.original_file}

    await node.db.write(photos.delete_unattached, alice, one.id)
    await run_jobs(node)
    assert stored(node) == keys | {two.original_file}

    await node.db.write(photos.delete_unattached, bob, two.id)
    await run_jobs(node)
    assert stored(node) == set()


@EACH_WAY_OUT
async def test_photos_taken_out_of_a_post_can_be_posted_again_for_a_day(
    node: Node, alice: Account, mallory: Account, photo: Callable[..., bytes], take_out: Any
) -> None:
    uploaded = await photos.upload(node, alice, photo(), alt="a lake")
    post = await node.db.write(publishing.publish, alice, Draft(photo_ids=[uploaded.id]))
    await node.db.write(take_out, alice, post)
    await run_jobs(node)

    def clean_up(tx: Writer, hours: int) -> None:
        photos.clean_up(tx, now_ms() + hours * 3_600_000)

    await node.db.write(clean_up, 23)
    with pytest.raises(Invalid):
        await node.db.write(publishing.publish, mallory, Draft(photo_ids=[uploaded.id]))
    again = await node.db.write(publishing.publish, alice, Draft(photo_ids=[uploaded.id]))
    found = (await node.db.read(photo_rows.by_posts, [again.id]))[again.id]
    assert [(one.id, one.alt) for one in found] == [(uploaded.id, "a lake")]
    await node.db.write(clean_up, 25)
    assert (await current(node, uploaded.id)).post_id == again.id

    await node.db.write(take_out, alice, again)
    await node.db.write(clean_up, 25)
    await run_jobs(node)
    assert stored(node) == set()


@EACH_WAY_OUT
async def test_photos_taken_out_of_posts_are_no_uploads_and_have_a_bound_of_their_own(
    node: Node, alice: Account, photo: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, take_out: Any
) -> None:
    monkeypatch.setattr(photo_rows, "MAX_UNATTACHED", 1)
    monkeypatch.setattr(photos, "MAX_DETACHED", 2)
    made = []
    for number in range(4):
        uploaded = await photos.upload(node, alice, photo(seed=number))
        post = await node.db.write(publishing.publish, alice, Draft(photo_ids=[uploaded.id]))
        await node.db.write(take_out, alice, post)
        made.append(uploaded.id)
    assert set(await node.db.read(photo_rows.by_ids, made)) == set(made[2:])


async def test_only_its_owner_describes_or_deletes_an_unattached_photo(
    node: Node, alice: Account, mallory: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())

    def unit(tx: Writer) -> None:
        with pytest.raises(NotFound):
            photos.set_details(tx, mallory, uploaded.id, alt="mine")
        photos.delete_unattached(tx, mallory, uploaded.id)
        changed = photos.set_details(tx, alice, uploaded.id, alt="a lake", focus=(3.0, -0.5))
        assert (changed.alt, changed.focus_x, changed.focus_y) == ("a lake", 1.0, -0.5)
        [kept] = tx.all(
            "SELECT alt FROM photos WHERE account_id = :account AND post_id IS NULL", account=alice.id
        )
        assert kept["alt"] == "a lake"
        post = publish(tx, alice, photo_ids=[uploaded.id])
        with pytest.raises(NotFound):
            photos.set_details(tx, alice, uploaded.id, alt="x")
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


async def test_a_photo_in_no_post_keeps_its_original_for_7_days(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    await node.db.write(saved_drafts.save, alice, Draft(photo_ids=[uploaded.id]))
    await run_jobs(node)
    in_7_days = uploaded.created_at + 7 * 24 * 3_600_000

    assert await node.db.write(photos.clean_up_originals, in_7_days) == 0
    assert (await current(node, uploaded.id)).original_file
    assert await node.db.write(photos.clean_up_originals, in_7_days + 1) == 1
    await run_jobs(node)

    now = await current(node, uploaded.id)
    assert now.original_file == ""
    assert stored(node) == {file.key for file in now.files.values()}
    assert await node.db.write(photos.clean_up_originals, in_7_days + 1) == 0


async def test_the_originals_of_photos_in_no_post_have_a_bounded_size(
    node: Node, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    data = photo()
    uploaded = await photos.upload(node, alice, data)
    other = await photos.upload(node, alice, photo(seed=1))
    await node.db.write(saved_drafts.save, alice, Draft(photo_ids=[uploaded.id]))

    def fill(tx: Writer) -> None:
        stored = "SELECT original_bytes FROM photos WHERE id = :id"
        assert tx.value(stored, id=uploaded.id) == len(data)
        tx.run(
            "UPDATE photos SET original_bytes = :most WHERE id = :id",
            most=node.config.media.unposted_originals_gb * 1024**3 - 100 - len(photo(seed=1)),
            id=uploaded.id,
        )

    await node.db.write(fill)

    with pytest.raises(TooManyRequests, match="take up the 4 GB"):
        await photos.upload(node, alice, photo(seed=2))
    await photos.upload(node, bob, photo(seed=2))
    # In a post they do not count, nor once the original is gone.
    await node.db.write(publish, alice, photo_ids=[uploaded.id])
    await photos.upload(node, alice, photo(seed=3))
    assert (await current(node, other.id)).original_file


async def test_an_account_has_a_bounded_number_of_unattached_photos(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    def unit(tx: Writer) -> None:
        for number in range(photo_rows.MAX_UNATTACHED):
            tx.run(
                "INSERT INTO photos (id, account_id, mime, created_at) VALUES (:id, :account, 'image/jpeg', 1)",
                id=number + 1,
                account=alice.id,
            )

    await node.db.write(unit)
    with pytest.raises(TooManyRequests):
        await photos.upload(node, alice, photo())


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


async def test_a_wrongly_declared_size_of_a_remote_photo_is_corrected(node: Node) -> None:
    def unit(tx: Writer) -> None:
        declared = picture("a", width=80, height=60)
        post = receive_post(tx, remote(tx), photos=[declared])
        [photo] = photo_rows.by_posts(tx, [post.id])[post.id]

        found = Picture(900, 600, "image/jpeg", "LEHV6nWB2yk8pyo0adR*.7kCMdnj", [], is_incomplete=True)
        photos.correct_remote_metadata(tx, photo.id, found)

        [corrected] = photo_rows.by_posts(tx, [post.id])[post.id]
        assert (corrected.width, corrected.height, corrected.is_incomplete) == (900, 600, True)
        assert corrected.blurhash == (declared.blurhash or found.blurhash)

    await node.db.write(unit)
