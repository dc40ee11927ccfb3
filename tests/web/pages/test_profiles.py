"""Profiles, follows with plain forms, requests, settings, notifications, search."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from node.accounts import accounts, relationships
from node.attachments import avatars
from node.auth import sessions, users
from node.database import Reader, Writer
from node.ids import now_ms
from node.interactions import blocks, follows, likes
from node.lifecycle import remote_accounts
from node.models.account import Account
from node.models.remote_actor import RemoteActor
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from node.timelines import notification_list
from tests.support import people
from tests.support.posting import receive_post
from tests.support.visitors import Visitor
from tests.web.pages.conftest import Publish, SignedIn
from web.i18n import formats


async def test_following_and_unfollowing_with_a_button(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(bob)
    seen = await visitor.get("/@alice")
    button = seen.one("button", **{"data-follow": str(alice.id)})
    assert button.text.strip() == "Follow"
    seen = await visitor.post(button.attributes["formaction"], {"back": "/@alice"})
    button = seen.one("button", **{"data-follow": str(alice.id)})
    assert button.text.strip() == "Following"
    assert "bob" in (await visitor.get("/@alice/followers")).main_text
    seen = await visitor.post(button.attributes["formaction"], {"back": "/@alice"})
    assert seen.one("button", **{"data-follow": str(alice.id)}).text.strip() == "Follow"


async def test_a_locked_account_accepts_or_rejects_requests(
    node: Node, alice: Account, bob: Account, mallory: Account, signed_in: SignedIn
) -> None:
    await node.db.write(people.lock, alice)
    for who in (bob, mallory):
        visitor = await signed_in(who)
        await visitor.get("/@alice")
        answer = await visitor.post(f"/people/{alice.id}/follow", headers={"accept": "application/json"})
        assert json.loads(answer.text)["label"] == "Requested"
    hers = await signed_in(alice)
    seen = await hers.get("/follow-requests")
    assert "bob" in seen.main_text
    await hers.post(f"/people/{bob.id}/accept", {"back": "/follow-requests"})
    await hers.post(f"/people/{mallory.id}/reject", {"back": "/follow-requests"})
    found = await node.db.read(relationships.with_accounts, alice, [bob.id, mallory.id])
    assert {one.id: one.followed_by for one in found} == {bob.id: True, mallory.id: False}


async def test_a_blocked_account_sees_nothing_and_is_listed_in_the_settings(
    alice: Account, mallory: Account, publish: Publish, signed_in: SignedIn
) -> None:
    await publish(alice, "Morning")
    hers, his = await signed_in(alice), await signed_in(mallory)
    await hers.post(f"/people/{mallory.id}/block", {"back": "/@mallory"})
    assert "Morning" not in (await his.get("/@alice/all")).text
    assert "mallory" in (await hers.get("/settings/people")).main_text
    await hers.post(f"/people/{mallory.id}/unblock", {"back": "/settings/people"})
    assert "Morning" in (await his.get("/@alice/all")).main_text


async def test_a_mute_may_have_an_end_and_leave_notifications(
    node: Node, alice: Account, bob: Account, mallory: Account, signed_in: SignedIn
) -> None:
    hers = await signed_in(alice)
    path = (await hers.get("/@bob")).one("a", href=f"/people/{bob.id}/mute").attributes["href"]
    seen = await hers.get(f"{path}?back=/explore")
    assert [one.attributes["value"] for one in seen.all("input", name="time")] == [
        "",
        "hour",
        "day",
        "week",
        "month",
    ]
    assert "bob" in seen.main_text
    await hers.post(path, {"back": "/@bob", "time": "week", "shows_notifications": "1"})
    await hers.post(f"/people/{mallory.id}/mute", {"back": "/", "time": "for ever"})

    def unit(tx: Reader) -> tuple[dict[int, int], list[bool]]:
        rows = tx.all("SELECT hides_notifications FROM mutes ORDER BY id")
        ends = blocks.mute_ends(tx, alice, [bob.id, mallory.id])
        return ends, [bool(row["hides_notifications"]) for row in rows]

    ends, hides = await node.db.read(unit)
    assert list(ends) == [bob.id]
    assert abs(ends[bob.id] - now_ms() - 7 * 24 * 3_600_000) < 600_000
    assert hides == [False, True]
    assert "Unmute" in (await hers.get("/@bob")).main_text


async def test_who_mutes_whom_is_asked_only_about_others_and_leads_back_only_here(
    alice: Account, bob: Account, anybody: Visitor, signed_in: SignedIn
) -> None:
    hers = await signed_in(alice)

    assert (await hers.get(f"/people/{alice.id}/mute")).status == 404
    assert (await hers.get("/people/1/mute")).status == 404
    seen = await hers.get(f"/people/{bob.id}/mute?back=https://evil.example/")
    assert "evil.example" not in seen.main_text
    assert seen.all("input", name="back")[-1].attributes["value"] == "/@bob"
    assert "Sign in" in (await anybody.get(f"/people/{bob.id}/mute")).text


async def test_the_settings_say_when_a_mute_ends(
    node: Node, alice: Account, bob: Account, mallory: Account, signed_in: SignedIn
) -> None:
    def unit(tx: Writer) -> int:
        blocks.mute(tx, alice, bob)
        blocks.mute(tx, alice, mallory, seconds=3600)
        return blocks.mute_ends(tx, alice, [mallory.id])[mallory.id]

    ends_at = await node.db.write(unit)
    seen = await (await signed_in(alice)).get("/settings/people")

    [time] = seen.all("time")
    assert time.text == f"{formats.format_moment(datetime.fromtimestamp(ends_at / 1000, UTC), 'en')} UTC"
    assert f"@malloryUntil {' '.join(time.text.split())}Unmute" in seen.main_text
    assert "@bobUnmute" in seen.main_text


async def test_profiles_are_found_in_any_case_and_redirect_to_one_url(
    alice: Account, anybody: Visitor
) -> None:
    for path in ("/@ALICE", "/@alice@tintype.test"):
        assert (await anybody.get(path)).path == "/@alice"
    assert (await anybody.get("/@nobody")).status == 404
    assert (await anybody.get("/@tintype.test")).status == 404


async def test_a_profile_is_saved_and_an_invalid_one_keeps_what_was_typed(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/settings/profile")
    form = [
        ("display_name", "Alice Varga"),
        ("bio", "Mountains <b>before</b> breakfast"),
        ("field_name", "Camera"),
        ("field_value", "Rolleiflex"),
        ("is_locked", "1"),
    ]
    seen = await visitor.post("/settings/profile", form)
    assert "Saved." in seen.main_text
    shown = await visitor.get("/@alice")
    assert "Mountains <b>before</b> breakfast" in shown.main_text
    assert "Rolleiflex" in shown.main_text
    await visitor.get("/settings/profile")
    seen = await visitor.post("/settings/profile", [("display_name", "Alice"), ("bio", "x" * 1001)])
    assert seen.status == 422
    assert seen.one("textarea", name="bio").attributes["aria-invalid"] == "true"
    assert seen.one("input", name="display_name").attributes["value"] == "Alice"


async def test_an_avatar_is_changed_and_an_invalid_file_refused(
    node: Node, alice: Account, signed_in: SignedIn, photo: Callable[..., bytes]
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/settings/profile")
    form = {"avatar_alt": "Me", "bio": "Mountains"}
    seen = await visitor.post("/settings/profile", form, files=[("avatar", "a.txt", b"hello")])
    assert seen.status == 422
    assert "This kind of file cannot be used as a picture. JPEG," in seen.main_text
    assert seen.one("input", name="avatar_alt").attributes["value"] == "Me"
    assert (await node.db.read(accounts.get, alice.id)).bio_source == "Mountains"
    seen = await visitor.post(
        "/settings/profile", form, files=[("avatar", "a.png", photo(80, 80, "PNG", seed=3))]
    )
    changed = await node.db.read(accounts.get, alice.id)
    assert "Saved." in seen.main_text
    assert await node.db.read(avatars.files, changed)
    assert changed.avatar_alt == "Me"


async def test_a_header_is_changed_described_and_removed(
    node: Node, alice: Account, signed_in: SignedIn, photo: Callable[..., bytes]
) -> None:
    visitor = await signed_in(alice)
    assert "header-image" not in (await visitor.get("/@alice")).text
    await visitor.get("/settings/profile")
    seen = await visitor.post("/settings/profile", {"header_alt": "A shore"}, files=[])
    assert seen.status == 422
    assert "Please choose an image." in seen.main_text
    file = ("header", "a.jpg", photo(1500, 500, seed=3))
    await visitor.post("/settings/profile", {"header_alt": "A shore"}, files=[file])
    shown = (await visitor.get("/@alice")).one("img", **{"class": "header-image"})
    assert shown.attributes["alt"] == "A shore"
    assert shown.attributes["src"].startswith(f"/media/header/{alice.id}/header.webp?v=")

    await visitor.get("/settings/profile")
    await visitor.post("/settings/profile", {"header_alt": "A shore at dawn"}, files=[])
    assert (await node.db.read(accounts.get, alice.id)).header_alt == "A shore at dawn"
    assert (await visitor.post("/settings/profile", {"header_alt": "x" * 1501}, files=[])).status == 422
    assert (await node.db.read(accounts.get, alice.id)).header_alt == "A shore at dawn"
    await visitor.post("/settings/profile", {"header_alt": "", "remove_header": "1"}, files=[])
    assert "header-image" not in (await visitor.get("/@alice")).text


async def test_attribution_domains_are_typed_or_pasted(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/settings/profile")
    typed = "https://Blog.Alice.example/about\n\nalice.example\nalice.example"
    await visitor.post("/settings/profile", {"attribution_domains": typed})
    assert (await node.db.read(accounts.get, alice.id)).attribution_domain_list == [
        "blog.alice.example",
        "alice.example",
    ]
    seen = await visitor.get("/settings/profile")
    assert seen.one("textarea", name="attribution_domains").text == "blog.alice.example\nalice.example"
    seen = await visitor.post("/settings/profile", {"attribution_domains": "my blog"})
    assert seen.status == 422
    assert "“my blog” is not the name of a website." in seen.main_text
    assert seen.one("textarea", name="attribution_domains").text == "my blog"


async def test_follows_can_be_hidden(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, anybody: Visitor
) -> None:
    await node.db.write(follows.follow, bob, alice)
    hers, his = await signed_in(alice), await signed_in(bob)
    assert "@bob" in (await anybody.get("/@alice/followers")).main_text
    await hers.get("/settings/profile")
    await hers.post("/settings/profile", {"hides_follows": "1"})
    for visitor in (his, anybody):
        seen = await visitor.get("/@alice/followers")
        assert "@bob" not in seen.main_text
        assert "alice hides their followers and follows." in seen.main_text
        assert "1 follower" in (await visitor.get("/@alice")).main_text
    assert "@bob" in (await hers.get("/@alice/followers")).main_text


async def test_a_new_password_ends_the_other_sessions(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    from node.auth import passwords

    here, there = await signed_in(alice), await signed_in(alice)
    await node.db.write(users.set_password, alice.id, await passwords.hash("the old one"))
    await here.get("/settings/password")
    seen = await here.post("/settings/password", {"password": "short"})
    assert seen.one("input", name="password").attributes["aria-invalid"] == "true"
    await here.post("/settings/password", {"password": "a quite new one"})
    assert (await here.get("/notifications")).path == "/notifications"
    assert (await there.get("/notifications")).path.startswith("/sign-in")


async def test_another_session_can_be_ended(node: Node, alice: Account, signed_in: SignedIn) -> None:
    here, there = await signed_in(alice), await signed_in(alice)
    seen = await here.get("/settings/sessions")
    other = next(one for one in seen.all("button") if one.attributes.get("name") == "session")
    await here.post("/settings/sessions/end", {"session": other.attributes["value"]})
    assert (await there.get("/bookmarks")).path.startswith("/sign-in")
    assert len(await node.db.read(sessions.by_account, alice)) == 1


async def test_notifications_are_grouped_and_read_once_shown(
    node: Node, alice: Account, bob: Account, mallory: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice, "Morning")
    for who in (bob, mallory):
        await node.db.write(likes.like, who, post)
    visitor = await signed_in(alice)
    assert visitor.page is not None
    assert not visitor.page.all("span", class_="unread", hidden="")
    seen = await visitor.get("/notifications")
    assert "mallory and bob liked your photo" in seen.main_text
    assert len(seen.all("li", class_="note new")) == 1
    assert not (await visitor.get("/notifications")).all("li", class_="note new")
    assert (await visitor.get("/")).all("span", class_="unread", hidden="")
    assert "liked" not in (await visitor.get("/notifications/comments")).main_text
    await visitor.post("/notifications/clear")
    assert await node.db.read(notification_list.unread_count, alice) == 0


def _far(tx: Writer) -> Account:
    return remote_accounts.upsert(
        tx,
        RemoteActor(
            uri="https://lake.example/users/juno",
            name="juno",
            domain="lake.example",
            inbox="https://lake.example/inbox",
            display_name="Juno",
        ),
    )


def _find(tx: Reader, who: Account) -> Account:
    return accounts.get(tx, who.id)


async def test_search_resolves_remote_handles_and_finds_local_text(
    node: Node, alice: Account, publish: Publish, signed_in: SignedIn, anybody: Visitor
) -> None:
    await node.db.write(_far)
    post = await publish(alice, "A heron at dawn #birds", alt="A grey bird")
    visitor = await signed_in(alice)
    for q in ("@juno@lake.example", "juno@lake.example", "https%3A%2F%2Flake.example%2Fusers%2Fjuno"):
        assert (await visitor.get(f"/search?q={q}")).path == "/@juno@lake.example"
    assert (
        await visitor.get(f"/search?q=https%3A%2F%2Ftintype.test%2Fp%2Falice%2F{post.id}")
    ).path == f"/p/alice/{post.id}"
    found = await visitor.get("/search?q=heron")
    assert found.all("a", class_="cell")
    assert "#birds" in (await visitor.get("/search?q=%23bird")).main_text
    assert "alice" in (await anybody.get("/search?q=ali")).main_text
    assert "Sign in to look" in (await anybody.get("/search?q=%40who%40nowhere.example")).main_text


async def test_search_shows_public_photos_of_others_and_comments_apart_from_them(
    node: Node, alice: Account, bob: Account, publish: Publish, signed_in: SignedIn, anybody: Visitor
) -> None:
    post = await publish(alice, "A heron at dawn")
    secret = await publish(alice, "A heron for friends", visibility="followers")
    comment = await node.db.write(publishing.publish, bob, Draft(caption="A heron it is", parent_id=post.id))

    for visitor in (anybody, await signed_in(bob)):
        found = await visitor.get("/search?q=heron")
        assert [one.attributes["href"] for one in found.all("a", class_="cell")] == [f"/p/alice/{post.id}"]
        shown = found.one("a", class_="who", href=f"/p/bob/{comment.id}#post-{comment.id}")
        assert "A heron it is" in shown.text
        assert [one.text for one in found.all("h2")] == ["Photos", "Comments"]
        assert str(secret.id) not in found.text


async def test_a_visitor_is_sent_to_their_own_server_to_follow(
    node: Node, alice: Account, bob: Account, anybody: Visitor, signed_in: SignedIn
) -> None:
    seen = await anybody.get("/@alice")
    link = next(one for one in seen.all("a") if one.attributes["href"].startswith("/interact?uri="))
    seen = await anybody.get(link.attributes["href"])
    assert seen.one("form", action="/interact")
    seen = await anybody.post("/interact", {"uri": alice.uri, "handle": "not a valid handle"})
    assert seen.status == 422
    assert "@you@server.example" in seen.main_text
    assert (await anybody.get("/interact?uri=https%3A%2F%2Fevil.test%2F")).status == 404
    visitor = await signed_in(bob)
    seen = await visitor.get(f"/authorize_interaction?uri={alice.uri}")
    assert seen.one("form", action=f"/people/{alice.id}/follow")
    assert not (await node.db.read(relationships.follow_between, bob, await node.db.read(_find, alice)))


async def test_saving_a_profile_again_changes_nothing_in_it(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/settings/profile")
    form = [("bio", "")]
    for name, value in (("Web", "https://alice.test/about/"), ("Friend", "@bob@b.test & <others>")):
        form += [("field_name", name), ("field_value", value)]
    await visitor.post("/settings/profile", form)
    before = await node.db.read(accounts.get, alice.id)
    seen = await visitor.get("/settings/profile")
    fields = seen.all("input", name="field_name") + seen.all("input", name="field_value")
    again = [(one.attributes["name"], one.attributes.get("value", "")) for one in fields]
    assert ("field_value", "https://alice.test/about/") in again
    await visitor.post("/settings/profile", [("bio", ""), *again])
    after = await node.db.read(accounts.get, alice.id)
    assert after.profile_fields == before.profile_fields
    assert 'href="https://alice.test/about/"' in after.profile_fields[0][1]


@pytest.mark.parametrize(("claimed", "is_part"), [(1, False), (9, True)])
async def test_a_profile_says_that_posts_are_missing_only_if_some_are(
    node: Node, anybody: Visitor, claimed: int, is_part: bool
) -> None:
    rita = await node.db.write(people.remote)
    await node.db.write(receive_post, rita)
    await node.db.write(
        accounts.set_claimed_counts,
        rita.id,
        posts=claimed,
        followers=None,
        following=None,
        hides_follows=None,
    )

    seen = await anybody.get("/@rita@far.example")

    assert "Counts are from far.example." in seen.main_text
    assert ("1 of the posts" in seen.main_text) == is_part
