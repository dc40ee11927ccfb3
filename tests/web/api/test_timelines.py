"""Timelines and their pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.database import Writer
from node.database.bounded_pages import MAX_VISITED
from node.interactions import blocks
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from tests.support.posting import publish, receive_post, rita
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


async def test_the_last_page_has_no_next(post: Post, app: App, alice: Account) -> None:
    for number in range(3):
        await post(alice, f"#sea {number}")
    client = await app(alice)
    for path in ("timelines/home", "timelines/public", "timelines/tag/sea", f"accounts/{alice.id}/statuses"):
        first = await client.get(f"/api/v1/{path}", {"limit": "2"})
        last = await client.get(first.links()["next"].removeprefix("https://tintype.test"))

        assert (len(first.json), len(last.json), set(last.links())) == (2, 1, {"prev"})


@pytest.mark.parametrize(("verb", "path"), [("mute", "mutes"), ("block", "blocks"), ("follow", "")])
async def test_the_last_page_of_a_list_of_accounts_has_no_next(
    app: App, alice: Account, bob: Account, mallory: Account, verb: str, path: str
) -> None:
    client, path = await app(alice), f"/api/v1/{path or f'accounts/{alice.id}/following'}"
    for other in (bob, mallory):
        await client.post(f"/api/v1/accounts/{other.id}/{verb}")
    full = await client.get(path, {"limit": "1"})
    last = await client.get(path, {"limit": "3"})

    assert [(len(page.json), "next" in page.links()) for page in (full, last)] == [(1, True), (2, False)]


async def test_an_empty_page_says_where_the_list_goes_on(
    node: Node, post: Post, app: App, alice: Account, mallory: Account
) -> None:
    made = (await post(alice, "#sea"))["id"]

    def flood(tx: Writer) -> None:
        for number in range(MAX_VISITED):
            publish(tx, mallory, f"#sea {number}")
        blocks.block(tx, alice, mallory)

    await node.db.write(flood)
    client = await app(alice)
    for path in ("timelines/public", "timelines/tag/sea", "timelines/tag/sea?any[]=lake"):
        first = await client.get(f"/api/v1/{path}")
        assert (first.json, set(first.links())) == ([], {"next"})

        second = await client.get(first.links()["next"].removeprefix("https://tintype.test"))

        assert ids(second.json) == [made]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("any[]=lake", ["sea", "sea lake", "sea lake fog", "lake"]),
        ("any[]=lake&any[]=fog", ["sea", "sea lake", "sea lake fog", "lake", "fog"]),
        ("any[]=unknown", ["sea", "sea lake", "sea lake fog"]),
        ("all[]=lake", ["sea lake", "sea lake fog"]),
        ("all[]=%23Lake&all[]=FOG", ["sea lake fog"]),
        ("all[]=unknown", []),
        ("none[]=lake", ["sea"]),
        ("none[]=unknown", ["sea", "sea lake", "sea lake fog"]),
        ("all[]=lake&none[]=fog", ["sea lake"]),
        ("any[]=lake&none[]=sea", ["lake"]),
        ("any=lake", ["sea", "sea lake", "sea lake fog", "lake"]),
        ("any[]=", ["sea", "sea lake", "sea lake fog"]),
    ],
)
async def test_a_timeline_of_several_hashtags_has_what_was_asked_for(
    post: Post, app: App, alice: Account, query: str, expected: list[str]
) -> None:
    made = {
        tags: (await post(alice, " ".join(f"#{tag}" for tag in tags.split())))["id"]
        for tags in ("sea", "sea lake", "sea lake fog", "lake", "fog")
    }
    client, path, found = await app(alice), f"/api/v1/timelines/tag/sea?limit=1&{query}", list[str]()
    while path and len(found) < 10:
        page = await client.get(path)
        found += ids(page.json)
        path = page.links().get("next", "").removeprefix("https://tintype.test")

    assert found == [made[tags] for tags in reversed(expected)]


@pytest.mark.parametrize(
    "query",
    [
        "sea?all[]=fog",
        "fog?all[]=sea",
        "sea?all[]=sand&all[]=fog",
        "sea?any[]=sand&all[]=fog",
        "fog?all[]=sea&local=true",
    ],
)
async def test_posts_with_all_of_several_hashtags_are_found_at_once_if_one_of_them_is_rare(
    node: Node, anonymous: Client, alice: Account, query: str
) -> None:
    def flood(tx: Writer) -> str:
        found = publish(tx, alice, "#sea #sand #fog")
        publish(tx, alice, "#fog")
        for number in range(MAX_VISITED + 1):
            publish(tx, alice, f"#sea #sand {number}")
        return str(found.id)

    made = await node.db.write(flood)

    first = await anonymous.get(f"/api/v1/timelines/tag/{query}")

    assert ids(first.json) == [made]
    assert "next" not in first.links()


@pytest.mark.parametrize("path", ["/api/v1/timelines/tag/sea", "/api/v1/timelines/public"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["remote", "local"]),
        ("local=true", ["local"]),
        ("remote=true", ["remote"]),
        ("local=true&remote=true", ["remote", "local"]),
        ("remote=true&only_media=true", []),
    ],
)
async def test_a_timeline_may_be_of_local_or_of_remote_posts_alone(
    node: Node, anonymous: Client, post: Post, alice: Account, path: str, query: str, expected: list[str]
) -> None:
    def received(tx: Writer) -> str:
        return str(receive_post(tx, rita(tx), html="<p>#sea</p>", hashtags=["sea"]).id)

    made = {(await post(alice, "Calm #sea"))["id"]: "local", await node.db.write(received): "remote"}

    shown = (await anonymous.get(f"{path}?{query}")).json

    assert sorted(made[one["id"]] for one in shown) == sorted(expected)


async def test_links_always_have_a_question_mark_and_never_a_comma(
    post: Post, app: App, alice: Account
) -> None:
    await post(alice, "#sea")
    client = await app(alice)
    for path in (
        "timelines/home?limit=1",
        "timelines/public?limit=1&local=true",
        "timelines/tag/sea?limit=1&only_media=false",
    ):
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
