"""Markers: what one app has read, another goes on from; and the pages know of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from node.interactions import likes
from node.models.account import Account
from node.node import Node
from node.posts import posts
from node.timelines import notification_list
from tests.web.api.conftest import App

Post = Callable[..., Awaitable[Any]]


async def test_another_app_goes_on_where_the_first_one_stopped(app: App, post: Post, alice: Account) -> None:
    status = await post(alice)
    first, second = await app(alice), await app(alice)
    assert (await second.get("/api/v1/markers", {"timeline[]": "home"})).json == {}

    for _ in range(2):
        await first.post("/api/v1/markers", sent={"home": {"last_read_id": status["id"]}})

    found = (
        await second.get("/api/v1/markers?timeline[]=home&timeline[]=notifications&timeline[]=lists")
    ).json
    assert set(found) == {"home"}
    assert (found["home"]["last_read_id"], found["home"]["version"]) == (status["id"], 1)


async def test_notifications_read_in_an_app_are_read_on_pages_and_the_other_way_round(
    app: App, post: Post, node: Node, alice: Account, bob: Account
) -> None:
    client = await app(alice)
    ids = []
    for n in range(2):
        status = await post(alice, f"Number {n}")
        liked = await node.db.read(posts.by_id, int(status["id"]))
        await node.db.write(likes.like, bob, liked)
    ids = [one["id"] for one in (await client.get("/api/v1/notifications")).json]

    await client.post("/api/v1/markers", form={"notifications[last_read_id]": ids[1]})
    assert (await client.get("/api/v1/notifications/unread_count")).json == {"count": 1}

    await node.db.write(notification_list.mark_read, alice)
    marker = (await client.get("/api/v1/markers", {"timeline[]": "notifications"})).json["notifications"]
    assert (marker["last_read_id"], marker["version"]) == (ids[0], 2)


async def test_a_marker_is_what_was_sent_also_above_the_newest_notification(
    app: App, post: Post, node: Node, alice: Account, bob: Account
) -> None:
    client = await app(alice)
    liked = await node.db.read(posts.by_id, int((await post(alice))["id"]))
    await node.db.write(likes.like, bob, liked)
    newest = (await client.get("/api/v1/notifications")).json[0]["id"]

    sent = {"notifications": {"last_read_id": str(int(newest) + 5)}}
    stored = (await client.post("/api/v1/markers", sent=sent)).json["notifications"]

    assert stored["last_read_id"] == str(int(newest) + 5)


async def test_what_is_no_id_is_refused(app: App, alice: Account) -> None:
    client = await app(alice)
    reply = await client.post("/api/v1/markers", sent={"home": {"last_read_id": "yesterday"}})
    assert (reply.status, "id" in reply.json["error"]) == (422, True)
    assert (await client.post("/api/v1/markers", sent={"home": {}})).status == 422


async def test_markers_are_of_one_account(app: App, post: Post, alice: Account, bob: Account) -> None:
    status = await post(alice)
    await (await app(alice)).post("/api/v1/markers", sent={"home": {"last_read_id": status["id"]}})
    assert (await (await app(bob)).get("/api/v1/markers", {"timeline[]": "home"})).json == {}
