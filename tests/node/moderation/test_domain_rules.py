"""Domain rules: which servers they cover, how they combine, and what they do to the accounts there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from node.accounts import accounts, relationships
from node.admin import account_actions
from node.attachments import photo_rows, photos
from node.attachments.stored_files import StoredFile
from node.auth import users
from node.database import Database, Reader, Writer
from node.discovery import search
from node.errors import Invalid, NotAllowed
from node.interactions import follows
from node.models import visibility
from node.models.account import Account
from node.models.domain_policy import DomainPolicy
from node.models.post import Post
from node.moderation import audit_log, domain_rules
from node.node import Node
from node.paging import Page
from node.posts import hashtags, posts
from node.timelines import notification_list, timelines
from tests.support.people import remote
from tests.support.posting import follow, picture, publish, receive_post

Settle = Callable[[], Awaitable[int]]


@pytest.mark.parametrize(
    ("domain", "blocked"),
    [
        ("loud.example", True),
        ("LOUD.example.", True),
        ("a.b.loud.example", True),
        ("loud.example:8443", True),
        ("notloud.example", False),
        ("example", False),
        ("loud.example.org", False),
    ],
)
async def test_a_block_covers_a_domain_and_what_is_under_it(db: Database, domain: str, blocked: bool) -> None:
    await db.write(domain_rules.block, "Loud.Example", "too loud")

    assert await db.read(domain_rules.is_blocked, domain) is blocked
    assert await db.read(domain_rules.blocked_among, [domain, "calm.example"]) == (
        {domain} if blocked else set()
    )


@pytest.mark.parametrize(
    ("entered", "received"),
    [
        ("löud.example", "xn--lud-sna.example"),
        ("xn--lud-sna.example", "LÖUD.example."),
        ("*.loud.example", "loud.example"),
        ("Loud.Example:8443", "a.loud.example:443"),
        (" loud.example ", "loud。example"),
    ],
)
async def test_no_spelling_of_a_name_gets_around_a_block(db: Database, entered: str, received: str) -> None:
    await db.write(domain_rules.block, entered)

    assert await db.read(domain_rules.is_blocked, received)


async def test_what_is_not_a_domain_counts_as_blocked(db: Database) -> None:
    for name in ("", "good@evil.example", "a b", "evil.example/x", "ev\til.example", "a..b"):
        assert await db.read(domain_rules.is_blocked, name)


async def test_a_block_is_listed_changed_and_lifted(db: Database) -> None:
    await db.write(domain_rules.block, "loud.example", "too loud")
    await db.write(domain_rules.block, "loud.example", "much too loud", strength="limit", rejects_media=True)
    (rule,) = await db.read(domain_rules.all_rules)
    assert (rule.domain, rule.public_comment, rule.strength) == ("loud.example", "much too loud", "limit")
    assert await db.read(domain_rules.policy, "loud.example") == DomainPolicy("limit", True, False)

    await db.write(domain_rules.unblock, "LOUD.example")
    assert await db.read(domain_rules.all_rules) == []
    assert await db.read(domain_rules.policy, "loud.example") == domain_rules.UNRESTRICTED


async def test_the_nearest_rule_decides(db: Database) -> None:
    await db.write(domain_rules.block, "host.example")
    await db.write(domain_rules.block, "quiet.host.example", strength="limit")
    await db.write(domain_rules.block, "good.host.example", strength="none")

    found = await db.read(
        domain_rules.policies, ["x.host.example", "a.quiet.host.example", "good.host.example", "example"]
    )
    assert [policy.strength for policy in found.values()] == ["suspend", "limit", "none", "none"]
    assert found["x.host.example"].rejects_media


@pytest.mark.parametrize("domain", ["", "   ", "a b", "https://", "tintype.test", "test", "user@x.example"])
async def test_what_is_no_other_server_cannot_be_blocked(db: Database, domain: str) -> None:
    with pytest.raises(Invalid):
        await db.write(domain_rules.block, domain)


async def test_the_own_domain_is_never_blocked(db: Database) -> None:
    assert not await db.read(domain_rules.is_blocked, "TINTYPE.test:443")


def test_an_obfuscated_domain_is_half_hidden_from_the_public() -> None:
    rule = domain_rules.DomainBlock("loud.example", "suspend", False, False, True, "", "", None, 1)

    assert rule.label == "lou*.****ple"


def shown_to(tx: Reader, viewer: Account | None, post: Post) -> bool:
    return visibility.may_see(tx, viewer, post)


async def test_a_suspended_server_is_hidden_and_comes_back_with_its_follows(
    node: Node, alice: Account, bob: Account, settle: Settle
) -> None:
    db = node.db
    rita = await db.write(remote, "rita", "far.example")
    kim = await db.write(remote, "kim", "near.example")
    await db.write(follow, alice, rita)
    await db.write(follow, rita, bob)
    post = await db.write(receive_post, rita, photos=[picture()])
    local = await db.write(publish, alice)
    await settle()
    assert await db.read(shown_to, None, post)
    assert [entry.post_id for entry in await db.read(timelines.home, alice, Page())] == [local.id, post.id]

    await db.write(domain_rules.block, "far.example")
    assert not await db.read(shown_to, alice, post)
    assert await db.read(timelines.remote, None, Page()) == []
    assert (await db.read(accounts.get, rita.id)).is_inactive
    assert not (await db.read(accounts.get, kim.id)).is_inactive
    with pytest.raises(NotAllowed):
        await db.write(follows.follow, rita, alice)
    await settle()
    assert await db.read(relationships.follow_between, alice, rita) is None
    assert await db.read(relationships.follow_between, rita, bob) is None
    counts = [(await db.read(accounts.get, account.id)).following_count for account in (alice, rita)]
    assert counts == [0, 0]
    assert [entry.post_id for entry in await db.read(timelines.home, alice, Page())] == [local.id]

    await db.write(domain_rules.unblock, "far.example")
    assert await db.read(shown_to, None, post)
    await settle()
    for pair in ((alice, rita), (rita, bob)):
        again = await db.read(relationships.follow_between, *pair)
        assert again is not None
        assert again.is_accepted
    assert (await db.read(accounts.get, alice.id)).following_count == 1
    assert (await db.read(accounts.get, bob.id)).followers_count == 1
    assert [entry.post_id for entry in await db.read(timelines.home, alice, Page())] == [local.id, post.id]


async def test_a_moderators_suspension_outlasts_that_of_the_server(
    db: Database, alice: Account, settle: Settle
) -> None:
    await db.write(users.create, alice, email="alice@a.test", password_hash="-", role="admin")
    rita = await db.write(remote, "rita", "far.example")
    ron = await db.write(remote, "ron", "far.example")

    await db.write(account_actions.suspend, alice, rita)
    await db.write(domain_rules.block, "far.example")
    await db.write(domain_rules.unblock, "far.example")
    await settle()
    assert (await db.read(accounts.get, rita.id)).suspended_at is not None
    assert (await db.read(accounts.get, ron.id)).suspended_at is None

    # And the other way round: a moderator cannot unsuspend an account of a suspended server.
    await db.write(domain_rules.block, "far.example")
    await db.write(account_actions.unsuspend, alice, rita)
    assert (await db.read(accounts.get, rita.id)).is_inactive
    await db.write(domain_rules.unblock, "far.example")
    assert not (await db.read(accounts.get, rita.id)).is_inactive


async def test_an_account_belongs_to_the_domain_of_its_handle_and_of_its_id(db: Database) -> None:
    uri = "https://social.far.example/users/rita"
    await db.write(domain_rules.block, "far.example")
    rita = await db.write(remote, "rita", "nice.example", uri=uri)
    assert rita.is_inactive
    await db.write(domain_rules.unblock, "far.example")
    assert not (await db.read(accounts.get, rita.id)).is_inactive
    await db.write(domain_rules.block, "nice.example", strength="limit")
    assert (await db.read(accounts.get, rita.id)).is_limited


async def test_a_new_account_is_marked_like_the_others_of_its_server(db: Database) -> None:
    await db.write(domain_rules.block, "far.example", strength="limit", rejects_media=True)

    rita = await db.write(remote, "rita", "far.example")
    assert (rita.is_limited, rita.is_without_media, rita.is_inactive) == (True, True, False)
    assert not (await db.write(remote, "kim", "near.example")).is_limited


async def test_accounts_of_a_limited_server_are_visible_to_followers_only(
    node: Node, alice: Account, bob: Account
) -> None:
    db = node.db
    rita = await db.write(remote, "rita", "far.example", display_name="Rita")
    await db.write(follow, alice, rita)
    post = await db.write(receive_post, rita, hashtags=["fog"], mentions=[bob])
    for name in ("ann", "ben"):
        await db.write(receive_post, await db.write(remote, name, "calm.example"), hashtags=["fog"])
    await db.write(domain_rules.block, "far.example", strength="limit")

    def seen(tx: Reader, viewer: Account | None) -> tuple[bool, ...]:
        lists = (timelines.public(tx, viewer, Page()), timelines.hashtag(tx, viewer, "fog", Page()))
        return tuple(post.id in [entry.post_id for entry in entries] for entries in lists)

    assert await db.read(seen, None) == (False, False)
    assert await db.read(seen, bob) == (False, False)
    assert await db.read(seen, alice) == (True, True)
    assert await db.read(shown_to, None, post)
    assert await db.read(hashtags.trending) == []
    assert await db.read(search.accounts, "rit", bob) == []
    assert [one.id for one in await db.read(search.accounts, "rit", alice)] == [rita.id]
    assert [one.id for one in await db.read(search.accounts, "rita@far.example", bob)] == [rita.id]
    assert await db.read(notification_list.page, bob, Page()) == []
    assert await db.read(notification_list.unread_count, bob) == 0

    await db.write(domain_rules.unblock, "far.example")
    assert await db.read(seen, None) == (True, True)
    assert len(await db.read(hashtags.trending)) == 1
    assert [one.kind for one in await db.read(notification_list.page, bob, Page())] == ["mention"]


async def test_an_account_of_a_limited_server_must_request_to_follow(db: Database, alice: Account) -> None:
    rita = await db.write(remote, "rita", "far.example")
    await db.write(domain_rules.block, "far.example", strength="limit")
    rita = await db.read(accounts.get, rita.id)

    request = await db.write(follows.follow, rita, alice)
    assert not request.is_accepted
    assert [one.kind for one in await db.read(notification_list.page, alice, Page())] == ["follow_request"]


def has_files(tx: Writer, post: Post) -> int:
    (photo,) = photo_rows.by_posts(tx, [post.id])[post.id]
    photos.add_files(tx, photo.id, {("medium", "webp"): StoredFile("aa/bb/cc.webp", 1, 1, 1)})
    return photo.id


async def test_rejected_media_are_neither_shown_nor_stored(node: Node, settle: Settle) -> None:
    db = node.db
    rita = await db.write(remote, "rita", "far.example", avatar_url="https://far.example/a.png")
    post = await db.write(receive_post, rita, photos=[picture()])
    photo_id = await db.write(has_files, post)
    assert await db.read(visibility.may_see_photo, 0, photo_id) == "public"

    await db.write(domain_rules.block, "far.example", strength="none", rejects_media=True)
    assert await db.read(shown_to, None, post)
    assert await db.read(visibility.may_see_photo, 0, photo_id) is None
    assert await db.read(visibility.may_see_file, 0, "aa/bb/cc.webp") is None
    rita = await db.read(accounts.get, rita.id)
    assert not await db.read(domain_rules.allows_media, rita, "https://cdn.example/a.png")
    await settle()
    assert (await db.read(photo_rows.by_ids, [photo_id]))[photo_id].files == {}

    await db.write(domain_rules.unblock, "far.example")
    assert await db.read(visibility.may_see_photo, 0, photo_id) == "public"


async def test_media_on_a_host_that_is_rejected_are_not_fetched(db: Database) -> None:
    rita = await db.write(remote, "rita", "far.example")
    await db.write(domain_rules.block, "cdn.example", strength="none", rejects_media=True)

    assert not await db.read(domain_rules.allows_media, rita, "https://files.cdn.example:8443/a.png")
    assert await db.read(domain_rules.allows_media, rita, "https://far.example/a.png")


async def test_in_allow_list_mode_only_servers_on_the_list_federate(
    node: Node, alice: Account, settle: Settle
) -> None:
    db = node.db
    rita = await db.write(remote, "rita", "far.example")
    await db.write(follow, alice, rita)
    post = await db.write(receive_post, rita)
    db.site = replace(db.site, is_allowlist_mode=True)

    await db.write(domain_rules.apply_federation_mode)
    assert await db.read(domain_rules.is_blocked, "far.example")
    assert not await db.read(domain_rules.is_blocked, "tintype.test")
    assert not await db.read(shown_to, alice, post)
    await settle()
    assert await db.read(relationships.follow_between, alice, rita) is None

    await db.write(domain_rules.allow, "example")
    assert await db.read(shown_to, alice, post)
    await db.write(domain_rules.block, "loud.example")
    assert await db.read(domain_rules.is_blocked, "a.loud.example")
    await settle()
    assert await db.read(relationships.follow_between, alice, rita) is not None

    await db.write(domain_rules.disallow, "example")
    assert not await db.read(shown_to, alice, post)
    db.site = replace(db.site, is_allowlist_mode=False)
    await db.write(domain_rules.apply_federation_mode)
    assert await db.read(shown_to, alice, post)


async def test_rules_are_recorded_in_the_audit_log(db: Database, alice: Account) -> None:
    await db.write(domain_rules.block, "loud.example", strength="limit", rejects_media=True, moderator=alice)
    await db.write(domain_rules.unblock, "loud.example", moderator=alice)

    entries = await db.read(audit_log.entries, Page())
    assert [(one.by_name, one.action, one.target, one.detail) for one in entries] == [
        ("alice", "lift", "loud.example", ""),
        ("alice", "rule", "loud.example", "limit media"),
    ]


async def test_a_post_of_a_suspended_server_is_not_accepted(db: Database) -> None:
    rita = await db.write(remote, "rita", "far.example")
    await db.write(domain_rules.block, "far.example")
    rita = await db.read(accounts.get, rita.id)

    with pytest.raises(AssertionError):
        await db.write(receive_post, rita)
    assert await db.read(posts.by_uri, f"{rita.uri}/posts/1") is None


async def test_a_change_for_very_many_servers_reaches_all_of_them(
    node: Node, alice: Account, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain_rules, "MAX_SERVERS_IN_TRANSACTION", 2)
    monkeypatch.setattr(domain_rules, "ACCOUNTS_PER_BATCH", 2)
    db = node.db
    people = [await db.write(remote, f"p{n}", f"s{n}.example") for n in range(7)]
    await db.write(follow, alice, people[0])
    await db.write(domain_rules.block, "s1.example", strength="limit")
    await db.write(domain_rules.allow, "s6.example")
    db.site = replace(db.site, is_allowlist_mode=True)

    await db.write(domain_rules.apply_federation_mode)
    await settle()
    assert [(await db.read(accounts.get, one.id)).is_inactive for one in people] == [True] * 6 + [False]
    assert await db.read(relationships.follow_between, alice, people[0]) is None

    db.site = replace(db.site, is_allowlist_mode=False)
    await db.write(domain_rules.apply_federation_mode)
    await settle()
    current = [await db.read(accounts.get, one.id) for one in people]
    assert [(one.is_inactive, one.is_limited) for one in current] == [(False, n == 1) for n in range(7)]
    assert await db.read(relationships.follow_between, alice, people[0]) is not None
