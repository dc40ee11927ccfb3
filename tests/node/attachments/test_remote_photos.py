"""The pixels of other servers' photos: fetched at the first look, once, and only what is a photo."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from aiohttp import web

from node.attachments import photo_rows, remote_photos
from node.attachments.photo_rows import Photo
from node.config import Config, FederationOptions
from node.database import Writer
from node.ids import now_ms
from node.models.visibility import may_see_photo
from node.node import Node
from node.posts import posts
from node.publishing import post_deletion
from tests.support.people import remote
from tests.support.posting import arrives, picture


@pytest.fixture
def options(options: Config) -> Config:
    return dataclasses.replace(
        options, federation=FederationOptions(allow_private_addresses=True, allow_http=True)
    )


@dataclass
class Elsewhere:
    """Another server, which serves what it is told to and counts who asks."""

    url: str = ""
    body: bytes = b""
    status: int = 200
    asked: int = 0
    pause: float = 0.0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        await asyncio.sleep(self.pause)
        return web.Response(body=self.body, status=self.status, content_type="image/jpeg")


@pytest.fixture
async def elsewhere(photo: Callable[..., bytes]) -> AsyncIterator[Elsewhere]:
    server = Elsewhere(body=photo(900, 600))
    application = web.Application()
    application.router.add_get("/{name}", server.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


async def posted(node: Node, server: Elsewhere) -> Photo:
    """A remote photo that nobody has looked at."""

    def unit(tx: Writer) -> Photo:
        there = dataclasses.replace(picture(), url=f"{server.url}/a.jpg")
        post = arrives(tx, remote(tx), photos=[there])
        [found] = photo_rows.of_posts(tx, [post.id])[post.id]
        return found

    return await node.db.write(unit)


async def test_nothing_is_fetched_before_somebody_looks_and_then_once(
    node: Node, elsewhere: Elsewhere
) -> None:
    photo = await posted(node, elsewhere)
    assert elsewhere.asked == 0
    elsewhere.pause = 0.05

    found = await asyncio.gather(*[remote_photos.fetch(node, photo.id) for _ in range(5)])
    again = await remote_photos.fetch(node, photo.id)

    assert elsewhere.asked == 1
    assert again is not None
    assert set(again.files) == {(v.name, v.format) for v in remote_photos.SHOWN}
    assert [one and one.files for one in found] == [again.files] * 5
    kept = again.file("medium", "webp")
    assert kept is not None
    path = node.storage.path(kept.file)
    assert path is not None
    assert path.exists()


@pytest.mark.parametrize(("body", "status"), [(b"<html>", 200), (b"", 200), (b"", 404), (b"", 500)])
async def test_what_cannot_be_had_is_not_asked_for_again_at_once(
    node: Node, elsewhere: Elsewhere, body: bytes, status: int
) -> None:
    photo = await posted(node, elsewhere)
    elsewhere.body, elsewhere.status, whole = body, status, elsewhere.body

    assert await remote_photos.fetch(node, photo.id) is None
    assert await remote_photos.fetch(node, photo.id) is None
    assert elsewhere.asked == 1

    elsewhere.body, elsewhere.status = whole, 200
    await node.db.write(
        lambda tx: tx.run(
            "UPDATE cached_media SET try_after = :now WHERE id = :id", now=now_ms(), id=photo.id
        )
    )
    assert await remote_photos.fetch(node, photo.id) is not None


async def test_what_a_server_did_not_tell_is_learnt_from_the_picture(
    node: Node, elsewhere: Elsewhere
) -> None:
    photo = await posted(node, elsewhere)
    assert (photo.width, photo.height, photo.blurhash) == (0, 0, "")

    seen = await remote_photos.fetch(node, photo.id)

    assert seen is not None
    assert (seen.width, seen.height) == (900, 600)
    assert len(seen.blurhash) >= 6


async def test_a_post_deleted_while_its_photo_was_fetched_leaves_no_row(
    node: Node, elsewhere: Elsewhere
) -> None:
    photo = await posted(node, elsewhere)
    elsewhere.pause = 0.1
    looking = asyncio.create_task(remote_photos.fetch(node, photo.id))
    await asyncio.sleep(0.05)

    def unit(tx: Writer) -> None:
        post = posts.by_id(tx, photo.post_id or 0)
        assert post is not None
        post_deletion.remove(tx, post)

    await node.db.write(unit)

    assert await looking is None
    assert await node.db.read(may_see_photo, 0, photo.id) is None
    assert await node.db.read(photo_rows.by_ids, [photo.id]) == {}


async def test_whoever_leaves_does_not_stop_the_others(node: Node, elsewhere: Elsewhere) -> None:
    photo = await posted(node, elsewhere)
    elsewhere.pause = 0.1
    one = asyncio.create_task(remote_photos.fetch(node, photo.id))
    two = asyncio.create_task(remote_photos.fetch(node, photo.id))
    await asyncio.sleep(0.05)
    one.cancel()

    assert await two is not None
    assert elsewhere.asked == 1


async def test_a_photo_that_is_not_there_is_not_asked_for(node: Node, elsewhere: Elsewhere) -> None:
    assert await remote_photos.fetch(node, 12345) is None
    assert elsewhere.asked == 0
