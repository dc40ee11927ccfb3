"""Remote photos, avatars and emoji over HTTP: fetched when first viewed, by whoever may view them, and only once."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from node.attachments import custom_emoji, media_cache, media_cache_eviction, photo_rows
from node.attachments.media_cache import CacheCapacity
from node.config import Config, FederationOptions
from node.database import Writer
from node.interactions import follows
from node.lifecycle import remote_accounts
from node.models.account import Account
from node.models.remote_actor import RemoteActor, RemoteEmoji
from node.models.remote_post import RemotePhoto, RemotePost
from node.moderation import domain_rules
from node.node import Node
from node.posts import posts
from node.publishing import remote_posts
from tests.support.asgi import Client
from tests.support.picture_server import PictureReply, PictureServer, serve_pictures
from web.api import Api
from web.files import media_urls
from web.wiring import run_due_jobs


@pytest.fixture
def options(options: Config) -> Config:
    return dataclasses.replace(
        options, federation=FederationOptions(allow_private_addresses=True, allow_http=True)
    )


@pytest.fixture
async def picture_server(photo: Callable[..., bytes]) -> AsyncIterator[PictureServer]:
    body = photo(800, 600)
    async with serve_pictures(body) as server:
        server.replies = {
            "/page.jpg": PictureReply(b"<script>alert(1)</script>", content_type="text/html"),
            "/broken.jpg": PictureReply(body[:2000]),
            "/large.png": PictureReply(photo(700, 700, "PNG") + b" " * 256 * 1024, content_type="image/png"),
            "/missing.jpg": PictureReply(status=404),
        }
        yield server


def _receive(tx: Writer, url: str, visibility: str, followers: list[Account]) -> tuple[Account, int]:
    """Eve of another server posts a photo; her account and the photo's id."""
    actor = RemoteActor(
        uri="https://eve.test/users/eve",
        name="eve",
        domain="eve.test",
        inbox="https://eve.test/users/eve/inbox",
        avatar_url=url,
    )
    eve = remote_accounts.upsert(tx, actor)
    for account in followers:
        follow = follows.follow(tx, account, eve)
        follows.accept(tx, follow)
    post = remote_posts.receive_create(
        tx,
        RemotePost(
            uri=f"https://eve.test/p/{visibility}",
            author=eve,
            visibility=visibility,
            published_at=1_700_000_000_000,
            photos=[RemotePhoto(url=url, mime="image/jpeg", width=800, height=600)],
        ),
    )
    assert post is not None
    return eve, photo_rows.by_posts(tx, [post.id])[post.id][0].id


async def test_a_remote_photo_is_fetched_once_for_all_viewers(
    node: Node, anybody: Client, bob: Account, picture_server: PictureServer
) -> None:
    _, photo_id = await node.db.write(_receive, f"{picture_server.url}/a.jpg", "public", [bob])
    assert not picture_server.requests
    url = f"/media/remote/{photo_id}/medium.webp"
    replies = await asyncio.gather(*[anybody.get(url) for _ in range(10)])
    assert {reply.status for reply in replies} == {200}
    assert {reply.headers["content-type"] for reply in replies} == {"image/webp"}
    assert replies[0].headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await anybody.get(f"/media/remote/{photo_id}/large.webp")).status == 200
    other = await anybody.get(f"/media/remote/{photo_id}/small.avif")
    assert (other.status, other.headers["cache-control"]) == (200, "public, max-age=60")
    assert picture_server.requests == {"/a.jpg": 1}


@pytest.mark.parametrize("name", ["page.jpg", "broken.jpg", "missing.jpg"])
async def test_a_failed_picture_is_404_and_not_requested_again(
    node: Node, anybody: Client, bob: Account, picture_server: PictureServer, name: str
) -> None:
    eve, photo_id = await node.db.write(_receive, f"{picture_server.url}/{name}", "public", [bob])
    for _ in range(2):
        for url in (f"/media/remote/{photo_id}/medium.webp", f"/media/avatar/{eve.id}/avatar.webp"):
            assert (await anybody.get(url)).status == 404
    assert picture_server.requests[f"/{name}"] <= 2


async def test_a_followers_only_photo_is_not_even_fetched_for_others(
    node: Node,
    anybody: Client,
    browser: Callable[[Account], Any],
    alice: Account,
    bob: Account,
    picture_server: PictureServer,
) -> None:
    _, photo_id = await node.db.write(_receive, f"{picture_server.url}/a.jpg", "followers", [bob])
    rest = f"remote/{photo_id}/medium.webp"
    for client in (anybody, await browser(alice)):
        assert (await client.get(f"/media/{rest}")).status == 404
    assert not picture_server.requests
    seen = await (await browser(bob)).get(f"/media/{rest}")
    assert (seen.status, seen.headers["cache-control"]) == (200, "private, max-age=600")
    capability = media_urls.viewer_capability(node.site, bob)
    capable = media_urls.media_url(node.site, rest, capability).removeprefix(node.site.base_url)
    assert (await anybody.get(capable)).headers["cache-control"] == "private, max-age=600"
    forged = capable.replace("medium", "large")
    assert (await anybody.get(forged)).status == 404
    for stranger in (
        media_urls.viewer_capability(node.site, alice),
        partial(node.site.server_capability, host="far.example"),
    ):
        url = media_urls.media_url(node.site, rest, stranger).removeprefix(node.site.base_url)
        assert (await anybody.get(url)).status == 404


async def test_a_remote_avatar_is_fetched_when_first_viewed(
    node: Node, anybody: Client, bob: Account, picture_server: PictureServer
) -> None:
    eve, _ = await node.db.write(_receive, f"{picture_server.url}/avatar.jpg", "public", [bob])
    url = media_urls.avatar_url(node.site, eve).removeprefix(node.site.base_url)
    replies = await asyncio.gather(*[anybody.get(url) for _ in range(5)])
    assert {reply.status for reply in replies} == {200}
    assert picture_server.requests == {"/avatar.jpg": 1}


def _emoji(tx: Writer, url: str) -> int:
    kept = custom_emoji.record_used(tx, "eve.test", [RemoteEmoji("cat", url)], "a :cat:")
    return custom_emoji.ids_by_shortcode(kept)["cat"]


async def test_an_emoji_is_fetched_once_and_is_small(
    node: Node, anybody: Client, picture_server: PictureServer
) -> None:
    id_ = await node.db.write(_emoji, f"{picture_server.url}/cat.png")
    replies = await asyncio.gather(*[anybody.get(f"/media/emoji/{id_}.webp") for _ in range(5)])
    assert {reply.status for reply in replies} == {200}
    assert {reply.headers["content-type"] for reply in replies} == {"image/webp"}
    assert replies[0].headers["cache-control"] == "public, max-age=86400"
    assert picture_server.requests == {"/cat.png": 1}
    for path in (f"{id_}.png", f"{id_}", f"{id_ + 1}.webp", "x.webp", "1/../2.webp", f"{id_}.webp/"):
        assert (await anybody.get(f"/media/emoji/{path}")).status == 404
    large = await node.db.write(_emoji, f"{picture_server.url}/large.png")
    assert large == id_
    assert (await anybody.get(f"/media/emoji/{id_}.webp")).status == 404


async def test_emoji_of_a_server_whose_media_are_rejected_are_404(
    node: Node, anybody: Client, picture_server: PictureServer
) -> None:
    id_ = await node.db.write(_emoji, f"{picture_server.url}/cat.png")
    assert (await anybody.get(f"/media/emoji/{id_}.webp")).status == 200
    await node.db.write(domain_rules.block, "eve.test", strength="none", rejects_media=True)
    assert (await anybody.get(f"/media/emoji/{id_}.webp")).status == 404
    await run_due_jobs(node)
    file = await node.db.read(lambda tx: tx.value("SELECT file FROM emoji WHERE id = :id", id=id_))
    assert file == ""
    assert await node.db.read(media_cache.total_bytes) == 0


async def test_an_evicted_or_lost_file_is_fetched_again_when_viewed(
    node: Node, anybody: Client, bob: Account, picture_server: PictureServer
) -> None:
    eve, photo_id = await node.db.write(_receive, f"{picture_server.url}/a.jpg", "public", [bob])
    urls = (f"/media/remote/{photo_id}/thumb.webp", f"/media/avatar/{eve.id}/small.webp")
    for url in urls:
        assert (await anybody.get(url)).status == 200
    kept = (await node.db.read(photo_rows.by_ids, [photo_id]))[photo_id].files
    assert {file.key.partition("/")[0] for file in kept.values()} == {"cache"}
    for file in kept.values():
        # A cached file has no URL of its own.
        assert (await anybody.get(f"/media/{file.key}")).status == 404
        with_capability = f"/media/p/{node.site.server_capability(file.key, 'far.example')}/{file.key}"
        assert (await anybody.get(with_capability)).status == 404

    node.component(CacheCapacity).bytes = 1
    await node.db.write(media_cache_eviction.evict_batch, 1)
    await node.db.write(media_cache_eviction.evict_batch, 1)
    await run_due_jobs(node)
    assert await node.db.read(media_cache.total_bytes) == 0
    assert await node.storage.total_bytes() == 0
    for url in urls:
        assert (await anybody.get(url)).status == 200
    assert picture_server.requests["/a.jpg"] == 4

    folder = node.storage.path("cache/x.webp")
    assert folder is not None
    shutil.rmtree(folder.parent)
    for url in urls:
        assert (await anybody.get(url)).status == 200
    assert picture_server.requests["/a.jpg"] == 6


async def test_stored_files_of_a_host_whose_media_are_rejected_are_404(
    node: Node, anybody: Client, bob: Account, picture_server: PictureServer
) -> None:
    _, photo_id = await node.db.write(_receive, f"{picture_server.url}/a.jpg", "public", [bob])
    url = f"/media/remote/{photo_id}/medium.webp"
    assert (await anybody.get(url)).status == 200
    await node.db.write(domain_rules.block, "127.0.0.1", strength="none", rejects_media=True)
    assert (await anybody.get(url)).status == 404
    await run_due_jobs(node)
    assert await node.db.read(media_cache.total_bytes) == 0


async def test_the_api_has_the_local_url_and_the_remote_one(
    node: Node, bob: Account, picture_server: PictureServer
) -> None:
    _, photo_id = await node.db.write(_receive, f"{picture_server.url}/a.jpg", "public", [bob])
    post = await node.db.read(posts.by_uri, "https://eve.test/p/public")
    assert post is not None
    status = (await Client(Api(node)).get(f"/api/v1/statuses/{post.id}")).json
    (media,) = status["media_attachments"]
    assert media["remote_url"] == f"{picture_server.url}/a.jpg"
    assert media["url"] == f"https://tintype.test/media/remote/{photo_id}/large.webp"
    assert media["meta"]["original"]["width"] == 800
    assert status["account"]["acct"] == "eve@eve.test"
    assert not picture_server.requests
