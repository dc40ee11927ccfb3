"""Pictures that are not public, for other servers: each has an address of its own, as long as somebody there may see it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from activitypub.documents.private_media import bind_to_server
from node.accounts import accounts
from node.attachments.photo_rows import Photo
from node.database import Writer
from node.interactions import blocks, follows
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from tests.support.asgi import Client
from tests.support.people import remote
from tests.web.conftest import Publish
from web.files import media_urls

Change = Callable[[Writer, Account, Account], Any]
HOST = "far.example"


def _url(node: Node, photo: Photo, host: str = HOST) -> str:
    capability = partial(node.site.server_capability, host=host)
    url = media_urls.photo_url(node.site, photo, media_urls.FULL_VARIANTS, capability)
    return url.removeprefix(node.site.base_url)


def _follower(tx: Writer, alice: Account) -> Account:
    rita = remote(tx, "rita", HOST)
    follows.follow(tx, rita, alice)
    return rita


def _suspend(tx: Writer, account: Account) -> None:
    accounts.set_visible(tx, account.id, is_visible=False)


CHANGES: dict[str, Change] = {
    "block": lambda tx, alice, rita: blocks.block(tx, alice, rita),
    "blocked": lambda tx, alice, rita: blocks.block(tx, rita, alice),
    "unfollow": lambda tx, alice, rita: follows.unfollow(tx, rita, alice),
    "removed": lambda tx, alice, rita: follows.remove_follower(tx, alice, rita),
    "reader suspended": lambda tx, alice, rita: _suspend(tx, rita),
    "author suspended": lambda tx, alice, rita: _suspend(tx, alice),
    "server suspended": lambda tx, alice, rita: domain_rules.block(tx, HOST),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_the_address_ends_with_the_right_of_the_last_reader_there(
    node: Node, publish: Publish, anybody: Client, alice: Account, change: str
) -> None:
    rita = await node.db.write(_follower, alice)
    url = _url(node, await publish(alice, visibility="followers"))
    reply = await anybody.get(url)
    assert (reply.status, reply.headers["cache-control"]) == (200, "private, max-age=600")

    await node.db.write(lambda tx: CHANGES[change](tx, alice, rita))

    assert (await anybody.get(url)).status == 404


async def test_another_reader_there_keeps_it(
    node: Node, publish: Publish, anybody: Client, alice: Account
) -> None:
    rita = await node.db.write(_follower, alice)
    url = _url(node, await publish(alice, visibility="followers"))

    def unit(tx: Writer) -> None:
        follows.follow(tx, remote(tx, "sam", HOST), alice)
        blocks.block(tx, alice, rita)

    await node.db.write(unit)
    assert (await anybody.get(url)).status == 200


async def test_an_address_is_of_one_server_and_one_file(
    node: Node, publish: Publish, anybody: Client, alice: Account
) -> None:
    await node.db.write(_follower, alice)
    photo = await publish(alice, visibility="followers")
    url = _url(node, photo)
    token = url.split("/")[3]
    mac = token.partition("~")[2]
    rendered = node.site.media_capability(photo.files["federated", "jpeg"].key)

    for forged in (
        rendered,
        mac,
        f"~{mac}",
        f"other.example~{mac}",
        f"{HOST}~{rendered}",
        f"{HOST}:1~{mac}",
        "é~é",
    ):
        assert (await anybody.get(url.replace(token, forged))).status == 404, forged
    assert (await anybody.get(_url(node, photo, "other.example"))).status == 404
    other = photo.files["medium", "webp"].key
    assert (await anybody.get("/".join(url.split("/")[:4]) + "/" + other)).status == 404


async def test_only_what_the_node_rendered_is_made_an_address(node: Node) -> None:
    site, key = node.site, "aa/bb/c.jpg"
    rendered = f"https://tintype.test/media/p/{site.media_capability(key)}/{key}"
    typed = f"https://tintype.test/media/p/{'0' * 32}/{key}"

    bound = bind_to_server(site, f'{{"url":"{rendered}","content":"{typed}"}}'.encode(), HOST)

    own = f"https://tintype.test/media/p/{site.server_capability(key, HOST)}/{key}"
    assert bound == f'{{"url":"{own}","content":"{typed}"}}'.encode()
    assert bind_to_server(site, bound, HOST) == bound


async def test_the_reader_of_a_direct_post_is_found_among_many_followers(
    node: Node, publish: Publish, anybody: Client, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        for number in range(30):
            follows.follow(tx, remote(tx, f"fan{number:02}", HOST), alice)
        remote(tx, "rita", HOST)

    await node.db.write(unit)
    for reader in ("rita", "fan00", "fan29"):
        url = _url(node, await publish(alice, caption=f"@{reader}@{HOST}", visibility="direct"))
        assert (await anybody.get(url)).status == 200, reader


async def test_one_picture_in_many_posts_is_seen_by_who_may_see_one_of_them(
    node: Node, publish: Publish, anybody: Client, alice: Account
) -> None:
    await node.db.write(_follower, alice)
    photos = [await publish(alice, visibility="direct") for _ in range(25)]
    assert (await anybody.get(_url(node, photos[-1]))).status == 404

    photo = await publish(alice, visibility="followers")

    assert _url(node, photo) == _url(node, photos[0])
    assert (await anybody.get(_url(node, photo))).status == 200
