"""Photos, avatars and static files over HTTP: what is sent, to whom, and for how long it may be kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from node.admin import account_actions
from node.attachments import avatars, photo_rows
from node.attachments.photo_rows import Photo
from node.auth import users
from node.database import Writer
from node.interactions import blocks, follows
from node.models.account import Account
from node.node import Node
from node.posts import posts
from node.publishing import post_deletion
from tests.support.asgi import Client
from tests.web.conftest import Publish
from web.files import media_urls
from web.files.media_files import Files

Browser = Callable[[Account], Awaitable[Client]]


def address(photo: Photo) -> str:
    return "/media/" + photo.files["federated", "jpeg"].file


async def test_a_public_photo_may_be_kept_for_ever(publish: Publish, anybody: Client, alice: Account) -> None:
    photo = await publish(alice)
    reply = await anybody.get(address(photo))
    assert reply.status == 200
    assert len(reply.body) == photo.files["federated", "jpeg"].bytes == int(reply.headers["content-length"])
    assert reply.headers["content-type"] == "image/jpeg"
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in reply.headers["content-security-policy"]
    assert reply.headers["access-control-allow-origin"] == "*"
    assert b"Exif" not in reply.body


async def test_what_a_browser_has_is_not_sent_again(
    publish: Publish, anybody: Client, alice: Account
) -> None:
    url = address(await publish(alice))
    etag = (await anybody.get(url)).headers["etag"]
    for known in (etag, f'W/{etag}, "other"', "*"):
        again = await anybody.get(url, headers={"if-none-match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert (await anybody.get(url, headers={"if-none-match": '"other"'})).status == 200


async def test_parts_of_a_file(publish: Publish, anybody: Client, alice: Account) -> None:
    url = address(await publish(alice))
    whole = await anybody.get(url)
    size = len(whole.body)
    assert whole.headers["accept-ranges"] == "bytes"

    async def part(asked: str, **more: str) -> tuple[int, str, bytes]:
        reply = await anybody.get(url, headers={"range": asked, **more})
        assert int(reply.headers["content-length"]) == len(reply.body)
        return reply.status, reply.headers.get("content-range", ""), reply.body

    assert await part("bytes=5-9") == (206, f"bytes 5-9/{size}", whole.body[5:10])
    assert await part("bytes=-7") == (206, f"bytes {size - 7}-{size - 1}/{size}", whole.body[-7:])
    assert await part(f"bytes={size - 3}-") == (206, f"bytes {size - 3}-{size - 1}/{size}", whole.body[-3:])
    assert (await part(f"bytes={size}-"))[:2] == (416, f"bytes */{size}")
    assert (await part("bytes=9-5"))[0] == 416
    assert (await part("lines=1-2"))[0] == 200
    assert (await part("bytes=5-9", **{"if-range": whole.headers["etag"]}))[0] == 206
    assert (await part("bytes=5-9", **{"if-range": '"an older one"'}))[0] == 200


async def test_who_asks_for_several_parts_gets_the_whole_file(
    publish: Publish, anybody: Client, alice: Account
) -> None:
    url = address(await publish(alice))
    whole = await anybody.get(url)
    reply = await anybody.get(url, headers={"range": "bytes=0-1,10-19,-4"})
    assert (reply.status, reply.body) == (200, whole.body)
    assert "content-range" not in reply.headers


async def test_head_says_what_get_would(publish: Publish, anybody: Client, alice: Account) -> None:
    url = address(await publish(alice))
    for headers in ({}, {"range": "bytes=5-9"}, {"range": "bytes=0-1,5-6"}):
        got = await anybody.get(url, headers=headers)
        head = await anybody.call("HEAD", url, headers=headers)
        assert (head.status, head.body) == (got.status, b"")
        assert head.headers["content-length"] == got.headers["content-length"]


async def test_only_reading_is_possible(publish: Publish, anybody: Client, alice: Account) -> None:
    url = address(await publish(alice))
    for method in ("POST", "PUT", "DELETE"):
        assert (await anybody.call(method, url)).status == 405
    asked = await anybody.call("OPTIONS", url)
    assert (asked.status, asked.headers["access-control-allow-origin"]) == (204, "*")


async def test_a_photo_for_followers_is_for_followers(
    node: Node,
    publish: Publish,
    browser: Browser,
    anybody: Client,
    alice: Account,
    bob: Account,
    mallory: Account,
) -> None:
    await node.db.write(follows.follow, bob, alice)
    url = address(await publish(alice, visibility="followers"))
    nothing = await anybody.get("/media/ab/cd/nothing.jpg")
    for client in (anybody, await browser(mallory)):
        reply = await client.get(url)
        assert (reply.status, reply.body) == (nothing.status, nothing.body) == (404, nothing.body)
    for who in (alice, bob):
        reply = await (await browser(who)).get(url)
        assert (reply.status, reply.headers["cache-control"]) == (200, "private, max-age=600")
    assert (await anybody.get(url)).status == 404
    await node.db.write(blocks.block, alice, bob)
    assert (await (await browser(bob)).get(url)).status == 404


async def test_a_capability_opens_one_file_and_no_other(
    node: Node, publish: Publish, anybody: Client, alice: Account
) -> None:
    photo = await publish(alice, visibility="direct", caption="For nobody")
    url = media_urls.of_photo(node.site, photo, media_urls.FULL, is_open=False).removeprefix(
        node.site.base_url
    )
    reply = await anybody.get(url)
    assert (reply.status, reply.headers["cache-control"]) == (200, "private, max-age=31536000, immutable")
    other = photo.files["medium", "webp"].file
    assert (await anybody.get("/".join(url.split("/")[:4]) + "/" + other)).status == 404


async def test_a_photo_in_no_post_is_its_owners(
    node: Node, browser: Browser, anybody: Client, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    from node.attachments import photos

    url = address(await photos.upload(node, alice, photo(300, 200)))
    assert (await (await browser(alice)).get(url)).status == 200
    assert (await (await browser(bob)).get(url)).status == 404
    assert (await anybody.get(url)).status == 404


async def test_a_deleted_photo_is_gone_within_the_minute(
    node: Node, publish: Publish, alice: Account, settle: Callable[[], Awaitable[int]]
) -> None:
    photo = await publish(alice)
    client = Client(Files(node))
    assert (await client.get(address(photo))).status == 200
    post_id = (await node.db.read(_post_of, photo.id)) or 0
    post = await node.db.read(posts.by_id, post_id)
    await node.db.write(post_deletion.delete, alice, post)
    assert (await Client(Files(node)).get(address(photo))).status == 404
    await settle()
    assert (await client.get(address(photo))).status == 404


def _post_of(tx: object, photo_id: int) -> int | None:

    return photo_rows.by_ids(tx, [photo_id])[photo_id].post_id  # type: ignore[arg-type]


async def test_an_avatar_has_an_address_that_changes_with_it(
    node: Node, anybody: Client, alice: Account, photo: Callable[..., bytes]
) -> None:
    from node.accounts import accounts

    assert media_urls.of_avatar(node.site, alice).endswith("/static/avatar.svg")
    await avatars.change(node, alice, photo(500, 500))
    now = await node.db.read(accounts.get, alice.id)
    url = media_urls.of_avatar(node.site, now)
    reply = await anybody.get(url.removeprefix(node.site.base_url))
    assert (reply.status, reply.headers["content-type"]) == (200, "image/webp")
    jpeg = await anybody.get(f"/media/avatar/{alice.id}/avatar.jpeg")
    assert (jpeg.status, jpeg.headers["content-type"]) == (200, "image/jpeg")
    await avatars.change(node, alice, photo(501, 500, seed=2))
    later = await node.db.read(accounts.get, alice.id)
    assert media_urls.of_avatar(node.site, later) != url


@pytest.mark.parametrize(
    "path",
    [
        "/media/",
        "/media/../../etc/passwd",
        "/media/..%2f..%2fetc/passwd",
        "/media/.incoming/x",
        "/media/ab/cd/x.svg",
        "/media/p/",
        "/media/p/x",
        "/media/p/é/ab/cd/x.jpg",
        "/media/remote/1/medium.webp",
        "/media/remote/9999999999999999999/medium.webp",
        "/media/remote/https://elsewhere.example/x.jpg",
        "/media/remote/1",
        "/media/avatar/1/../x",
        "/media/avatar/x/small.webp",
        "/media/avatar/1/small.webp",
        "/static/../app.py",
        "/static/none.css",
        "/static/0123456789ab/none.css",
    ],
)
async def test_what_is_not_there_is_404(anybody: Client, path: str) -> None:
    reply = await anybody.get(path)
    assert reply.status == 404
    assert b"/" not in reply.body


async def test_static_files_are_named_by_what_they_hold(node: Node, anybody: Client) -> None:
    from web.files.asset_urls import Assets

    url = node.part(Assets).url("avatar.svg")
    kept = await anybody.get(url)
    assert (kept.status, kept.headers["content-type"]) == (200, "image/svg+xml")
    assert "immutable" in kept.headers["cache-control"]
    plain = await anybody.get("/static/avatar.svg")
    assert (plain.body, plain.headers["cache-control"]) == (kept.body, "no-cache")
    old = await anybody.get("/static/0123456789ab/avatar.svg")
    assert (old.body, old.headers["cache-control"]) == (kept.body, "no-cache")
    again = await anybody.get(url, headers={"if-none-match": kept.headers["etag"]})
    assert again.status == 304
    small = await anybody.get(url, headers={"accept-encoding": "br, gzip"})
    if "content-encoding" in small.headers:
        import gzip

        assert gzip.decompress(small.body) == kept.body


async def test_a_capability_ends_when_its_author_is_suspended(
    node: Node, publish: Publish, alice: Account, bob: Account
) -> None:
    photo = await publish(alice, visibility="followers")
    url = media_urls.of_photo(node.site, photo, media_urls.FULL, is_open=False).removeprefix(
        node.site.base_url
    )
    assert (await Client(Files(node)).get(url)).status == 200

    def judge(tx: Writer) -> None:
        for who, role in ((alice, "user"), (bob, "admin")):
            users.create(tx, who, email=f"{who.name}@tintype.test", password_hash="-", role=role)
        account_actions.suspend(tx, bob, alice)

    await node.db.write(judge)
    assert (await Client(Files(node)).get(url)).status == 404
