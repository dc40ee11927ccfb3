"""Accounts: profiles, relationships, following, blocking and muting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.accounts import accounts
from node.database import Writer
from node.interactions import follows
from node.lifecycle import migration
from node.models.account import Account
from node.node import Node
from tests.support import people
from tests.support.asgi import Client
from tests.web.api.conftest import App

Post = Callable[..., Awaitable[Any]]

ACCOUNT = {
    "id",
    "username",
    "acct",
    "url",
    "uri",
    "display_name",
    "note",
    "avatar",
    "avatar_static",
    "avatar_description",
    "header",
    "header_static",
    "header_description",
    "locked",
    "fields",
    "emojis",
    "bot",
    "group",
    "discoverable",
    "indexable",
    "noindex",
    "created_at",
    "last_status_at",
    "statuses_count",
    "followers_count",
    "following_count",
    "hide_collections",
    "show_media",
    "show_media_replies",
    "show_featured",
    "moved",
    "memorial",
    "feature_approval",
    "roles",
}
RELATIONSHIP = {
    "id",
    "following",
    "showing_reblogs",
    "notifying",
    "languages",
    "followed_by",
    "blocking",
    "blocked_by",
    "muting",
    "muting_notifications",
    "muting_expires_at",
    "requested",
    "requested_by",
    "domain_blocking",
    "endorsed",
    "note",
}


def lock(tx: Writer, account: Account) -> None:
    people.profile(tx, account, display_name="Bob", fields=[], is_locked=True, is_indexable=True)


async def test_an_account_has_every_documented_field(anonymous: Client, alice: Account) -> None:
    account = (await anonymous.get(f"/api/v1/accounts/{alice.id}")).json
    assert set(account) == ACCOUNT
    assert account["id"] == str(alice.id)
    assert account["acct"] == "alice"
    assert account["avatar"] == "https://tintype.test/static/avatar.png"
    assert account["created_at"].endswith("T00:00:00.000Z")


async def test_verify_credentials_has_fields_for_the_owner_only(app: App, alice: Account) -> None:
    mine = (await (await app(alice)).get("/api/v1/accounts/verify_credentials", {"_pe": "1"})).json
    assert set(mine) == ACCOUNT | {"source", "role"}
    assert mine["source"]["privacy"] == "public"
    assert mine["source"]["follow_requests_count"] == 0
    profile_only = await (await app(alice, "profile")).get("/api/v1/accounts/verify_credentials")
    assert profile_only.status == 200


async def test_verify_credentials_names_the_app_of_the_token(app: App, alice: Account) -> None:
    found = (await (await app(alice, "read")).get("/api/v1/apps/verify_credentials")).json
    assert (found["name"], found["website"], found["scopes"]) == ("Test app", "https://app.test", ["read"])


async def test_lookup_finds_an_account_by_its_handle(anonymous: Client, alice: Account) -> None:
    for handle in ("alice", "@alice", "alice@tintype.test", "ALICE"):
        found = await anonymous.get("/api/v1/accounts/lookup", {"acct": handle})
        assert found.json["id"] == str(alice.id)
    assert (await anonymous.get("/api/v1/accounts/lookup", {"acct": "nobody"})).status == 404
    assert (await anonymous.get("/api/v1/accounts/lookup")).status == 422


async def test_a_follow_shows_in_relationships_and_lists(app: App, alice: Account, bob: Account) -> None:
    client = await app(alice)
    now = (await client.post(f"/api/v1/accounts/{bob.id}/follow", sent={"reblogs": False})).json
    assert set(now) == RELATIONSHIP
    assert (now["following"], now["showing_reblogs"], now["requested"]) == (True, False, False)
    response = [("id[]", str(bob.id)), ("id[]", str(alice.id)), ("id[]", "12")]
    found = (await client.get("/api/v1/accounts/relationships", response)).json
    assert [one["id"] for one in found] == [str(bob.id), str(alice.id)]
    followers = await client.get(f"/api/v1/accounts/{bob.id}/followers")
    following = await client.get(f"/api/v1/accounts/{alice.id}/following")
    assert [one["username"] for one in followers.json + following.json] == ["alice", "bob"]
    removed = (await (await app(bob)).post(f"/api/v1/accounts/{alice.id}/remove_from_followers")).json
    assert removed["followed_by"] is False
    undone = (await client.post(f"/api/v1/accounts/{bob.id}/unfollow")).json
    assert undone["following"] is False


async def test_a_locked_account_authorizes_or_rejects_requests(
    node: Node, app: App, alice: Account, bob: Account
) -> None:
    await node.db.write(lock, bob)
    alices, bobs = await app(alice), await app(bob)
    response = (await alices.post(f"/api/v1/accounts/{bob.id}/follow")).json
    assert (response["following"], response["requested"]) == (False, True)
    waiting = await bobs.get("/api/v1/follow_requests")
    assert [one["username"] for one in waiting.json] == ["alice"]
    let_in = (await bobs.post(f"/api/v1/follow_requests/{alice.id}/authorize")).json
    assert (let_in["followed_by"], let_in["requested_by"]) == (True, False)
    assert (await bobs.post(f"/api/v1/follow_requests/{alice.id}/reject")).status == 404
    assert (await bobs.get("/api/v1/follow_requests")).json == []


@pytest.mark.parametrize(
    ("action", "undo", "mark", "listed"),
    [("block", "unblock", "blocking", "blocks"), ("mute", "unmute", "muting", "mutes")],
)
async def test_an_account_is_blocked_or_muted_and_listed(
    app: App, alice: Account, bob: Account, action: str, undo: str, mark: str, listed: str
) -> None:
    client = await app(alice)
    assert (await client.post(f"/api/v1/accounts/{bob.id}/{action}")).json[mark] is True
    assert [one["username"] for one in (await client.get(f"/api/v1/{listed}")).json] == ["bob"]
    assert (await client.post(f"/api/v1/accounts/{bob.id}/{undo}")).json[mark] is False
    assert (await client.get(f"/api/v1/{listed}")).json == []


async def test_following_oneself_or_an_unknown_id_is_refused(app: App, alice: Account) -> None:
    client = await app(alice)
    assert (await client.post(f"/api/v1/accounts/{alice.id}/follow")).status == 422
    assert (await client.post("/api/v1/accounts/12/follow")).status == 404


async def test_a_profile_lists_posts_boosts_and_comments(
    post: Post, app: App, alice: Account, bob: Account
) -> None:
    first, bobs_post = await post(alice, "First"), await post(bob, "Theirs #sea")
    comment = await post(alice, "Nice", in_reply_to_id=bobs_post["id"])
    client = await app(alice)
    boost = (await client.post(f"/api/v1/statuses/{bobs_post['id']}/reblog")).json
    path = f"/api/v1/accounts/{alice.id}/statuses"

    async def ids(**query: str) -> list[str]:
        return [one["id"] for one in (await client.get(path, query)).json]

    assert await ids(max_id="0") == [boost["id"], comment["id"], first["id"]]
    assert await ids(exclude_replies="true") == [boost["id"], first["id"]]
    assert await ids(exclude_reblogs="1") == [comment["id"], first["id"]]
    assert await ids(tagged="Sea") == []
    assert await ids(pinned="true") == []
    assert await ids(only_media="true", exclude_reblogs="true") == []


async def test_photos_and_hashtags_of_a_profile_are_those_of_its_own_posts(
    post: Post, app: App, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    async def with_photo(account: Account, words: str) -> dict[str, Any]:
        files = {"file": photo(300, 200)}
        media = (await (await app(account)).post("/api/v2/media", files=files)).json
        return await post(account, words, media_ids=[media["id"]])

    own, theirs = await with_photo(alice, "Mine #sea"), await with_photo(bob, "Theirs #sea")
    client = await app(alice)
    boost = (await client.post(f"/api/v1/statuses/{theirs['id']}/reblog")).json

    async def ids(**query: str) -> list[str]:
        return [one["id"] for one in (await client.get(f"/api/v1/accounts/{alice.id}/statuses", query)).json]

    assert await ids() == [boost["id"], own["id"]]
    assert await ids(only_media="true") == [own["id"]]
    assert await ids(tagged="sea") == [own["id"]]


async def test_a_moved_account_names_its_new_account(
    node: Node, app: App, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        migration.add_alias(tx, bob, alice)
        migration.move(tx, alice, accounts.get(tx, bob.id))

    await node.db.write(unit)
    reader = await app(bob)
    assert (await reader.get(f"/api/v1/accounts/{alice.id}")).json["moved"]["acct"] == "bob"
    assert (await reader.get(f"/api/v1/accounts/{bob.id}")).json["moved"] is None
    found = (await reader.get("/api/v2/search?q=alice&type=accounts")).json["accounts"]
    assert [one["moved"]["acct"] for one in found if one["acct"] == "alice"] == ["bob"]


async def test_hidden_follows_are_listed_only_to_their_owner(
    app: App, node: Node, alice: Account, bob: Account
) -> None:
    await node.db.write(follows.follow, bob, alice)
    await node.db.write(people.profile, alice, hides_follows=True, attribution_domains=["alice.example"])
    hers, his = await app(alice), await app(bob)
    assert (await his.get(f"/api/v1/accounts/{alice.id}/followers")).json == []
    assert len((await hers.get(f"/api/v1/accounts/{alice.id}/followers")).json) == 1
    assert (await his.get(f"/api/v1/accounts/{alice.id}")).json["hide_collections"] is True
    source = (await hers.get("/api/v1/accounts/verify_credentials")).json["source"]
    assert (source["hide_collections"], source["attribution_domains"]) == (True, ["alice.example"])
