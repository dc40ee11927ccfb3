"""Photos and avatars over HTTP: what is sent, to whom, and for how long it may be cached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from node.accounts import accounts
from node.attachments import avatars, photo_rows, photos
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.interactions import blocks, follows
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from tests.support.asgi import Client
from tests.support.people import remote
from tests.web.conftest import Publish
from web.files import media_urls
from web.files.media_files import MediaApp

Browser = Callable[[Account], Awaitable[Client]]


def address(photo: Photo) -> str:
    return "/media/" + photo.files["federated", "jpeg"].key


def _url_with(node: Node, photo: Photo, capability: media_urls.Capability) -> str:
    return media_urls.photo_url(node.site, photo, media_urls.FULL_VARIANTS, capability).removeprefix(
        node.site.base_url
    )


async def test_a_public_photo_may_be_cached_for_ever(
    publish: Publish, anybody: Client, alice: Account
) -> None:
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


async def test_a_photo_that_a_browser_has_is_not_sent_again(
    publish: Publish, anybody: Client, alice: Account
) -> None:
    url = address(await publish(alice))
    etag = (await anybody.get(url)).headers["etag"]
    for known in (etag, f'W/{etag}, "other"', "*"):
        again = await anybody.get(url, headers={"if-none-match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert (await anybody.get(url, headers={"if-none-match": '"other"'})).status == 200


async def test_other_methods_than_reading_are_refused(
    publish: Publish, anybody: Client, alice: Account
) -> None:
    url = address(await publish(alice))
    for method in ("POST", "PUT", "DELETE"):
        assert (await anybody.call(method, url)).status == 405
    preflight = await anybody.call("OPTIONS", url)
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, "*")


async def test_a_followers_only_photo_is_served_to_followers_only(
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
    for account in (alice, bob):
        reply = await (await browser(account)).get(url)
        assert (reply.status, reply.headers["cache-control"]) == (200, "private, max-age=600")
    assert (await anybody.get(url)).status == 404
    await node.db.write(blocks.block, alice, bob)
    assert (await (await browser(bob)).get(url)).status == 404


async def test_an_unattached_photo_is_served_to_its_owner_only(
    node: Node, browser: Browser, anybody: Client, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    url = address(await photos.upload(node, alice, photo(300, 200)))
    assert (await (await browser(alice)).get(url)).status == 200
    assert (await (await browser(bob)).get(url)).status == 404
    assert (await anybody.get(url)).status == 404


async def test_a_deleted_photo_is_not_served(
    node: Node, publish: Publish, alice: Account, settle: Callable[[], Awaitable[int]]
) -> None:
    photo = await publish(alice)
    client = Client(MediaApp(node))
    assert (await client.get(address(photo))).status == 200
    post_id = (await node.db.read(_post_of, photo.id)) or 0
    post = await node.db.read(posts.by_id, post_id)
    await node.db.write(post_deletion.delete, alice, post)
    assert (await Client(MediaApp(node)).get(address(photo))).status == 404
    await settle()
    assert (await client.get(address(photo))).status == 404


def _post_of(tx: Reader, photo_id: int) -> int | None:
    return photo_rows.by_ids(tx, [photo_id])[photo_id].post_id


async def test_an_avatar_is_served_under_a_url_that_changes_with_it(
    node: Node, anybody: Client, alice: Account, photo: Callable[..., bytes]
) -> None:
    assert media_urls.avatar_url(node.site, alice).endswith("/static/avatar.svg")
    await avatars.upload(node, alice, photo(500, 500))
    current = await node.db.read(accounts.get, alice.id)
    url = media_urls.avatar_url(node.site, current)
    reply = await anybody.get(url.removeprefix(node.site.base_url))
    assert (reply.status, reply.headers["content-type"]) == (200, "image/webp")
    jpeg = await anybody.get(f"/media/avatar/{alice.id}/avatar.jpeg")
    assert (jpeg.status, jpeg.headers["content-type"]) == (200, "image/jpeg")
    await avatars.upload(node, alice, photo(501, 500, seed=2))
    later = await node.db.read(accounts.get, alice.id)
    assert media_urls.avatar_url(node.site, later) != url


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
        "/media/remote/https://other.example/x.jpg",
        "/media/remote/1",
        "/media/avatar/1/../x",
        "/media/avatar/x/small.webp",
        "/media/avatar/1/small.webp",
    ],
)
async def test_an_unknown_path_is_404(anybody: Client, path: str) -> None:
    reply = await anybody.get(path)
    assert reply.status == 404
    assert b"/" not in reply.body


@pytest.mark.parametrize("change", ["block", "blocked", "unfollow", "removed", "disabled", "suspended"])
async def test_the_address_that_a_follower_was_given_ends_with_the_right_to_see_it(
    node: Node, publish: Publish, browser: Browser, anybody: Client, alice: Account, bob: Account, change: str
) -> None:
    await node.db.write(follows.follow, bob, alice)
    photo = await publish(alice, visibility="followers")
    await browser(bob)  # so that he can sign in
    url = _url_with(node, photo, media_urls.viewer_capability(node.site, bob))
    reply = await anybody.get(url)
    assert (reply.status, reply.headers["cache-control"]) == (200, "private, max-age=600")

    def unit(tx: Writer) -> None:
        if change == "block":
            blocks.block(tx, alice, bob)
        elif change == "blocked":
            blocks.block(tx, bob, alice)
        elif change == "unfollow":
            follows.unfollow(tx, bob, alice)
        elif change == "removed":
            follows.remove_follower(tx, alice, bob)
        elif change == "disabled":
            tx.run("UPDATE users SET state = 'disabled' WHERE account_id = :id", id=bob.id)
        else:
            accounts.set_visible(tx, bob.id, is_visible=False)

    await node.db.write(unit)
    assert (await anybody.get(url)).status == 404


async def test_an_address_is_of_one_account_and_cannot_be_rewritten(
    node: Node, publish: Publish, browser: Browser, anybody: Client, alice: Account, bob: Account
) -> None:
    photo = await publish(alice, visibility="followers")
    await browser(alice)
    await browser(bob)
    url = _url_with(node, photo, media_urls.viewer_capability(node.site, alice))
    token = url.split("/")[3]
    viewer, _, mac = token.partition("-")
    assert (await anybody.get(url)).status == 200
    own = _url_with(node, photo, media_urls.viewer_capability(node.site, bob))
    assert (await anybody.get(own)).status == 404
    for forged in (
        f"{bob.id:x}-{mac}", mac, f"0-{mac}", f"-{mac}", f"{viewer.upper()}-{mac}x", f"0x{viewer}-{mac}",
        f"{viewer}_0-{mac}", f"{'f' * 400}-{mac}", f"é-{mac}",
    ):  # fmt: skip
        assert (await anybody.get(url.replace(token, forged))).status == 404, forged


def _take_photos_out(tx: Writer, author: Account, post: Post) -> None:
    publishing.edit(tx, author, post, Draft(caption="No photo"))


@pytest.mark.parametrize("change", [partial(post_deletion.delete, keeps_photos=True), _take_photos_out])
@pytest.mark.parametrize("visibility", ["followers", "public"])
async def test_what_other_servers_have_ends_with_the_post(
    node: Node,
    publish: Publish,
    alice: Account,
    settle: Callable[[], Awaitable[int]],
    change: Any,
    visibility: str,
) -> None:
    await node.db.write(lambda tx: follows.follow(tx, remote(tx, "rita", "far.example"), alice))
    photo = await publish(alice, visibility=visibility)
    files = Client(MediaApp(node))
    own = partial(node.site.server_capability, host="far.example")
    url = address(photo) if visibility == "public" else _url_with(node, photo, own)
    assert (await files.get(url)).status == 200
    post = await node.db.read(posts.by_id, (await node.db.read(_post_of, photo.id)) or 0)
    await node.db.write(change, alice, post)
    await settle()
    assert (await files.get(url)).status == 404
