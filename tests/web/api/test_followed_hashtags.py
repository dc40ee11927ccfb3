"""Following a hashtag: its public posts come into the home timeline, by an app and by the page of the hashtag."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.interactions import blocks, follows
from node.maintenance import clean_up
from node.models.account import Account
from node.node import Node
from node.posts import followed_hashtags, hashtags
from tests.support.asgi import Client
from tests.web.api.conftest import App

Post = Callable[..., Awaitable[Any]]


async def _home(client: Client) -> list[str]:
    return [one["id"] for one in (await client.get("/api/v1/timelines/home")).json]


async def test_posts_with_a_followed_hashtag_come_into_the_home_timeline(
    app: App, post: Post, alice: Account, bob: Account
) -> None:
    client = await app(alice)
    earlier = await post(bob, "Before #Fog")
    followed = (await client.post("/api/v1/tags/fOG/follow")).json
    assert (followed["name"], followed["following"]) == ("Fog", True)

    later = await post(bob, "After #fog")
    await post(bob, "Another #lake")
    comment = await post(bob, "A comment #fog", in_reply_to_id=later["id"])
    hidden = await post(bob, "For followers #fog", visibility="private")

    home = await _home(client)
    assert home == [later["id"], earlier["id"]]
    assert comment["id"] not in home
    assert hidden["id"] not in home

    assert (await client.post("/api/v1/tags/fog/unfollow")).json["following"] is False
    assert await _home(client) == []


async def test_unfollowing_a_hashtag_leaves_what_comes_for_another_reason(
    app: App, post: Post, node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    client = await app(alice)
    await node.db.write(follows.follow, alice, bob)
    for name in ("fog", "lake"):
        await client.post(f"/api/v1/tags/{name}/follow")
    of_bob, of_both = await post(bob, "#fog"), await post(mallory, "#fog #lake")
    own, only_fog = await post(alice, "#fog"), await post(mallory, "#fog alone")
    assert set(await _home(client)) == {of_bob["id"], of_both["id"], own["id"], only_fog["id"]}

    await client.post("/api/v1/tags/fog/unfollow")

    assert set(await _home(client)) == {of_bob["id"], of_both["id"], own["id"]}


async def test_who_blocks_is_not_brought_by_a_hashtag(
    app: App, post: Post, node: Node, alice: Account, bob: Account
) -> None:
    client = await app(alice)
    await client.post("/api/v1/tags/fog/follow")
    await node.db.write(blocks.block, bob, alice)
    await post(bob, "#fog")
    assert await _home(client) == []


async def test_a_hashtag_says_whether_it_is_followed(app: App, anonymous: Client, alice: Account) -> None:
    client = await app(alice)
    assert (await anonymous.get("/api/v1/tags/quiet")).json["following"] is False
    await client.post("/api/v1/tags/quiet/follow")
    assert (await client.get("/api/v1/tags/Quiet/", {"_pe": "1"})).json["following"] is True
    assert (await anonymous.get("/api/v1/tags/quiet")).json["following"] is False
    (found,) = (await client.get("/api/v2/search", {"q": "#quiet", "type": "hashtags"})).json["hashtags"] or [
        {}
    ]
    assert found.get("following", True) is True


@pytest.mark.parametrize("name", ["%21", "12", "x" * 300])
async def test_what_is_no_hashtag_is_not_found(app: App, alice: Account, name: str) -> None:
    client = await app(alice)
    assert (await client.get(f"/api/v1/tags/{name}")).status == 404
    assert (await client.post(f"/api/v1/tags/{name}/follow")).status == 404


async def test_followed_hashtags_are_listed_in_pages(app: App, alice: Account) -> None:
    client = await app(alice)
    for n in range(3):
        await client.post(f"/api/v1/tags/tag{n}/follow")
    first = await client.get("/api/v1/followed_tags", {"limit": "2"})
    assert [one["name"] for one in first.json] == ["tag2", "tag1"]
    assert "max_id=" in first.links()["next"]
    rest = await client.get("/api/v1/followed_tags?" + first.links()["next"].partition("?")[2])
    assert [one["name"] for one in rest.json] == ["tag0"]


async def test_so_many_are_followed_and_no_more(
    app: App, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await app(alice)
    monkeypatch.setattr(followed_hashtags, "MAX_FOLLOWED", 2)
    for name in ("a1", "b1"):
        assert (await client.post(f"/api/v1/tags/{name}/follow")).status == 200
    refused = await client.post("/api/v1/tags/c1/follow")
    assert (refused.status, "Unfollow one" in refused.json["error"]) == (422, True)
    assert (await client.post("/api/v1/tags/a1/follow")).status == 200


async def test_a_followed_hashtag_is_kept_while_no_post_has_it(
    app: App, node: Node, alice: Account, clock: Callable[[int], None]
) -> None:
    client = await app(alice)
    await client.post("/api/v1/tags/quiet/follow")
    clock(8 * clean_up.DAY_MS)
    await node.db.write(lambda tx: hashtags.clean_up(tx, hashtags.now_ms(), None))
    assert [one["name"] for one in (await client.get("/api/v1/followed_tags")).json] == ["quiet"]
    await client.post("/api/v1/tags/quiet/unfollow")
    await node.db.write(lambda tx: hashtags.clean_up(tx, hashtags.now_ms(), None))
    assert await node.db.read(hashtags.by_name, "quiet") is None
