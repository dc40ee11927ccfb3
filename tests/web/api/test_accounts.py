"""Accounts: profiles, and what one person decides about another."""

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


def lock(tx: Writer, who: Account) -> None:
    people.profile(tx, who, display_name="Bob", fields=[], is_locked=True, is_indexable=True)


async def test_an_account_has_every_documented_field(stranger: Client, alice: Account) -> None:
    account = (await stranger.get(f"/api/v1/accounts/{alice.id}")).json
    assert set(account) == ACCOUNT
    assert account["id"] == str(alice.id)
    assert account["acct"] == "alice"
    assert account["avatar"] == "https://tintype.test/static/avatar.png"
    assert account["created_at"].endswith("T00:00:00.000Z")


async def test_the_caller_learns_more_about_themselves(app: App, alice: Account) -> None:
    mine = (await (await app(alice)).get("/api/v1/accounts/verify_credentials", {"_pe": "1"})).json
    assert set(mine) == ACCOUNT | {"source", "role"}
    assert mine["source"]["privacy"] == "public"
    assert mine["source"]["follow_requests_count"] == 0
    profile_only = await (await app(alice, "profile")).get("/api/v1/accounts/verify_credentials")
    assert profile_only.status == 200


async def test_the_app_behind_a_token_is_told(app: App, alice: Account) -> None:
    known = (await (await app(alice, "read")).get("/api/v1/apps/verify_credentials")).json
    assert (known["name"], known["website"], known["scopes"]) == ("Test app", "https://app.test", ["read"])


async def test_a_handle_is_looked_up_here(stranger: Client, alice: Account) -> None:
    for handle in ("alice", "@alice", "alice@tintype.test", "ALICE"):
        found = await stranger.get("/api/v1/accounts/lookup", {"acct": handle})
        assert found.json["id"] == str(alice.id)
    assert (await stranger.get("/api/v1/accounts/lookup", {"acct": "nobody"})).status == 404
    assert (await stranger.get("/api/v1/accounts/lookup")).status == 422


async def test_a_follow_shows_in_relationships_and_lists(app: App, alice: Account, bob: Account) -> None:
    client = await app(alice)
    now = (await client.post(f"/api/v1/accounts/{bob.id}/follow", sent={"reblogs": False})).json
    assert set(now) == RELATIONSHIP
    assert (now["following"], now["showing_reblogs"], now["requested"]) == (True, False, False)
    asked = [("id[]", str(bob.id)), ("id[]", str(alice.id)), ("id[]", "12")]
    known = (await client.get("/api/v1/accounts/relationships", asked)).json
    assert [one["id"] for one in known] == [str(bob.id), str(alice.id)]
    followers = await client.get(f"/api/v1/accounts/{bob.id}/followers")
    following = await client.get(f"/api/v1/accounts/{alice.id}/following")
    assert [one["username"] for one in followers.json + following.json] == ["alice", "bob"]
    kept = (await (await app(bob)).post(f"/api/v1/accounts/{alice.id}/remove_from_followers")).json
    assert kept["followed_by"] is False
    undone = (await client.post(f"/api/v1/accounts/{bob.id}/unfollow")).json
    assert undone["following"] is False


async def test_a_locked_person_answers_requests(node: Node, app: App, alice: Account, bob: Account) -> None:
    await node.db.write(lock, bob)
    theirs, mine = await app(alice), await app(bob)
    asked = (await theirs.post(f"/api/v1/accounts/{bob.id}/follow")).json
    assert (asked["following"], asked["requested"]) == (False, True)
    waiting = await mine.get("/api/v1/follow_requests")
    assert [one["username"] for one in waiting.json] == ["alice"]
    let_in = (await mine.post(f"/api/v1/follow_requests/{alice.id}/authorize")).json
    assert (let_in["followed_by"], let_in["requested_by"]) == (True, False)
    assert (await mine.post(f"/api/v1/follow_requests/{alice.id}/reject")).status == 404
    assert (await mine.get("/api/v1/follow_requests")).json == []


@pytest.mark.parametrize(
    ("deed", "undo", "mark", "listed"),
    [("block", "unblock", "blocking", "blocks"), ("mute", "unmute", "muting", "mutes")],
)
async def test_somebody_unwelcome(
    app: App, alice: Account, bob: Account, deed: str, undo: str, mark: str, listed: str
) -> None:
    client = await app(alice)
    assert (await client.post(f"/api/v1/accounts/{bob.id}/{deed}")).json[mark] is True
    assert [one["username"] for one in (await client.get(f"/api/v1/{listed}")).json] == ["bob"]
    assert (await client.post(f"/api/v1/accounts/{bob.id}/{undo}")).json[mark] is False
    assert (await client.get(f"/api/v1/{listed}")).json == []


async def test_nobody_follows_themselves_or_nobody(app: App, alice: Account) -> None:
    client = await app(alice)
    assert (await client.post(f"/api/v1/accounts/{alice.id}/follow")).status == 422
    assert (await client.post("/api/v1/accounts/12/follow")).status == 404


async def test_a_profile_lists_posts_boosts_and_comments(
    post: Post, app: App, alice: Account, bob: Account
) -> None:
    first, theirs = await post(alice, "First"), await post(bob, "Theirs #sea")
    comment = await post(alice, "Nice", in_reply_to_id=theirs["id"])
    client = await app(alice)
    boost = (await client.post(f"/api/v1/statuses/{theirs['id']}/reblog")).json
    path = f"/api/v1/accounts/{alice.id}/statuses"

    async def ids(**query: str) -> list[str]:
        return [one["id"] for one in (await client.get(path, query)).json]

    assert await ids(max_id="0") == [boost["id"], comment["id"], first["id"]]
    assert await ids(exclude_replies="true") == [boost["id"], first["id"]]
    assert await ids(exclude_reblogs="1") == [comment["id"], first["id"]]
    assert await ids(tagged="Sea") == [boost["id"]]
    assert await ids(pinned="true") == []
    assert await ids(only_media="true", exclude_reblogs="true") == []


async def test_somebody_who_has_moved_is_shown_with_where_they_are_now(
    node: Node, app: App, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        migration.add_alias(tx, bob, alice)
        migration.move(tx, alice, accounts.get(tx, bob.id))

    await node.db.write(unit)
    reader = await app(bob)
    assert (await reader.get(f"/api/v1/accounts/{alice.id}")).json["moved"]["acct"] == "bob"
    assert (await reader.get(f"/api/v1/accounts/{bob.id}")).json["moved"] is None


async def test_follows_kept_to_oneself_are_listed_to_nobody_else(
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
