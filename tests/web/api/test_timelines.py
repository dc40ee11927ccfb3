"""Timelines and their pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from node.models.account import Account
from tests.support.asgi import Client
from tests.web.api.conftest import App

Post = Callable[..., Awaitable[Any]]


def ids(statuses: list[Any]) -> list[str]:
    return [one["id"] for one in statuses]


async def test_home_pages_through_everything_by_its_links(post: Post, app: App, alice: Account) -> None:
    made = [(await post(alice, f"Number {n}"))["id"] for n in range(5)]
    client = await app(alice)
    assert made == sorted(made, key=int)
    first = await client.get("/api/v1/timelines/home", {"limit": "2", "max_id": "0"})
    assert ids(first.json) == [made[4], made[3]]
    older = await client.get(first.links()["next"].removeprefix("https://tintype.test") + "&_pe=1")
    assert ids(older.json) == [made[2], made[1]]
    newer = await client.get(older.links()["prev"].removeprefix("https://tintype.test"))
    assert ids(newer.json) == [made[4], made[3]]
    assert ids((await client.get("/api/v1/timelines/home", {"since_id": made[1]})).json) == made[:1:-1]
    upwards = await client.get("/api/v1/timelines/home", {"min_id": made[0], "limit": "2"})
    assert ids(upwards.json) == [made[2], made[1]]
    assert ids((await client.get("/api/v1/timelines/home", {"min_id": "0"})).json) == made[::-1]
    oldest = await client.get("/api/v1/timelines/home", {"min_id": "0", "limit": "2"})
    assert ids(oldest.json) == [made[1], made[0]]
    assert "link" not in (await client.get("/api/v1/timelines/home", {"max_id": made[0]})).headers


async def test_links_always_have_a_question_mark_and_never_a_comma(
    post: Post, app: App, alice: Account
) -> None:
    await post(alice, "#sea")
    client = await app(alice)
    for path in ("timelines/home", "timelines/public?local=true", "timelines/tag/sea?only_media=false"):
        links = (await client.get(f"/api/v1/{path}")).links()
        assert set(links) == {"next", "prev"}
        assert all("?" in url and url.startswith("https://tintype.test/api/v1/") for url in links.values())


async def test_home_has_the_posts_and_boosts_of_followed_accounts(
    post: Post, app: App, alice: Account, bob: Account, mallory: Account
) -> None:
    reader, booster = await app(alice), await app(bob)
    await reader.post(f"/api/v1/accounts/{bob.id}/follow")
    status = await post(mallory, "From far")
    boost = (await booster.post(f"/api/v1/statuses/{status['id']}/reblog")).json
    own = await post(bob, "Mine")
    home = (await reader.get("/api/v1/timelines/home")).json
    assert ids(home) == [own["id"], boost["id"]]
    assert home[1]["reblog"]["account"]["username"] == "mallory"
    await reader.post(f"/api/v1/accounts/{bob.id}/unfollow")
    assert (await reader.get("/api/v1/timelines/home")).json == []


async def test_public_shows_public_posts_to_visitors(
    post: Post, anonymous: Client, alice: Account, bob: Account
) -> None:
    seen = await post(alice, "For all")
    await post(alice, "Not listed", visibility="unlisted")
    await post(alice, "For followers", visibility="private")
    assert ids((await anonymous.get("/api/v1/timelines/public")).json) == [seen["id"]]
    assert ids((await anonymous.get("/api/v1/timelines/public", {"local": "true"})).json) == [seen["id"]]
    assert (await anonymous.get("/api/v1/timelines/public", {"remote": "true"})).json == []
    assert (await anonymous.get("/api/v1/timelines/public", {"only_media": "true"})).json == []


async def test_a_hashtag_is_found_however_it_is_written(
    post: Post, anonymous: Client, alice: Account
) -> None:
    status = await post(alice, "#Été")
    for name in ("Été", "été", "ÉTÉ"):
        assert ids((await anonymous.get(f"/api/v1/timelines/tag/{name}")).json) == [status["id"]]
    assert (await anonymous.get("/api/v1/timelines/tag/none")).json == []


async def test_bookmarks_and_favourites_belong_to_the_caller(
    post: Post, app: App, alice: Account, bob: Account
) -> None:
    status, client = await post(alice), await app(bob)
    await client.post(f"/api/v1/statuses/{status['id']}/bookmark")
    await client.post(f"/api/v1/statuses/{status['id']}/favourite")
    for path in ("/api/v1/bookmarks", "/api/v1/favourites"):
        assert ids((await client.get(path)).json) == [status["id"]]
        assert (await (await app(alice)).get(path)).json == []


async def test_a_cached_status_never_shows_an_old_state(
    post: Post, app: App, alice: Account, bob: Account
) -> None:
    status, writer, reader = await post(alice, "Before"), await app(alice), await app(bob)
    path = f"/api/v1/statuses/{status['id']}"
    assert "Before" in (await reader.get(path)).json["content"]
    await writer.call("PUT", path, sent={"status": "After"})
    await reader.post(path + "/favourite")
    now = (await reader.get(path)).json
    assert "After" in now["content"]
    assert (now["favourited"], now["favourites_count"]) == (True, 1)
    assert (await writer.get(path)).json["favourited"] is False
