"""What the parameters of an app do: mutes that end, mentions that are allowed, focal points, who may quote, sources."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.accounts import relationships
from node.database import Writer
from node.ids import now_ms
from node.interactions import blocks
from node.models.account import Account
from node.node import Node
from node.posts import posts
from tests.support.asgi import Client
from tests.support.people import verbs_of
from tests.support.posting import receive_post, rita
from tests.web.api.conftest import App
from web.wiring import run_due_jobs

Post = Callable[..., Awaitable[Any]]
Picture = Callable[..., bytes]
HOUR = 3_600_000


async def _muting(node: Node, one: Account, other: Account) -> bool:
    return await node.db.read(relationships.has_muted, one, other)


async def test_a_mute_for_a_time_ends_at_its_time(
    node: Node, app: App, post: Post, alice: Account, bob: Account
) -> None:
    client = await app(alice)
    await client.post(f"/api/v1/accounts/{bob.id}/follow")
    await post(bob, "Good morning")
    before = now_ms()
    made = (await client.post(f"/api/v1/accounts/{bob.id}/mute", sent={"duration": 3600})).json
    assert made["muting"] is True
    assert made["muting_expires_at"] > "2026"
    (listed,) = (await client.get("/api/v1/mutes")).json
    assert (listed["username"], listed["mute_expires_at"]) == ("bob", made["muting_expires_at"])
    assert (await client.get("/api/v1/timelines/home")).json == []

    await run_due_jobs(node, before + HOUR - 60_000)
    assert await _muting(node, alice, bob)
    await run_due_jobs(node, now_ms() + HOUR)

    assert not await _muting(node, alice, bob)
    assert [one["account"]["username"] for one in (await client.get("/api/v1/timelines/home")).json] == [
        "bob"
    ]


@pytest.mark.parametrize("later", [{}, {"duration": 0}, {"duration": None}, {"duration": 86400}])
async def test_muting_again_replaces_the_end_of_a_mute(
    node: Node, app: App, alice: Account, bob: Account, later: dict[str, Any]
) -> None:
    client = await app(alice)
    path = f"/api/v1/accounts/{bob.id}/mute"
    await client.post(path, sent={"duration": 60})
    made = (await client.post(path, sent=later)).json
    assert (made["muting_expires_at"] is None) is not bool(later.get("duration"))
    await run_due_jobs(node, now_ms() + 120_000)
    assert await _muting(node, alice, bob)


@pytest.mark.parametrize("days", [1, 2, 3, 30, 3650])
async def test_a_mute_of_any_length_lasts_until_its_end(
    node: Node, app: App, alice: Account, bob: Account, days: int
) -> None:
    client = await app(alice)
    await client.post(f"/api/v1/accounts/{bob.id}/mute", sent={"duration": days * 86400})
    await run_due_jobs(node)
    assert await _muting(node, alice, bob)

    def pass_time(tx: Writer) -> None:
        tx.run("UPDATE mutes SET ends_at = ends_at - :time", time=days * 24 * HOUR)
        tx.run("UPDATE jobs SET run_at = 1 WHERE kind LIKE 'end_mute%'")

    await node.db.write(pass_time)
    await run_due_jobs(node)

    assert not await _muting(node, alice, bob)


async def test_muting_again_and_again_leaves_one_job(
    node: Node, app: App, alice: Account, bob: Account
) -> None:
    client = await app(alice)
    for seconds in (900, 600, 1200, 0, 300):
        await client.post(f"/api/v1/accounts/{bob.id}/mute", sent={"duration": seconds})
    jobs = await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM jobs WHERE kind LIKE 'end_mute%'"))
    assert jobs == 1


async def test_each_mute_ends_at_its_own_time(
    node: Node, app: App, alice: Account, bob: Account, mallory: Account
) -> None:
    client = await app(alice)
    await client.post(f"/api/v1/accounts/{bob.id}/mute", sent={"duration": 7200})
    await client.post(f"/api/v1/accounts/{mallory.id}/mute", sent={"duration": 600})
    await run_due_jobs(node, now_ms() + HOUR)
    assert [await _muting(node, alice, one) for one in (bob, mallory)] == [True, False]
    await run_due_jobs(node, now_ms() + 3 * HOUR)
    assert not await _muting(node, alice, bob)


async def test_unmuting_before_the_end_is_not_undone_and_a_new_mute_not_ended(
    node: Node, app: App, alice: Account, bob: Account
) -> None:
    client = await app(alice)
    await client.post(f"/api/v1/accounts/{bob.id}/mute", sent={"duration": 60})
    await client.post(f"/api/v1/accounts/{bob.id}/unmute")
    await client.post(f"/api/v1/accounts/{bob.id}/mute")
    await run_due_jobs(node, now_ms() + 120_000)
    assert await _muting(node, alice, bob)


@pytest.mark.parametrize("duration", ["-1", "soon", "1.5", "9" * 30, "1e3"])
async def test_a_duration_that_is_none_is_refused(
    app: App, node: Node, alice: Account, bob: Account, duration: str
) -> None:
    reply = await (await app(alice)).post(f"/api/v1/accounts/{bob.id}/mute", sent={"duration": duration})
    assert reply.status == 422
    assert not await _muting(node, alice, bob)


@pytest.mark.parametrize("values", [{"notify": True}, {"languages": ["de"]}, {"languages": "de"}])
async def test_a_follow_that_cannot_be_done_as_asked_is_refused(
    app: App, alice: Account, bob: Account, values: dict[str, Any]
) -> None:
    client = await app(alice)
    assert (await client.post(f"/api/v1/accounts/{bob.id}/follow", sent=values)).status == 422
    (between,) = (await client.get(f"/api/v1/accounts/relationships?id[]={bob.id}")).json
    assert between["following"] is False


async def test_following_again_keeps_what_is_not_sent(app: App, alice: Account, bob: Account) -> None:
    client, path = await app(alice), f"/api/v1/accounts/{bob.id}/follow"
    harmless = {"notify": False, "languages": []}
    assert (await client.post(path, sent={"reblogs": False, **harmless})).json["showing_reblogs"] is False
    assert (await client.post(path, sent=harmless)).json["showing_reblogs"] is False
    assert (await client.post(path, sent={"reblogs": True})).json["showing_reblogs"] is True


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
async def test_a_boost_has_the_visibility_it_was_made_with(
    app: App, post: Post, alice: Account, bob: Account, visibility: str
) -> None:
    status, client = await post(alice), await app(bob)
    path = f"/api/v1/statuses/{status['id']}/reblog"
    boost = (await client.post(path, sent={"visibility": visibility})).json
    assert (boost["visibility"], boost["reblog"]["visibility"]) == (visibility, "public")
    for _ in range(2):  # the second time from the cache
        (listed,) = (await client.get(f"/api/v1/accounts/{bob.id}/statuses")).json
        assert (listed["id"], listed["visibility"]) == (boost["id"], visibility)


@pytest.mark.parametrize("visibility", ["direct", "everyone"])
async def test_a_boost_that_cannot_be_is_refused(
    app: App, post: Post, alice: Account, bob: Account, visibility: str
) -> None:
    status = await post(alice)
    reply = await (await app(bob)).post(
        f"/api/v1/statuses/{status['id']}/reblog", sent={"visibility": visibility}
    )
    assert reply.status in (403, 422)


@pytest.mark.parametrize(
    ("allowed", "unexpected"),
    [(["bob"], ["mallory"]), ([], ["bob", "mallory"]), (["bob", "mallory"], []), (None, [])],
)
async def test_a_status_mentions_only_whom_the_app_allows(
    app: App, alice: Account, bob: Account, mallory: Account, allowed: list[str] | None, unexpected: list[str]
) -> None:
    people, client = {"bob": bob, "mallory": mallory}, await app(alice)
    sent: dict[str, Any] = {"status": "With @bob and @mallory, and @alice"}
    if allowed is not None:
        sent["allowed_mentions"] = [str(people[name].id) for name in allowed]
    key = {"idempotency-key": "one"}
    reply = await client.post("/api/v1/statuses", sent=sent, headers=key)
    if not unexpected:
        assert reply.status == 200
        return
    assert reply.status == 422
    assert reply.json["error"]
    assert sorted(one["username"] for one in reply.json["unexpected_accounts"]) == unexpected
    assert (await client.get(f"/api/v1/accounts/{alice.id}/statuses")).json == []
    sent["allowed_mentions"] = [str(one.id) for one in people.values()]
    assert (await client.post("/api/v1/statuses", sent=sent, headers=key)).status == 200


async def _upload(client: Client, photo: Picture, seed: int = 0) -> str:
    id_: str = (await client.post("/api/v2/media", files={"file": photo(300, 200, seed=seed)})).json["id"]
    return id_


async def test_an_edit_moves_the_focal_point_and_tells_other_servers(
    node: Node, app: App, alice: Account, photo: Picture
) -> None:
    client = await app(alice)
    one, two = await _upload(client, photo, 1), await _upload(client, photo, 2)
    made = {
        "media_ids": [one, two],
        "media_attributes": [{"id": two, "focus": "0.5,-0.5"}, {"id": one, "description": "A lake"}],
    }
    status = (await client.post("/api/v1/statuses", sent=made)).json
    first, second = status["media_attachments"]
    assert (first["description"], second["meta"]["focus"]) == ("A lake", {"x": 0.5, "y": -0.5})

    path = f"/api/v1/statuses/{status['id']}"
    form = [
        ("media_attributes[][id]", one),
        ("media_attributes[][focus]", "-1,1"),
        ("media_attributes[][id]", two),
        ("media_attributes[][description]", "A boat"),
    ]
    edited = (await client.call("PUT", path, form=form)).json
    first, second = edited["media_attachments"]
    assert (first["description"], first["meta"]["focus"]) == ("A lake", {"x": -1, "y": 1})
    assert (second["description"], second["meta"]["focus"]) == ("A boat", {"x": 0.5, "y": -0.5})

    only_focus = {"media_attributes": [{"id": one, "focus": "0,0"}]}
    edited = (await client.call("PUT", path, sent=only_focus)).json
    assert edited["media_attachments"][0]["meta"]["focus"] == {"x": 0, "y": 0}
    assert (await node.db.read(verbs_of, alice)).count("Update") == 2
    refused = {"media_attributes": [{"id": one, "focus": "left"}]}
    assert (await client.call("PUT", path, sent=refused)).status == 422


@pytest.mark.parametrize(
    ("choice", "summary"), [("public", "everyone"), ("followers", "followers"), ("nobody", "nobody")]
)
async def test_the_choice_of_who_may_quote_is_kept(
    node: Node, app: App, alice: Account, choice: str, summary: str
) -> None:
    client = await app(alice)
    sent = {"status": "Quote me", "quote_approval_policy": choice}
    made = (await client.post("/api/v1/statuses", sent=sent)).json

    async def policy() -> str:
        stored = await node.db.read(posts.by_id, int(made["id"]))
        assert stored is not None
        return stored.interaction_policy.quote.summary

    assert await policy() == summary
    await client.call("PUT", f"/api/v1/statuses/{made['id']}", sent={"status": "Quote me!"})
    assert await policy() == summary
    refused = {"status": "x", "quote_approval_policy": "friends"}
    assert (await client.post("/api/v1/statuses", sent=refused)).status == 422


@pytest.mark.parametrize("language", ["xx", "klingon", "english", "e", "<b>"])
async def test_an_unknown_language_is_refused(app: App, post: Post, alice: Account, language: str) -> None:
    client, status = await app(alice), await post(alice, "Morning", language="pt_BR")
    assert status["language"] == "pt-BR"
    sent = {"status": "x", "language": language}
    assert (await client.post("/api/v1/statuses", sent=sent)).status == 422
    assert (await client.call("PUT", f"/api/v1/statuses/{status['id']}", sent=sent)).status == 422


@pytest.mark.parametrize("parent", ["abc", "0", "-1", "99999999999999999999", "12345"])
@pytest.mark.parametrize("name", ["in_reply_to_id", "quoted_status_id"])
async def test_a_comment_on_nothing_does_not_become_a_post(
    app: App, alice: Account, name: str, parent: str
) -> None:
    client = await app(alice)
    assert (await client.post("/api/v1/statuses", sent={"status": "So true", name: parent})).status == 404
    assert (await client.get(f"/api/v1/accounts/{alice.id}/statuses")).json == []
    assert (await client.post("/api/v1/statuses", sent={"status": "So true", name: None})).status == 200


async def test_pinned_posts_are_as_many_and_of_the_kind_that_was_asked_for(
    app: App, post: Post, alice: Account, anonymous: Client, photo: Picture
) -> None:
    client = await app(alice)
    words = [await post(alice, f"Words {n} #lake") for n in range(2)]
    picture = await post(alice, "Picture", media_ids=[await _upload(client, photo)])
    pinned = [*words, picture]
    for status in pinned:
        assert (await client.post(f"/api/v1/statuses/{status['id']}/pin")).status == 200

    async def ids(query: str) -> list[str]:
        found = (await anonymous.get(f"/api/v1/accounts/{alice.id}/statuses?pinned=true&{query}")).json
        return [one["id"] for one in found]

    newest_first = [one["id"] for one in reversed(pinned)]
    assert await ids("") == newest_first
    assert await ids("limit=2") == newest_first[:2]
    assert await ids("only_media=true") == [picture["id"]]
    assert await ids("tagged=lake") == newest_first[1:]
    assert await ids(f"max_id={picture['id']}") == newest_first[1:]
    assert await ids(f"since_id={words[1]['id']}") == newest_first[:1]
    assert await ids("min_id=" + "9" * 20) == []


async def test_pinned_posts_have_pages_in_the_order_of_their_pins(
    app: App, post: Post, alice: Account, anonymous: Client
) -> None:
    client = await app(alice)
    made = [(await post(alice, f"Words {n}"))["id"] for n in range(3)]
    order = [made[1], made[2], made[0]]
    for id_ in order:
        assert (await client.post(f"/api/v1/statuses/{id_}/pin")).status == 200

    path, found = f"/api/v1/accounts/{alice.id}/statuses?pinned=true&limit=1", []
    for _ in range(3):
        reply = await anonymous.get(path)
        found += [one["id"] for one in reply.json]
        if "next" not in reply.links():
            break
        path = reply.links()["next"].removeprefix("https://tintype.test")
        assert "pinned=true" in path
    assert found == list(reversed(order))
    assert "next" not in reply.links()


@pytest.mark.parametrize(
    "way",
    [
        {"sent": {"status": "x", "media_ids": [None]}},
        {"sent": {"status": "x", "media_ids": {"id": "999"}}},
        {"sent": {"status": "x", "media_ids": [{"id": "999"}]}},
        {"form": {"status": "x", "media_ids[][id]": "999"}},
        {"form": {"status": "x", "media_ids[0][id]": "999"}},
        {"sent": {"status": "x", "media_attributes": [{"id": "999", "description": "A lake"}]}},
        {"sent": {"status": "x", "media_attributes": [{"description": "A lake"}]}},
        {"sent": {"status": "x", "local_only": True}},
        {"form": {"status": "x", "local_only": "1"}},
        {"sent": {"status": "x", "federated": False}},
        {"sent": {"status": "x", "expires_in": 3600}},
        {"sent": {"status": "x", "expires_at": "2099-01-01T00:00:00Z"}},
        {"sent": {"status": "x", "preview": True}},
    ],
    ids=lambda way: str(way)[:60],
)
async def test_what_would_make_another_post_is_refused(
    app: App, alice: Account, photo: Picture, way: dict[str, Any]
) -> None:
    client = await app(alice)
    assert (await client.call("POST", "/api/v1/statuses", **way)).status == 422
    sent = {"status": "A lake", "media_ids": [await _upload(client, photo)]}
    status = (await client.post("/api/v1/statuses", sent=sent)).json
    assert (await client.call("PUT", f"/api/v1/statuses/{status['id']}", **way)).status == 422
    found = (await client.get(f"/api/v1/accounts/{alice.id}/statuses")).json
    assert [(one["content"], len(one["media_attachments"])) for one in found] == [("<p>A lake</p>", 1)]


@pytest.mark.parametrize(
    "more",
    [
        {"local_only": False},
        {"federated": True},
        {"expires_in": None},
        {"expires_in": ""},
        {"preview": False},
    ],
)
async def test_what_asks_for_nothing_else_is_no_reason_to_refuse(
    app: App, alice: Account, more: dict[str, Any]
) -> None:
    sent = {"status": "x", **more}
    assert (await (await app(alice)).post("/api/v1/statuses", sent=sent)).status == 200


@pytest.mark.parametrize("bound", ["9" * 20, "1" + "0" * 30, "99999999999999999999999"])
@pytest.mark.parametrize("name", ["min_id", "since_id"])
async def test_a_bound_above_every_id_leaves_an_empty_page(
    app: App, post: Post, alice: Account, name: str, bound: str
) -> None:
    await post(alice)
    client = await app(alice)
    for path in (
        "/api/v1/timelines/home",
        "/api/v1/timelines/public",
        f"/api/v1/accounts/{alice.id}/statuses",
    ):
        assert (await client.get(path, {name: bound})).json == []
        assert len((await client.get(path, {"max_id": bound})).json) == 1


async def test_the_source_of_a_visible_post_is_for_everyone_who_sees_it(
    node: Node, app: App, post: Post, alice: Account, bob: Account
) -> None:
    def receive(tx: Writer) -> int:
        return receive_post(tx, rita(tx), html="<p>Evening <b>light</b></p>").id

    remote_id = await node.db.write(receive)
    status, private = await post(alice, "Morning *light*"), await post(alice, "Secret", visibility="private")
    client = await app(bob)
    source = (await client.get(f"/api/v1/statuses/{status['id']}/source")).json
    assert source == {"id": status["id"], "text": "Morning *light*", "spoiler_text": ""}
    assert "<p>Evening" in (await client.get(f"/api/v1/statuses/{remote_id}/source")).json["text"]
    assert (await client.get(f"/api/v1/statuses/{private['id']}/source")).status == 404


async def test_the_search_finds_whom_one_has_blocked_and_not_who_has_blocked_one(
    node: Node, app: App, alice: Account, bob: Account
) -> None:
    hers, his = await app(alice), await app(bob)
    await node.db.write(blocks.block, alice, bob)

    async def finds(client: Client, query: str) -> list[str]:
        found = (await client.get("/api/v2/search", {"q": query, "type": "accounts"})).json["accounts"]
        return [one["username"] for one in found]

    for query in ("bob", "@bob", "@bob@tintype.test", "bo"):
        assert await finds(hers, query) == ["bob"]
    for query in ("alice", "@alice@tintype.test"):
        assert await finds(his, query) == []


async def test_a_search_for_posts_of_one_account_stays_with_it(
    node: Node, app: App, post: Post, alice: Account
) -> None:
    client = await app(alice)
    one, two = await post(alice, "The lake"), await post(alice, "The lake again")

    async def ids(**query: str) -> list[str]:
        found = (await client.get("/api/v2/search", {"q": "lake", **query})).json["statuses"]
        return [status["id"] for status in found]

    assert await ids() == [two["id"], one["id"]]
    assert await ids(account_id=str(alice.id)) == [two["id"], one["id"]]
    assert await ids(account_id="12345") == []
    assert await ids(min_id=one["id"]) == [two["id"]]
    assert (await client.get("/api/v2/search", {"q": "lake", "type": "people"})).status == 422


async def test_a_status_deleted_with_its_media_leaves_nothing_to_post_again(
    app: App, alice: Account, photo: Picture
) -> None:
    client = await app(alice)
    id_ = await _upload(client, photo)
    status = (await client.post("/api/v1/statuses", sent={"media_ids": [id_]})).json
    gone = await client.call("DELETE", f"/api/v1/statuses/{status['id']}", {"delete_media": "true"})
    assert (gone.status, gone.json["media_attachments"]) == (200, [])
    assert (await client.post("/api/v1/statuses", sent={"media_ids": [id_]})).status == 422
