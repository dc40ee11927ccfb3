"""Statuses: posting, reading, editing and deleting; favourites, reblogs, bookmarks and pins."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from node.interactions import quotes
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from tests.support.statements import Recording
from tests.web.api.conftest import App
from web.files.media_files import MediaApp
from web.wiring import run_due_jobs

Post = Callable[..., Awaitable[Any]]

STATUS = {
    "id",
    "uri",
    "url",
    "created_at",
    "edited_at",
    "account",
    "content",
    "visibility",
    "sensitive",
    "spoiler_text",
    "media_attachments",
    "application",
    "mentions",
    "tags",
    "emojis",
    "reblogs_count",
    "favourites_count",
    "replies_count",
    "quotes_count",
    "in_reply_to_id",
    "in_reply_to_account_id",
    "reblog",
    "poll",
    "card",
    "language",
    "quote",
    "quote_approval",
    "tagged_collections",
}
MARKS = {"favourited", "reblogged", "muted", "bookmarked", "pinned", "filtered"}


async def test_a_status_has_every_documented_field(post: Post, alice: Account, anonymous: Client) -> None:
    mine = await post(alice, "Morning #Lake")
    assert set(mine) == STATUS | MARKS
    assert mine["id"].isdecimal()
    assert mine["uri"] == mine["url"] == f"https://tintype.test/p/alice/{mine['id']}"
    assert mine["tags"] == [{"name": "Lake", "url": "https://tintype.test/tags/lake"}]
    assert mine["visibility"] == "public"
    assert mine["created_at"].endswith("Z")
    assert mine["account"]["acct"] == "alice"
    seen = await anonymous.get(f"/api/v1/statuses/{mine['id']}")
    assert set(seen.json) == STATUS
    assert "Morning" in seen.json["content"]


@pytest.mark.parametrize("way", ["sent", "form", "query"])
async def test_posting_works_from_json_form_and_query(app: App, alice: Account, way: str) -> None:
    values = {"status": "Grüße & <b>", "visibility": "unlisted", "sensitive": "true", "spoiler_text": "sea"}
    reply = await (await app(alice)).post("/api/v1/statuses", **{way: values})
    status = reply.json
    assert (status["visibility"], status["sensitive"], status["spoiler_text"]) == ("unlisted", True, "sea")
    assert "Grüße &amp; &lt;b&gt;" in status["content"]


async def test_the_same_idempotency_key_makes_one_status(app: App, alice: Account, bob: Account) -> None:
    client = await app(alice)

    async def send(text: str, key: str) -> Any:
        reply = await client.post("/api/v1/statuses", sent={"status": text}, headers={"idempotency-key": key})
        return reply.json

    first, again, other = await asyncio.gather(send("One", "k1"), send("One", "k1"), send("Two", "k2"))
    assert first["id"] == again["id"] != other["id"]
    other = await (await app(bob)).post(
        "/api/v1/statuses", sent={"status": "Mine"}, headers={"idempotency-key": "k1"}
    )
    assert other.json["account"]["username"] == "bob"
    found = await client.get(f"/api/v1/accounts/{alice.id}/statuses")
    assert len(found.json) == 2


async def test_a_refused_status_can_be_sent_again_with_the_same_key(app: App, alice: Account) -> None:
    client = await app(alice)
    key = {"idempotency-key": "once"}
    refused = await client.post("/api/v1/statuses", sent={"status": ""}, headers=key)
    assert refused.status == 422
    assert refused.json["error"].endswith(".")
    assert (await client.post("/api/v1/statuses", sent={"status": "Now"}, headers=key)).status == 200


@pytest.mark.parametrize(
    "values",
    [
        {"status": "x", "visibility": "everyone"},
        {"status": "x", "media_ids": ["12345"]},
        {"status": "x", "scheduled_at": "2030-01-01T00:00:00Z"},
        {"status": "x", "poll": {"options": ["a", "b"], "expires_in": 300}},
        {"status": "x" * 6000},
    ],
)
async def test_what_cannot_be_posted_is_422(app: App, alice: Account, values: dict[str, Any]) -> None:
    assert (await (await app(alice)).post("/api/v1/statuses", sent=values)).status == 422


async def test_a_long_link_counts_as_the_instance_says(app: App, alice: Account, anonymous: Client) -> None:
    limits = (await anonymous.get("/api/v2/instance")).json["configuration"]["statuses"]
    link = "https://lake.test/".ljust(120, "x")
    room = limits["max_characters"] - limits["characters_reserved_per_url"] - 1
    fits, too_long = f"{link} {'x' * room}", f"{link} {'x' * (room + 1)}"
    client, path = await app(alice), "/api/v1/statuses"
    status = await client.post(path, sent={"status": "Fog"})
    one = f"{path}/{status.json['id']}"

    for text, wanted in ((fits, 200), (too_long, 422)):
        more = {"in_reply_to_id": status.json["id"]}
        later = {"scheduled_at": (datetime.now(UTC) + timedelta(hours=2)).isoformat()}
        answers = [
            await client.post(path, sent={"status": text}),
            await client.post(path, sent={"status": text, **more}),
            await client.post(path, sent={"status": text, **later}),
            await client.call("PUT", one, sent={"status": text}),
        ]
        assert [answer.status for answer in answers] == [wanted] * 4
    assert (await client.get(f"{one}/source")).json["text"] == fits


async def test_a_comment_is_a_reply_to_its_parent(post: Post, app: App, alice: Account, bob: Account) -> None:
    parent = await post(alice)
    comment = await post(bob, "Lovely", in_reply_to_id=parent["id"])
    answer = await post(alice, "Thanks", in_reply_to_id=comment["id"])
    assert comment["in_reply_to_id"] == parent["id"]
    assert comment["in_reply_to_account_id"] == str(alice.id)
    client = await app(alice)
    around = (await client.get(f"/api/v1/statuses/{comment['id']}/context", {"max_id": "0"})).json
    assert [one["id"] for one in around["ancestors"]] == [parent["id"]]
    assert [one["id"] for one in around["descendants"]] == [answer["id"]]
    assert (await client.get(f"/api/v1/statuses/{parent['id']}")).json["replies_count"] == 1


@pytest.mark.parametrize(
    ("action", "undo", "mark", "count"),
    [
        ("favourite", "unfavourite", "favourited", "favourites_count"),
        ("bookmark", "unbookmark", "bookmarked", None),
    ],
)
async def test_a_mark_is_set_once_and_undone(
    post: Post, app: App, alice: Account, bob: Account, action: str, undo: str, mark: str, count: str | None
) -> None:
    status, client = await post(alice), await app(bob)
    for _ in range(2):
        marked = (await client.post(f"/api/v1/statuses/{status['id']}/{action}")).json
        assert marked[mark] is True
        assert count is None or marked[count] == 1
    for _ in range(2):
        unmarked = (await client.post(f"/api/v1/statuses/{status['id']}/{undo}")).json
        assert unmarked[mark] is False
        assert count is None or unmarked[count] == 0


@pytest.mark.parametrize("action", ["favourite", "reblog", "bookmark", "pin"])
async def test_a_mark_reads_the_post_once_and_once_for_the_response(
    node: Node, post: Post, app: App, alice: Account, bob: Account, action: str
) -> None:
    status, client = await post(alice), await app(alice if action == "pin" else bob)
    await client.get("/api/v1/accounts/verify_credentials")  # a token is looked up twice when it is new
    node.db = db = Recording(node.db)  # type: ignore[assignment]

    done = await client.post(f"/api/v1/statuses/{status['id']}/{action}")

    assert done.status == 200
    assert db.visibility_checks() == 2  # its counts and marks have changed in between
    assert not db.repeated()


async def test_a_boost_is_a_status_around_a_status(
    post: Post, app: App, alice: Account, bob: Account
) -> None:
    status, client = await post(alice), await app(bob)
    boost = (await client.post(f"/api/v1/statuses/{status['id']}/reblog")).json
    assert boost["id"] != status["id"]
    assert boost["account"]["username"] == "bob"
    assert boost["reblog"]["id"] == status["id"]
    assert boost["reblog"]["reblogged"] is True
    assert boost["reblog"]["reblogs_count"] == 1
    assert boost["uri"].startswith("https://tintype.test/")
    by_its_id = (await client.get(f"/api/v1/statuses/{boost['id']}")).json
    assert by_its_id["reblog"]["id"] == status["id"]
    liked = (await client.post(f"/api/v1/statuses/{boost['id']}/favourite")).json
    assert (liked["id"], liked["favourites_count"]) == (status["id"], 1)
    people = await client.get(f"/api/v1/statuses/{status['id']}/reblogged_by")
    assert [one["username"] for one in people.json] == ["bob"]
    back = (await client.post(f"/api/v1/statuses/{status['id']}/unreblog")).json
    assert (back["id"], back["reblogged"], back["reblogs_count"]) == (status["id"], False, 0)


async def test_lists_of_accounts_page_by_the_whole_next_url(
    post: Post, app: App, alice: Account, bob: Account, mallory: Account
) -> None:
    status = await post(alice)
    for account in (bob, mallory):
        await (await app(account)).post(f"/api/v1/statuses/{status['id']}/favourite")
    client = await app(alice)
    path = f"/api/v1/statuses/{status['id']}/favourited_by"
    first = await client.get(path, {"limit": "1"})
    second = await client.get(path, {"limit": "1", "cursor": first.links()["next"]})
    assert [one["username"] for one in first.json + second.json] == ["mallory", "bob"]
    no_url = await client.get(path, {"limit": "1", "cursor": "https://[?limit=1"})
    assert [one["username"] for one in no_url.json] == ["mallory"]


async def test_an_edit_keeps_what_is_not_sent_and_its_history(post: Post, app: App, alice: Account) -> None:
    status = await post(alice, "First", spoiler_text="sea", sensitive=True)
    client, path = await app(alice), f"/api/v1/statuses/{status['id']}"
    edited = (await client.call("PUT", path, sent={"status": "Second"})).json
    assert "Second" in edited["content"]
    assert edited["edited_at"] is not None
    assert (edited["spoiler_text"], edited["sensitive"]) == ("sea", True)
    versions = (await client.get(path + "/history")).json
    assert ["First" in versions[0]["content"], "Second" in versions[1]["content"]] == [True, True]
    assert set(versions[0]) >= {"content", "spoiler_text", "sensitive", "created_at", "account", "emojis"}
    source = (await client.get(path + "/source")).json
    assert source == {"id": status["id"], "text": "Second", "spoiler_text": "sea"}


async def test_a_long_history_is_paged_from_the_present_version_back(
    post: Post, app: App, alice: Account
) -> None:
    status = await post(alice, "Version 0")
    client, path = await app(alice), f"/api/v1/statuses/{status['id']}"
    for number in range(1, 6):
        await client.call("PUT", path, sent={"status": f"Version {number}"})
    whole = await client.get(path + "/history")
    assert len(whole.json) == 6
    assert "link" not in {name.lower() for name in whole.headers}
    latest = await client.get(path + "/history?limit=2")
    assert [version["content"] for version in latest.json] == ["<p>Version 4</p>", "<p>Version 5</p>"]
    older = re.search(r"<[^>]*(/api/[^>]*max_id[^>]*)>; rel=\"next\"", latest.headers["link"])
    assert older is not None
    before = await client.get(older.group(1))
    assert [version["content"] for version in before.json] == ["<p>Version 2</p>", "<p>Version 3</p>"]


async def test_only_the_author_changes_a_status(post: Post, app: App, alice: Account, bob: Account) -> None:
    status, client = await post(alice), await app(bob)
    path = f"/api/v1/statuses/{status['id']}"
    assert (await client.call("PUT", path, sent={"status": "Mine"})).status == 403
    assert (await client.call("DELETE", path)).status == 403


async def test_a_deleted_status_gives_its_text_back_and_is_gone(post: Post, app: App, alice: Account) -> None:
    status, client = await post(alice, "Morning #lake"), await app(alice)
    path = f"/api/v1/statuses/{status['id']}"
    gone = (await client.call("DELETE", path)).json
    assert gone["text"] == "Morning #lake"
    assert set(gone) == STATUS | MARKS | {"text"}
    assert (await client.get(path)).status == 404


@pytest.mark.parametrize("id_", ["0", "1", "abc", "99999999999999999999", "9223372036854775808", "-1", "%00"])
async def test_an_unknown_id_is_404(anonymous: Client, id_: str) -> None:
    reply = await anonymous.get(f"/api/v1/statuses/{id_}")
    assert (reply.status, list(reply.json)) == (404, ["error"])


async def test_an_invisible_status_is_404_like_a_missing_one(
    post: Post, app: App, alice: Account, bob: Account, anonymous: Client
) -> None:
    private = await post(alice, visibility="private")
    direct = await post(alice, "Only @bob", visibility="direct")
    client = await app(bob)
    for client_, status in ((client, private), (anonymous, private), (anonymous, direct)):
        path = f"/api/v1/statuses/{status['id']}"
        assert (await client_.get(path)).body == (await client_.get("/api/v1/statuses/77")).body
        assert (await client_.get(path + "/context")).status == 404
        assert (await client_.get(path + "/favourited_by")).status == 404
    assert (await client.post(f"/api/v1/statuses/{private['id']}/favourite")).status == 404
    assert (await client.get(f"/api/v1/statuses/{direct['id']}")).json["visibility"] == "direct"
    mentions = (await client.get(f"/api/v1/statuses/{direct['id']}")).json["mentions"]
    assert mentions == [
        {"id": str(bob.id), "username": "bob", "url": "https://tintype.test/@bob", "acct": "bob"}
    ]


async def test_pinning_shows_in_the_status_and_on_the_profile(
    app: App, post: Post, alice: Account, bob: Account, anonymous: Client
) -> None:
    hers, his = await app(alice), await app(bob)
    one, two = await post(alice, "One"), await post(alice, "Two")
    reply = await hers.post(f"/api/v1/statuses/{one['id']}/pin")
    assert (reply.status, reply.json["pinned"]) == (200, True)
    assert (await his.post(f"/api/v1/statuses/{two['id']}/pin")).status == 403
    listed = (await anonymous.get(f"/api/v1/accounts/{alice.id}/statuses?pinned=true")).json
    assert [status["id"] for status in listed] == [one["id"]]
    mine = (await hers.get(f"/api/v1/accounts/{alice.id}/statuses")).json
    assert {status["id"]: status["pinned"] for status in mine} == {one["id"]: True, two["id"]: False}
    reply = await hers.post(f"/api/v1/statuses/{one['id']}/unpin")
    assert reply.json["pinned"] is False
    assert (await anonymous.get(f"/api/v1/accounts/{alice.id}/statuses?pinned=true")).json == []


async def test_the_id_of_a_boost_stands_for_the_boosted_post(
    post: Post, app: App, node: Node, alice: Account, bob: Account
) -> None:
    client, other = await app(alice), await app(bob)
    sent = {"status": "Original", "visibility": "public"}
    original = (await client.post("/api/v1/statuses", sent=sent)).json
    boost = (await other.post(f"/api/v1/statuses/{original['id']}/reblog")).json
    assert boost["id"] != original["id"]

    reply = (
        await other.post("/api/v1/statuses", sent={"status": "A reply", "in_reply_to_id": boost["id"]})
    ).json
    assert reply["in_reply_to_id"] == original["id"]
    own = (
        await client.post("/api/v1/statuses", sent={"status": "A quote", "quoted_status_id": boost["id"]})
    ).json
    by_post = await node.db.read(quotes.by_posts, [int(own["id"])])
    assert by_post[int(own["id"])].target_id == int(original["id"])


async def test_ones_own_post_can_be_quoted_whatever_its_policy(app: App, node: Node, alice: Account) -> None:
    client = await app(alice)
    original = (await client.post("/api/v1/statuses", sent={"status": "Mine"})).json
    quoting = await client.post(
        "/api/v1/statuses", sent={"status": "Again", "quoted_status_id": original["id"]}
    )
    assert quoting.status == 200
    by_post = await node.db.read(quotes.by_posts, [int(quoting.json["id"])])
    assert by_post[int(quoting.json["id"])].target_id == int(original["id"])


@pytest.mark.parametrize("quoted", ["private", "direct"])
async def test_ones_own_post_for_few_people_is_quoted_for_no_more_people(
    app: App, node: Node, alice: Account, bob: Account, quoted: str
) -> None:
    client = await app(alice)
    sent = {"status": "Mine", "visibility": quoted}
    original = (await client.post("/api/v1/statuses", sent=sent)).json

    async def quote(visibility: str) -> Any:
        sent = {"status": "Again", "visibility": visibility, "quoted_status_id": original["id"]}
        return await client.post("/api/v1/statuses", sent=sent)

    wider = {"private": ["public", "unlisted"], "direct": ["public", "unlisted", "private"]}[quoted]
    for visibility in wider:
        assert (await quote(visibility)).status == 403
    reply = await quote(quoted)
    assert reply.status == 200
    assert reply.json["quote"]["quoted_status"]["id"] == original["id"]
    # Nobody else may quote it, nor see it in the quote.
    other = await app(bob)
    refused = {"status": "Hers", "quoted_status_id": original["id"]}
    assert (await other.post("/api/v1/statuses", sent=refused)).status == 404


async def test_ones_own_public_post_can_be_quoted_for_few(app: App, alice: Account) -> None:
    client = await app(alice)
    original = (await client.post("/api/v1/statuses", sent={"status": "Mine"})).json
    sent = {"status": "Again", "visibility": "private", "quoted_status_id": original["id"]}
    reply = await client.post("/api/v1/statuses", sent=sent)
    assert (reply.status, reply.json["quote"]["state"]) == (200, "accepted")


async def _photo_status(
    client: Client, photo: Callable[..., bytes], text: str = "Two", shots: int = 2
) -> Any:
    ids = [
        (await client.post("/api/v2/media", files={"file": photo(300, 200, seed=n)})).json["id"]
        for n in range(shots)
    ]
    reply = await client.post("/api/v1/statuses", sent={"status": text, "media_ids": ids})
    assert reply.status == 200, reply.body
    return reply.json


@pytest.mark.parametrize(
    "way",
    [{"sent": {"media_ids": []}}, {"sent": {"media_ids": None}}, {"form": {"media_ids[]": ""}}],
)
async def test_an_edit_with_an_empty_list_of_photos_removes_them(
    app: App, alice: Account, photo: Callable[..., bytes], way: dict[str, Any]
) -> None:
    client = await app(alice)
    status = await _photo_status(client, photo)
    edited = await client.call("PUT", f"/api/v1/statuses/{status['id']}", **way)
    assert (edited.status, edited.json["media_attachments"]) == (200, [])
    assert "Two" in edited.json["content"]


async def test_an_edit_without_the_list_keeps_the_photos(
    app: App, alice: Account, photo: Callable[..., bytes]
) -> None:
    client = await app(alice)
    status = await _photo_status(client, photo)
    edited = await client.call("PUT", f"/api/v1/statuses/{status['id']}", sent={"status": "Changed"})
    assert len(edited.json["media_attachments"]) == 2


async def test_an_edit_with_null_or_false_empties_what_it_names(post: Post, app: App, alice: Account) -> None:
    status = await post(alice, "First", spoiler_text="sea", sensitive=True)
    client, path = await app(alice), f"/api/v1/statuses/{status['id']}"
    edited = (await client.call("PUT", path, sent={"spoiler_text": None})).json
    assert (edited["spoiler_text"], edited["sensitive"]) == ("", True)
    edited = (await client.call("PUT", path, sent={"sensitive": False})).json
    assert edited["sensitive"] is False
    assert "First" in edited["content"]
    assert (await client.call("PUT", path, sent={"status": None})).status == 422  # nothing would be left


@pytest.mark.parametrize("ids", [["abc"], ["0"], ["99999999999999999999"], "abc", ["1", "x"]])
async def test_a_photo_that_cannot_exist_does_not_make_a_text_post(
    app: App, alice: Account, ids: Any
) -> None:
    client = await app(alice)
    assert (await client.post("/api/v1/statuses", sent={"status": "Look", "media_ids": ids})).status == 422
    assert (await client.get(f"/api/v1/accounts/{alice.id}/statuses")).json == []


async def test_a_deleted_status_can_be_posted_again_with_its_photos(
    node: Node, app: App, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    client, files = await app(alice), Client(MediaApp(node))
    status = await _photo_status(client, photo, "Typo")
    ids = [one["id"] for one in status["media_attachments"]]
    await client.call(
        "PUT",
        f"/api/v1/statuses/{status['id']}",
        sent={"media_attributes": [{"id": ids[0], "description": "A lake"}]},
    )
    urls = [one["url"].removeprefix("https://tintype.test") for one in status["media_attachments"]]
    assert (await files.get(urls[0])).status == 200

    gone = (await client.call("DELETE", f"/api/v1/statuses/{status['id']}")).json

    # What their app shows meanwhile is for nobody else.
    await run_due_jobs(node)
    assert [one["id"] for one in gone["media_attachments"]] == ids
    shown = gone["media_attachments"][0]["preview_url"].removeprefix("https://tintype.test")
    assert (await files.get(shown)).status == 200
    assert [(await files.get(url)).status for url in urls] == [404, 404]
    assert (await client.get(f"/api/v1/media/{ids[0]}")).status == 200
    stolen = await (await app(bob)).post("/api/v1/statuses", sent={"status": "x", "media_ids": ids})
    assert stolen.status == 422

    again = await client.post("/api/v1/statuses", sent={"status": "No typo", "media_ids": ids})
    assert again.status == 200, again.body
    assert [one["description"] for one in again.json["media_attachments"]] == ["A lake", None]
    url = again.json["media_attachments"][0]["url"].removeprefix("https://tintype.test")
    assert (await files.get(url)).status == 200


async def test_a_hashtag_reaches_apps_as_people_write_it(post: Post, alice: Account) -> None:
    status = await post(alice, "#Straße")
    assert [tag["name"] for tag in status["tags"]] == ["Straße"]
    assert status["tags"][0]["url"].endswith("/tags/strasse")
