"""Scheduled statuses: posted with a time, listed, moved, cancelled, published, and seen by their author alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from node.models.account import Account
from node.node import Node
from tests.web.api.conftest import App
from web import wiring

PATH = "/api/v1/scheduled_statuses"


def later(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat(timespec="seconds").replace("+00:00", "Z")


def milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


async def test_a_status_with_a_time_is_published_then(
    node: Node, app: App, alice: Account, photo: Callable[..., bytes]
) -> None:
    client, at = await app(alice), later(hours=2)
    media = (await client.post("/api/v2/media", files={"file": photo(60, 40)})).json["id"]
    sent = {
        "status": "Good evening",
        "media_ids": [media],
        "spoiler_text": "dusk",
        "visibility": "private",
        "language": "de",
        "scheduled_at": at,
    }

    answer = await client.post("/api/v1/statuses", sent=sent)

    assert answer.status == 200
    assert set(answer.json) == {"id", "scheduled_at", "params", "media_attachments"}
    assert milliseconds(answer.json["scheduled_at"]) == milliseconds(at)
    params = answer.json["params"]
    assert (params["text"], params["spoiler_text"], params["visibility"]) == (
        "Good evening",
        "dusk",
        "private",
    )
    assert (params["media_ids"], params["language"], params["scheduled_at"]) == ([media], "de", None)
    assert [one["id"] for one in answer.json["media_attachments"]] == [media]
    assert (await client.get(PATH)).json == [answer.json]
    assert (await client.get(f"{PATH}/{answer.json['id']}")).json == answer.json
    assert (await client.get(f"/api/v1/accounts/{alice.id}/statuses")).json == []

    await wiring.run_due_jobs(node, milliseconds(at) + 1)

    [status] = (await client.get(f"/api/v1/accounts/{alice.id}/statuses")).json
    assert (status["spoiler_text"], status["visibility"]) == ("dusk", "private")
    assert [one["id"] for one in status["media_attachments"]] == [media]
    assert (await client.get(PATH)).json == []


async def test_it_is_moved_and_cancelled(app: App, alice: Account) -> None:
    client = await app(alice)
    made = (await client.post("/api/v1/statuses", sent={"status": "x", "scheduled_at": later(hours=2)})).json
    path, at = f"{PATH}/{made['id']}", later(days=2)

    moved = await client.call("PUT", path, sent={"scheduled_at": at})
    assert milliseconds(moved.json["scheduled_at"]) == milliseconds(at)
    for wrong in ({}, {"scheduled_at": "soon"}, {"scheduled_at": later(minutes=1)}):
        assert (await client.call("PUT", path, sent=wrong)).status == 422
    assert (await client.get(path)).json == moved.json

    assert (await client.call("DELETE", path)).json == {}
    assert (await client.get(path)).status == 404
    assert (await client.call("DELETE", path)).status == 404


async def test_a_time_that_cannot_be_is_422(app: App, alice: Account) -> None:
    client = await app(alice)
    for at in ("soon", "0000-00-00", later(minutes=3), later(days=400)):
        assert (await client.post("/api/v1/statuses", sent={"status": "x", "scheduled_at": at})).status == 422
    assert (await client.get(PATH)).json == []


async def test_a_time_that_is_over_posts_at_once_as_mastodon_does(app: App, alice: Account) -> None:
    status = (
        await (await app(alice)).post(
            "/api/v1/statuses", sent={"status": "now", "scheduled_at": later(hours=-1)}
        )
    ).json
    assert "now" in status["content"]


async def test_the_same_key_schedules_once(app: App, alice: Account) -> None:
    client, key = await app(alice), {"idempotency-key": "once"}
    sent = {"status": "x", "scheduled_at": later(hours=2)}
    first = await client.post("/api/v1/statuses", sent=sent, headers=key)
    again = await client.post("/api/v1/statuses", sent=sent, headers=key)

    assert again.json == first.json
    assert len((await client.get(PATH)).json) == 1


async def test_nobody_else_sees_or_changes_it(app: App, alice: Account, bob: Account) -> None:
    client, other = await app(alice), await app(bob)
    made = (await client.post("/api/v1/statuses", sent={"status": "x", "scheduled_at": later(hours=2)})).json
    path = f"{PATH}/{made['id']}"

    assert (await other.get(PATH)).json == []
    assert (await other.get(path)).status == 404
    assert (await other.call("PUT", path, sent={"scheduled_at": later(days=1)})).status == 404
    assert (await other.call("DELETE", path)).status == 404
    assert (await client.get(path)).json == made


async def test_a_plain_draft_is_no_scheduled_status_and_lists_have_pages(
    node: Node, app: App, alice: Account
) -> None:
    from node.posts.drafts import Draft
    from node.publishing import saved_drafts

    client = await app(alice)
    plain = await node.db.write(saved_drafts.save, alice, Draft(caption="plain"))
    made = [
        (
            await client.post("/api/v1/statuses", sent={"status": str(n), "scheduled_at": later(hours=2 + n)})
        ).json
        for n in range(3)
    ]

    assert (await client.get(f"{PATH}/{plain.id}")).status == 404
    assert (await client.get(PATH)).json == made[::-1]
    assert (await client.get(f"{PATH}?limit=2")).json == made[:0:-1]
    assert (await client.get(f"{PATH}?max_id={made[1]['id']}")).json == made[:1]
    assert (await client.get(f"{PATH}?min_id={made[0]['id']}&limit=1")).json == [made[1]]
