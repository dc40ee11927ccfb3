"""Searching for accounts, hashtags and posts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.database import Writer
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from tests.web.api.conftest import App

Post = Callable[..., Awaitable[Any]]


async def test_search_finds_accounts_and_hashtags_and_has_all_three_lists(
    post: Post, anonymous: Client, alice: Account
) -> None:
    await post(alice, "Morning #lakeside")
    found = (await anonymous.get("/api/v2/search", {"q": "ali"})).json
    assert set(found) == {"accounts", "statuses", "hashtags"}
    assert [one["username"] for one in found["accounts"]] == ["alice"]
    tags = (await anonymous.get("/api/v2/search", {"q": "#lake", "type": "hashtags"})).json["hashtags"]
    assert [(one["name"], one["url"]) for one in tags] == [("lakeside", "https://tintype.test/tags/lakeside")]
    assert len(tags[0]["history"]) == 7
    assert tags[0]["history"][0]["accounts"] == "1"


async def test_own_posts_and_public_ones_are_found_by_their_text(
    post: Post, app: App, alice: Account, bob: Account
) -> None:
    status = await post(alice, "The heron waits")
    friends = await post(alice, "The heron waits for friends", visibility="private")
    mine = (await (await app(alice)).get("/api/v2/search", {"q": "heron"})).json
    assert [one["id"] for one in mine["statuses"]] == [friends["id"], status["id"]]
    others = (await (await app(bob)).get("/api/v2/search", {"q": "heron"})).json
    assert [one["id"] for one in others["statuses"]] == [status["id"]]


async def test_a_local_handle_or_url_resolves_without_a_request(post: Post, app: App, alice: Account) -> None:
    status, client = await post(alice), await app(alice)
    for query in ("@alice@tintype.test", "https://tintype.test/@alice", alice.uri):
        found = (await client.get("/api/v2/search", {"q": query, "resolve": "1"})).json
        assert [one["id"] for one in found["accounts"]] == [str(alice.id)], query
    found = (await client.get("/api/v2/search", {"q": status["url"], "resolve": "true"})).json
    assert [one["id"] for one in found["statuses"]] == [status["id"]]


async def test_an_unavailable_server_gives_no_results(app: App, alice: Account) -> None:
    reply = await (await app(alice)).get("/api/v2/search", {"q": "@eve@nowhere.invalid", "resolve": "true"})
    assert (reply.status, reply.json["accounts"]) == (200, [])


async def test_resolving_needs_a_token(anonymous: Client) -> None:
    assert (await anonymous.get("/api/v2/search", {"q": "@a@b.example", "resolve": "true"})).status == 401
    assert (await anonymous.get("/api/v2/search", {"q": "a", "offset": "3"})).status == 401
    assert (await anonymous.get("/api/v2/search")).status == 422


@pytest.mark.parametrize("kind", ["statuses", "hashtags", "accounts"])
async def test_an_offset_skips_what_was_found_before(
    node: Node, post: Post, app: App, alice: Account, bob: Account, kind: str
) -> None:
    for name in ("heron", "heronry", "herons"):
        await post(alice, f"#{name}")

    def rename(tx: Writer) -> None:
        tx.run("UPDATE accounts SET display_name = 'Heron', is_discoverable = TRUE WHERE is_local")

    await node.db.write(rename)
    client, query = await app(alice), {"q": "heron", "type": kind}
    key = "name" if kind == "hashtags" else "id"
    whole = [one[key] for one in (await client.get("/api/v2/search", query)).json[kind]]
    assert len(whole) >= 2

    paged = []
    for offset in range(len(whole) + 1):
        page = await client.get("/api/v2/search", {**query, "limit": 1, "offset": offset})
        paged += [one[key] for one in page.json[kind]]

    assert paged == whole
