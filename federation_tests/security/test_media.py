"""Media of other servers: D6, D7, F4, G1, G3 and G5 of the security table."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from activitypub.remote import actors
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import PUBLIC, RemoteServer, Reply
from federation_tests.security.scenes import alice_follows_rita, create
from node.attachments import avatars, custom_emoji, media_cache, photo_rows, photos, remote_fetch
from node.attachments.media_cache import CacheCapacity
from node.attachments.photo_rows import Photo
from node.auth import users
from node.database import Reader
from node.errors import Refused
from node.interactions import likes
from node.models.post import Post
from node.moderation import domain_rules
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support.asgi import Client
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.pictures import picture
from web.api import Api
from web.app import create_app
from web.files.media_urls import media_url, viewer_capability

SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


def image(server: RemoteServer, path: str, body: bytes | None = None, **reply: Any) -> dict[str, Any]:
    """A picture that a server serves, as an attachment."""
    server.replies[path] = Reply(
        body=picture() if body is None else body, **{"content_type": "image/jpeg", **reply}
    )
    return {
        **{"type": "Image", "mediaType": "image/jpeg", "url": f"{server.base}{path}", "name": path},
        **{"width": 320, "height": 240},
    }


async def arrives(alice: Person, server: RemoteServer, number: int = 1, **changes: Any) -> Post:
    """A post of rita as alice's node has stored it."""
    activity = create(server, number=number, **changes)
    assert await server.send(alice.node, "rita", activity) == 202
    await alice.fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, activity["object"]["id"])
    assert post is not None
    return post


async def shots(alice: Person, post: Post) -> list[Photo]:
    return (await alice.node.db.read(photo_rows.by_posts, [post.id])).get(post.id, [])


async def test_D6_no_part_of_a_local_url_makes_this_node_fetch_another(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    [photo] = await shots(alice, await arrives(alice, evil, attachment=[image(evil, "/a.jpg")]))
    anybody = Client(create_app(alice.node))
    before = sum(other.requests.values())

    for tail in (
        f"medium.webp/{other.base}/x",
        "..%2f..%2fmedium.webp",
        "medium.webp%3furl=x",
        "medium.webp%0d%0aHost: x",
        "",
    ):
        assert (await anybody.get(f"/media/remote/{photo.id}/{tail}")).status == 404
    with_query = await anybody.get(f"/media/remote/{photo.id}/medium.webp?url={other.base}/x&width=99999")

    assert with_query.status == 200
    assert sum(other.requests.values()) == before
    assert evil.requests["/a.jpg"] == 1


async def test_D7_only_stored_urls_are_fetched_and_only_pictures_served(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    attachments = [
        image(evil, "/a.php", content_type="text/html", headers={"set-cookie": "track=1", "x-evil": "1"}),
        image(evil, "/b.jpg", b"<script>alert(1)</script>"),
    ]
    shown, page = await shots(alice, await arrives(alice, evil, attachment=attachments))
    anybody = Client(create_app(alice.node))

    for path in (
        f"/media/remote/{shown.id + 1}/medium.webp",
        f"/media/remote/?url={evil.base}/a.php",
        f"/media/remote/{evil.base}/a.php",
        f"/media/avatar/{shown.id}/small.webp",
        f"/media/emoji/{shown.id}.webp",
        f"/media/cache/{evil.domain}/a.php",
    ):
        assert (await anybody.get(path)).status == 404
    assert evil.requests["/a.php"] == 0

    reply = await anybody.get(f"/media/remote/{shown.id}/medium.webp")
    assert (reply.status, reply.headers["content-type"]) == (200, "image/webp")
    assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert not {"set-cookie", "x-evil"} & set(reply.headers)
    assert reply.body[8:12] == b"WEBP"
    assert (await anybody.get(f"/media/remote/{page.id}/medium.webp")).status == 404


async def test_a_picture_in_a_private_network_is_not_fetched(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    [photo] = await shots(alice, await arrives(alice, evil, attachment=[image(evil, "/a.jpg")]))
    alice.node.client._allow_private = False
    anybody = Client(create_app(alice.node))

    assert (await anybody.get(f"/media/remote/{photo.id}/medium.webp")).status == 404
    assert evil.requests["/a.jpg"] == 0


async def test_receiving_a_post_full_of_pictures_makes_no_request(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    before = sum(evil.requests.values()) + sum(other.requests.values())
    tags = [
        {"type": "Emoji", "name": f":e{n}:", "icon": {"type": "Image", "url": f"{other.base}/e{n}.png"}}
        for n in range(100)
    ]

    post = await arrives(
        alice,
        evil,
        content=" ".join(f":e{n}:" for n in range(100)),
        attachment=[image(other, f"/{n}.jpg") for n in range(40)],
        tag=tags,
    )

    assert sum(evil.requests.values()) + sum(other.requests.values()) - before == 0
    assert len(await shots(alice, post)) == 20
    assert len(custom_emoji.ids_by_shortcode(post.emoji)) == custom_emoji.MAX_PER_TEXT


async def test_sizes_of_pictures_are_asked_of_the_server_of_their_author_alone(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    unmeasured = [
        {key: value for key, value in image(server, f"/{n}.jpg").items() if key not in ("width", "height")}
        for n in range(5)
        for server in (evil, other)
    ]

    post = await arrives(alice, evil, attachment=unmeasured)

    assert sum(other.requests.values()) == 0
    assert {path: count for path, count in evil.requests.items() if path.endswith(".jpg")} == {
        f"/{n}.jpg": 1 for n in range(5)
    }
    assert [photo.width > 0 for photo in await shots(alice, post)] == [True, False] * 5


async def test_F4_a_private_picture_is_for_its_readers_and_deleted_with_its_post(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await arrives(
        alice, evil, to=[f"{evil.base}/users/rita/followers"], cc=[], attachment=[image(evil, "/a.jpg")]
    )
    assert post.visibility == "followers"
    [photo] = await shots(alice, post)
    anybody = Client(create_app(alice.node))
    rest = f"remote/{photo.id}/medium.webp"
    account = await alice.account()
    await alice.node.db.write(partial(users.create, email="alice@a.test", password_hash="-"), account)
    capability = viewer_capability(alice.node.site, account)
    with_capability = media_url(alice.node.site, rest, capability).removeprefix(alice.node.site.base_url)

    assert (await anybody.get(f"/media/{rest}")).status == 404
    assert evil.requests["/a.jpg"] == 0
    assert (await anybody.get(with_capability)).status == 200
    assert (await anybody.get(f"/media/{rest}")).status == 404
    stored = (await shots(alice, post))[0].files
    for file in stored.values():
        assert (await anybody.get(f"/media/{file.key}")).status == 404

    delete = evil.activity("rita", "Delete", {"id": post.uri, "type": "Tombstone"})
    assert await evil.send(alice.node, "rita", delete) == 202
    await fediverse.settle()

    assert (await anybody.get(with_capability)).status == 404
    for file in stored.values():
        with pytest.raises(KeyError):
            await alice.node.storage.get(file.key)
    assert await alice.node.db.read(media_cache.total_bytes) == 0


async def test_G1_the_bytes_decide_and_no_name_or_type(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    attachments = [
        image(evil, "/evil.svg", picture(kind="PNG"), content_type="application/x-httpd-php"),
        image(evil, "/a.png", SVG, content_type="image/png"),
        image(evil, "/b.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
        image(evil, "/c.jpg", b"push graphic-context\nviewbox 0 0 640 480\n"),
        image(evil, "/d.gif", b"GIF89a" + SVG),
    ]
    for attachment in attachments:
        attachment["mediaType"] = "image/png"
    received = await shots(alice, await arrives(alice, evil, attachment=attachments))
    anybody = Client(create_app(alice.node))

    replies = [await anybody.get(f"/media/remote/{photo.id}/medium.webp") for photo in received]

    assert [reply.status for reply in replies] == [200, 404, 404, 404, 404]


async def test_G3_nothing_that_could_run_is_accepted_or_served(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    node, account = alice.node, await alice.account()
    html = b"<!doctype html><script>alert(1)</script>"
    for data in (
        SVG,
        html,
        b"<?xml version='1.0'?>" + SVG,
        b"%PDF-1.4\n",
        b"PK\x03\x04" + html,
        b"\xff\xfe" + html,
    ):
        with pytest.raises(Refused):
            await photos.upload(node, account, data)
        with pytest.raises(Refused):
            await avatars.upload(node, account, data)
    # A picture that is also a page is served as a picture only.
    both = picture(kind="GIF") + html
    photo = await photos.upload(node, account, both, alt="Both")
    post = await alice._do(publishing.publish, Draft(photo_ids=[photo.id]))
    await fediverse.settle()
    await avatars.upload(node, account, both)
    (photo,) = (await node.db.read(photo_rows.by_posts, [post.id]))[post.id]
    for path in (
        *(f"/media/{file.key}" for file in photo.files.values()),
        f"/media/avatar/{account.id}/small.webp",
    ):
        reply = await Client(create_app(node), {"accept": "text/html"}).get(path)
        assert reply.status == 200, path
        assert reply.headers["content-type"].startswith("image/")
        assert reply.headers["content-type"] != "image/svg+xml"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert b"<script" not in reply.body


def _stored_bytes(tx: Reader) -> int:
    return int(tx.value("SELECT COALESCE(SUM(bytes), 0) FROM photo_files"))


async def test_G5_the_cache_stays_under_its_capacity_and_refetches(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await arrives(
        alice,
        evil,
        attachment=[
            image(server, f"/{n}.jpg", picture(seed=n + 1)) for server in (evil, other) for n in range(8)
        ],
    )
    made = await shots(alice, post)
    anybody = Client(create_app(alice.node))
    [one, *_] = made
    assert (await anybody.get(f"/media/remote/{one.id}/medium.webp")).status == 200
    size = await alice.node.db.read(media_cache.total_bytes)
    capacity = alice.node.component(CacheCapacity).bytes = size * 6

    for photo in made:
        assert (await anybody.get(f"/media/remote/{photo.id}/medium.webp")).status == 200
        await fediverse.settle()
        assert await alice.node.db.read(media_cache.total_bytes) <= capacity
        largest = (await alice.node.db.read(media_cache.usage)).hosts[0]
        assert largest.bytes <= capacity * media_cache.MAX_HOST_SHARE

    assert await alice.node.db.read(_stored_bytes) == await alice.node.db.read(media_cache.total_bytes)
    assert await alice.node.storage.total_bytes() <= capacity
    assert (await anybody.get(f"/media/remote/{one.id}/medium.webp")).status == 200
    assert evil.requests["/0.jpg"] == 2


@ONE_AT_A_TIME
async def test_a_slow_host_gets_few_requests_at_once_and_delays_no_delivery(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await arrives(alice, evil, attachment=[image(evil, f"/{n}.jpg", seconds=1.5) for n in range(20)])
    made = await shots(alice, post)
    anybody = Client(create_app(alice.node))

    views = [
        asyncio.create_task(anybody.get(f"/media/remote/{photo.id}/medium.webp"))
        for photo in made
        for _ in "ab"
    ]
    await asyncio.sleep(0.4)
    requested = sum(evil.requests[f"/{n}.jpg"] for n in range(20))
    await alice._do(likes.like, post)
    async with asyncio.timeout(1.0):
        await fediverse.settle()

    assert requested == remote_fetch.MAX_CONCURRENT_PER_HOST
    assert [activity["type"] for activity in evil.received if activity["type"] == "Like"] == ["Like"]
    for task in views:
        task.cancel()
    await asyncio.gather(*views, return_exceptions=True)


async def test_a_host_has_a_limit_of_pictures_an_hour(
    fediverse: Fediverse, evil: RemoteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_fetch, "MAX_PICTURES_PER_HOUR", 3)
    alice = await alice_follows_rita(fediverse, evil)
    post = await arrives(
        alice, evil, to=[PUBLIC], attachment=[image(evil, f"/{n}.jpg", picture(seed=n)) for n in range(6)]
    )
    anybody = Client(create_app(alice.node))

    statuses = [
        (await anybody.get(f"/media/remote/{photo.id}/thumb.webp")).status
        for photo in await shots(alice, post)
    ]

    assert statuses == [200, 200, 200, 404, 404, 404]
    # A limit of the host is no failure of the picture.
    failed = await alice.node.db.read(
        lambda tx: tx.value("SELECT COUNT(*) FROM cached_media WHERE bytes = 0")
    )
    assert failed == 0


@ONE_AT_A_TIME
@pytest.mark.parametrize("kind", ["photo", "avatar"])
async def test_a_picture_whose_server_is_suspended_meanwhile_is_not_stored(
    fediverse: Fediverse, evil: RemoteServer, kind: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    slow = image(evil, "/slow.jpg", seconds=0.7)
    if kind == "photo":
        [photo] = await shots(alice, await arrives(alice, evil, attachment=[slow]))
        path = f"/media/remote/{photo.id}/medium.webp"
    else:
        zoe = await actors.find(alice.node, evil.person("zoe", icon={"type": "Image", "url": slow["url"]}))
        path = f"/media/avatar/{zoe.id}/small.webp"
    anybody = Client(create_app(alice.node))
    viewing = asyncio.create_task(anybody.get(path))
    async with asyncio.timeout(5):
        while not evil.requests["/slow.jpg"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await alice.node.db.write(domain_rules.block, "evil.test")
    await fediverse.settle()
    assert (await viewing).status == 404
    await fediverse.settle()
    assert await alice.node.db.read(media_cache.total_bytes) == 0
    assert await alice.node.storage.total_bytes() == 0


async def test_apps_get_little_of_an_account_of_a_suspended_server(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    zoe = await actors.find(alice.node, evil.person("zoe", name="Rude name", summary="<p>Rude words</p>"))
    await alice.node.db.write(domain_rules.block, "evil.test")
    await fediverse.settle()
    reply = await Client(Api(alice.node)).get(f"/api/v1/accounts/{zoe.id}")
    assert reply.json["suspended"] is True
    assert b"Rude" not in reply.body
