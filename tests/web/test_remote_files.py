"""Pictures of other servers: fetched when somebody first looks, by whoever may look, and never twice."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from node import accounts, follows, posts, receiving
from node.accounts import Account, RemoteActor
from node.config import Config, FederationOptions
from node.database import Writer
from node.node import Node
from node.receiving import RemotePhoto, RemotePost
from tests.support.asgi import Client
from web import media_urls


@pytest.fixture
def options(options: Config) -> Config:
    return dataclasses.replace(
        options, federation=FederationOptions(allow_private_addresses=True, allow_http=True)
    )


@pytest.fixture
async def elsewhere(photo: Callable[..., bytes]) -> AsyncIterator[tuple[str, Counter[str]]]:
    """Another server's pictures: its address, and how often each was asked for."""
    asked: Counter[str] = Counter()
    data = photo(800, 600)

    async def picture(request: web.Request) -> web.Response:
        asked[request.path] += 1
        await asyncio.sleep(0.05)
        if request.path == "/page.jpg":
            return web.Response(text="<script>alert(1)</script>", content_type="text/html")
        if request.path == "/broken.jpg":
            return web.Response(body=data[:2000], content_type="image/jpeg")
        if request.path == "/gone.jpg":
            return web.Response(status=404)
        return web.Response(body=data, content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/{name}", picture)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    yield f"http://{host}:{port}", asked
    await runner.cleanup()


def _arrive(tx: Writer, url: str, visibility: str, mentioned: list[Account]) -> tuple[Account, int]:
    """Eve of another server posts a photo; her id and the photo's."""
    actor = RemoteActor(
        uri="https://eve.test/users/eve",
        name="eve",
        domain="eve.test",
        inbox="https://eve.test/users/eve/inbox",
        avatar_url=url,
    )
    eve = accounts.receive(tx, actor)
    for who in mentioned:
        follow = follows.follow(tx, who, eve)
        follows.accept(tx, follow)
    post = receiving.receive(
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
    from node import photos

    return eve, photos.of_posts(tx, [post.id])[post.id][0].id


async def test_a_remote_photo_is_fetched_once_however_many_look(
    node: Node, anybody: Client, bob: Account, elsewhere: tuple[str, Counter[str]]
) -> None:
    address, asked = elsewhere
    _, photo_id = await node.db.write(_arrive, f"{address}/a.jpg", "public", [bob])
    assert not asked
    url = f"/media/remote/{photo_id}/medium.webp"
    replies = await asyncio.gather(*[anybody.get(url) for _ in range(10)])
    assert {reply.status for reply in replies} == {200}
    assert {reply.headers["content-type"] for reply in replies} == {"image/webp"}
    assert replies[0].headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await anybody.get(f"/media/remote/{photo_id}/large.webp")).status == 200
    other = await anybody.get(f"/media/remote/{photo_id}/small.avif")
    assert (other.status, other.headers["cache-control"]) == (200, "public, max-age=60")
    assert asked == {"/a.jpg": 1}


@pytest.mark.parametrize("name", ["page.jpg", "broken.jpg", "gone.jpg"])
async def test_what_is_no_picture_is_not_shown_and_not_asked_for_again(
    node: Node, anybody: Client, bob: Account, elsewhere: tuple[str, Counter[str]], name: str
) -> None:
    address, asked = elsewhere
    eve, photo_id = await node.db.write(_arrive, f"{address}/{name}", "public", [bob])
    for _ in range(2):
        for url in (f"/media/remote/{photo_id}/medium.webp", f"/media/avatar/{eve.id}/avatar.webp"):
            assert (await anybody.get(url)).status == 404
    assert asked[f"/{name}"] <= 2


async def test_a_remote_photo_for_followers_is_not_even_fetched_for_others(
    node: Node,
    anybody: Client,
    browser: Callable[[Account], Any],
    alice: Account,
    bob: Account,
    elsewhere: tuple[str, Counter[str]],
) -> None:
    address, asked = elsewhere
    _, photo_id = await node.db.write(_arrive, f"{address}/a.jpg", "followers", [bob])
    rest = f"remote/{photo_id}/medium.webp"
    for client in (anybody, await browser(alice)):
        assert (await client.get(f"/media/{rest}")).status == 404
    assert not asked
    seen = await (await browser(bob)).get(f"/media/{rest}")
    assert (seen.status, seen.headers["cache-control"]) == (200, "private, max-age=600")
    capable = media_urls.media(node.site, rest, is_open=False).removeprefix(node.site.base_url)
    assert (await anybody.get(capable)).headers["cache-control"] == "private, max-age=31536000, immutable"
    forged = capable.replace("medium", "large")
    assert (await anybody.get(forged)).status == 404


async def test_a_remote_avatar_is_fetched_when_first_looked_at(
    node: Node, anybody: Client, bob: Account, elsewhere: tuple[str, Counter[str]]
) -> None:
    address, asked = elsewhere
    eve, _ = await node.db.write(_arrive, f"{address}/face.jpg", "public", [bob])
    url = media_urls.of_avatar(node.site, eve).removeprefix(node.site.base_url)
    replies = await asyncio.gather(*[anybody.get(url) for _ in range(5)])
    assert {reply.status for reply in replies} == {200}
    assert asked == {"/face.jpg": 1}


async def test_the_api_names_our_address_and_theirs(
    node: Node, bob: Account, elsewhere: tuple[str, Counter[str]]
) -> None:
    from web.api import Api

    address, asked = elsewhere
    _, photo_id = await node.db.write(_arrive, f"{address}/a.jpg", "public", [bob])
    post = await node.db.read(posts.by_uri, "https://eve.test/p/public")
    assert post is not None
    status = (await Client(Api(node)).get(f"/api/v1/statuses/{post.id}")).json
    (media,) = status["media_attachments"]
    assert media["remote_url"] == f"{address}/a.jpg"
    assert media["url"] == f"https://tintype.test/media/remote/{photo_id}/large.webp"
    assert media["meta"]["original"]["width"] == 800
    assert status["account"]["acct"] == "eve@eve.test"
    assert not asked
