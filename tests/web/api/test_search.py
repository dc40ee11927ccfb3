"""Searching for people, hashtags and posts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from node.models.account import Account
from tests.support.asgi import Client
from tests.web.api.conftest import App

Post = Callable[..., Awaitable[Any]]


async def test_people_and_hashtags_are_found_and_all_three_lists_are_there(
    post: Post, stranger: Client, alice: Account
) -> None:
    await post(alice, "Morning #lakeside")
    found = (await stranger.get("/api/v2/search", {"q": "ali"})).json
    assert set(found) == {"accounts", "statuses", "hashtags"}
    assert [one["username"] for one in found["accounts"]] == ["alice"]
    tags = (await stranger.get("/api/v2/search", {"q": "#lake", "type": "hashtags"})).json["hashtags"]
    assert [(one["name"], one["url"]) for one in tags] == [("lakeside", "https://tintype.test/tags/lakeside")]
    assert len(tags[0]["history"]) == 7
    assert tags[0]["history"][0]["accounts"] == "1"


async def test_ones_own_posts_are_found_by_their_words(
    post: Post, app: App, alice: Account, bob: Account
) -> None:
    status = await post(alice, "The heron waits")
    mine = (await (await app(alice)).get("/api/v2/search", {"q": "heron"})).json
    assert [one["id"] for one in mine["statuses"]] == [status["id"]]
    theirs = (await (await app(bob)).get("/api/v2/search", {"q": "heron"})).json
    assert theirs["statuses"] == []


async def test_a_handle_or_address_of_ours_resolves_without_asking_anyone(
    post: Post, app: App, alice: Account
) -> None:
    status, client = await post(alice), await app(alice)
    for query in ("@alice@tintype.test", "https://tintype.test/@alice", alice.uri):
        found = (await client.get("/api/v2/search", {"q": query, "resolve": "1"})).json
        assert [one["id"] for one in found["accounts"]] == [str(alice.id)], query
    found = (await client.get("/api/v2/search", {"q": status["url"], "resolve": "true"})).json
    assert [one["id"] for one in found["statuses"]] == [status["id"]]


async def test_another_server_that_does_not_answer_is_as_good_as_nothing_found(
    app: App, alice: Account
) -> None:
    reply = await (await app(alice)).get("/api/v2/search", {"q": "@eve@nowhere.invalid", "resolve": "true"})
    assert (reply.status, reply.json["accounts"]) == (200, [])


async def test_a_stranger_cannot_make_this_node_ask_others(stranger: Client) -> None:
    assert (await stranger.get("/api/v2/search", {"q": "@a@b.example", "resolve": "true"})).status == 401
    assert (await stranger.get("/api/v2/search", {"q": "a", "offset": "3"})).status == 401
    assert (await stranger.get("/api/v2/search")).status == 422
