"""Files of remote photos are fetched when somebody first views one, once, and only if they are a picture."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from PIL import Image

from node.attachments import media_cache, photo_rows, remote_photos
from node.attachments.photo_rows import Photo
from node.database import Writer
from node.ids import now_ms
from node.models.remote_post import RemotePhoto
from node.models.visibility import may_see_photo
from node.moderation import domain_rules
from node.node import Node
from node.posts import posts
from node.publishing import post_deletion
from tests.media import samples
from tests.support.people import remote
from tests.support.picture_server import PictureReply, PictureServer
from tests.support.posting import picture, receive_post


async def remote_photo(node: Node, server: PictureServer) -> Photo:
    """A photo of a remote post that nobody has viewed yet."""

    def unit(tx: Writer) -> Photo:
        declared = dataclasses.replace(picture(), url=f"{server.url}/a.jpg")
        post = receive_post(tx, remote(tx), photos=[declared])
        [photo] = photo_rows.by_posts(tx, [post.id])[post.id]
        return photo

    return await node.db.write(unit)


async def test_nothing_is_fetched_before_the_first_view_and_then_once(
    node: Node, picture_server: PictureServer
) -> None:
    photo = await remote_photo(node, picture_server)
    assert picture_server.requests.total() == 0

    concurrent = await asyncio.gather(*[remote_photos.fetch(node, photo.id) for _ in range(5)])
    later = await remote_photos.fetch(node, photo.id)

    assert picture_server.requests.total() == 1
    assert later is not None
    assert set(later.files) == {(variant.name, variant.format) for variant in remote_photos.FETCHED_VARIANTS}
    assert [fetched and fetched.files for fetched in concurrent] == [later.files] * 5
    file = later.file("medium", "webp")
    assert file is not None
    path = node.storage.path(file.key)
    assert path is not None
    assert path.exists()


@pytest.mark.parametrize(("body", "status"), [(b"<html>", 200), (b"", 200), (b"", 404), (b"", 500)])
async def test_a_failed_fetch_is_not_tried_again_at_once(
    node: Node, picture_server: PictureServer, body: bytes, status: int
) -> None:
    photo = await remote_photo(node, picture_server)
    whole, picture_server.reply = picture_server.reply, PictureReply(body, status)

    assert await remote_photos.fetch(node, photo.id) is None
    assert await remote_photos.fetch(node, photo.id) is None
    assert picture_server.requests.total() == 1

    picture_server.reply = whole
    await node.db.write(
        lambda tx: tx.run(
            "UPDATE cached_media SET try_after = :now WHERE id = :id", now=now_ms(), id=photo.id
        )
    )
    assert await remote_photos.fetch(node, photo.id) is not None


async def test_what_a_server_did_not_declare_is_read_from_the_picture(
    node: Node, picture_server: PictureServer
) -> None:
    photo = await remote_photo(node, picture_server)
    assert (photo.width, photo.height, photo.blurhash) == (0, 0, "")

    fetched = await remote_photos.fetch(node, photo.id)

    assert fetched is not None
    assert (fetched.width, fetched.height) == (900, 600)
    assert len(fetched.blurhash) >= 6


async def test_a_post_deleted_during_the_fetch_leaves_no_row(
    node: Node, picture_server: PictureServer
) -> None:
    photo = await remote_photo(node, picture_server)
    picture_server.may_answer.clear()
    fetching = asyncio.create_task(remote_photos.fetch(node, photo.id))
    await picture_server.wait_for_requests(1)

    def unit(tx: Writer) -> None:
        post = posts.by_id(tx, photo.post_id or 0)
        assert post is not None
        post_deletion.remove_locally(tx, post)

    await node.db.write(unit)
    picture_server.may_answer.set()

    assert await fetching is None
    assert await node.db.read(may_see_photo, 0, photo.id) is None
    assert await node.db.read(photo_rows.by_ids, [photo.id]) == {}
    assert await node.db.read(media_cache.total_bytes) == 0


async def test_a_server_blocked_during_the_fetch_leaves_no_file(
    node: Node, picture_server: PictureServer
) -> None:
    photo = await remote_photo(node, picture_server)
    picture_server.may_answer.clear()
    fetching = asyncio.create_task(remote_photos.fetch(node, photo.id))
    await picture_server.wait_for_requests(1)

    await node.db.write(domain_rules.block, "far.example")
    picture_server.may_answer.set()

    assert await fetching is None
    assert (await node.db.read(photo_rows.by_ids, [photo.id]))[photo.id].files == {}
    assert await node.db.read(media_cache.total_bytes) == 0


async def test_a_cancelled_viewer_does_not_cancel_the_fetch_of_others(
    node: Node, picture_server: PictureServer
) -> None:
    photo = await remote_photo(node, picture_server)
    picture_server.may_answer.clear()
    leaving = asyncio.create_task(remote_photos.fetch(node, photo.id))
    staying = asyncio.create_task(remote_photos.fetch(node, photo.id))
    await picture_server.wait_for_requests(1)

    leaving.cancel()
    picture_server.may_answer.set()

    assert await staying is not None
    assert picture_server.requests.total() == 1


async def test_an_unknown_photo_is_not_requested(node: Node, picture_server: PictureServer) -> None:
    assert await remote_photos.fetch(node, 12345) is None
    assert picture_server.requests.total() == 0


async def test_a_wrong_or_missing_size_is_corrected_by_the_first_fetch(
    node: Node, picture_server: PictureServer
) -> None:
    broken = samples.encoded(Image.effect_noise((640, 800), 90), "JPEG")
    broken = broken[: len(broken) * 98 // 100]
    for name, (width, height) in {"none": (0, 0), "sideways": (800, 640), "other": (5000, 1)}.items():
        picture_server.replies[f"/{name}.jpg"] = PictureReply(broken)
        declared = dataclasses.replace(
            picture(), url=f"{picture_server.url}/{name}.jpg", width=width, height=height
        )

        def unit(tx: Writer, declared: RemotePhoto = declared) -> Photo:
            post = receive_post(tx, remote(tx, declared.url[-8:-4]), photos=[declared])
            return photo_rows.by_posts(tx, [post.id])[post.id][0]

        before = await node.db.write(unit)
        fetched = await remote_photos.fetch(node, before.id)

        assert (before.width, before.height, before.is_incomplete) == (width, height, False)
        assert fetched is not None
        assert (fetched.width, fetched.height, fetched.is_incomplete) == (640, 800, True)
