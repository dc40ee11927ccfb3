"""Notifications, by type and by page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.models.account import Account
from tests.support.asgi import Client
from tests.web.api.conftest import App

Post = Callable[..., Awaitable[Any]]


@pytest.fixture
async def client(post: Post, app: App, alice: Account, bob: Account) -> Client:
    """Alice's app, after Bob followed, liked, boosted and answered."""
    status, client = await post(alice), await app(bob)
    await client.post(f"/api/v1/accounts/{alice.id}/follow")
    await client.post(f"/api/v1/statuses/{status['id']}/favourite")
    await client.post(f"/api/v1/statuses/{status['id']}/reblog")
    await post(bob, "Lovely", in_reply_to_id=status["id"])
    return await app(alice)


async def types(client: Client, query: Any = None) -> list[str]:
    return [one["type"] for one in (await client.get("/api/v1/notifications", query)).json]


async def test_each_notification_names_its_account_and_status(client: Client) -> None:
    found = (await client.get("/api/v1/notifications")).json
    assert [one["type"] for one in found] == ["mention", "reblog", "favourite", "follow"]
    assert all(one["account"]["username"] == "bob" for one in found)
    assert "Lovely" in found[0]["status"]["content"]
    assert found[2]["status"]["account"]["username"] == "alice"
    assert found[3]["status"] is None
    assert found[0]["group_key"]


async def test_types_filter_and_the_links_keep_the_filter(client: Client) -> None:
    assert await types(client, [("types[]", "favourite"), ("types[]", "follow")]) == ["favourite", "follow"]
    assert await types(client, [("types[]", "like")]) == ["favourite"]
    assert await types(client, [("exclude_types[]", "mention"), ("exclude_types[]", "reblog")]) == [
        "favourite",
        "follow",
    ]
    assert await types(client, [("types[]", "poll")]) == []
    first = await client.get(
        "/api/v1/notifications", [("types[]", "favourite"), ("types[]", "follow"), ("limit", "1")]
    )
    older = await client.get(first.links()["next"].removeprefix("https://tintype.test"))
    assert [one["type"] for one in older.json] == ["follow"]


async def test_one_notification_is_dismissed_and_then_all(client: Client, app: App, bob: Account) -> None:
    found = (await client.get("/api/v1/notifications")).json
    assert (await client.get("/api/v1/notifications/unread_count")).json == {"count": 4}
    path = f"/api/v1/notifications/{found[0]['id']}"
    assert (await client.get(path)).json == found[0]
    assert (await (await app(bob)).get(path)).status == 404
    await (await app(bob)).post(path + "/dismiss")
    assert len(await types(client)) == 4
    assert (await client.post(path + "/dismiss")).json == {}
    assert len(await types(client)) == 3
    assert (await client.post("/api/v1/notifications/dismiss", {"id": found[1]["id"]})).json == {}
    assert len(await types(client)) == 2
    await client.post("/api/v1/notifications/clear")
    assert await types(client) == []


@pytest.mark.parametrize("who", ["nobody", "0", "1", "-1", "9" * 30])
async def test_what_is_no_account_has_no_notifications(
    post: Post, app: App, alice: Account, bob: Account, who: str
) -> None:
    await (await app(bob)).post(f"/api/v1/statuses/{(await post(alice))['id']}/favourite")
    client = await app(alice)
    assert len((await client.get("/api/v1/notifications", {"account_id": str(bob.id)})).json) == 1
    assert len((await client.get("/api/v1/notifications", {"account_id": ""})).json) == 1

    assert (await client.get("/api/v1/notifications", {"account_id": who})).json == []
