"""Domain blocks and suspensions between real servers: C5, C6 and B11 of the security table, and related rules."""

from __future__ import annotations

import dataclasses
import time

import pytest

from activitypub.client import signing_keys
from activitypub.client.client import Unfetchable
from activitypub.remote import actors, lookup
from activitypub.signatures import sign_cavage
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import PUBLIC, RemoteServer, Reply
from federation_tests.security.scenes import alice_follows_rita, create, rows_of
from node.accounts import accounts, relationships
from node.admin import account_actions
from node.attachments import avatars, photo_rows, remote_photos
from node.auth import users
from node.database import Writer
from node.errors import NotFound
from node.ids import now_ms
from node.interactions import blocks, follows
from node.models.account import Account
from node.models.post import Post
from node.moderation import block_list_entries, block_lists, domain_rules
from node.posts import posts
from tests.support.pictures import picture


def host(server: RemoteServer) -> str:
    return server.domain.partition(":")[0]


async def _post(person: Person, uri: str) -> Post:
    found = await person.node.db.read(posts.by_uri, uri)
    assert found is not None
    return found


async def test_C5_a_suspended_server_gets_nothing_in_and_nothing_out(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    activity = create(evil)
    assert await evil.send(alice.node, "rita", activity) == 202
    evil.person("rolf")
    assert (
        await evil.send(
            alice.node, "rolf", evil.activity("rolf", "Follow", alice.node.site.uri("/users/alice"))
        )
        == 202
    )
    await fediverse.settle()
    post = await _post(alice, activity["object"]["id"])
    local_post = await alice.posts("Open", photo="Open")
    await fediverse.settle()
    assert any(one["type"] == "Create" for one in evil.received)
    assert await alice.home() == ["Open", "Post 1"]

    await alice.node.db.write(domain_rules.block, host(evil))
    await fediverse.settle()
    evil.received.clear()
    evil.requests.clear()

    # Incoming: nothing, whoever the actor and whatever the activity.
    before = await rows_of(alice.node)
    evil.person("new")
    for name, received in (
        ("rita", create(evil, number=2)),
        ("new", evil.activity("new", "Follow", alice.node.site.uri("/users/alice"))),
        ("rita", evil.activity("rita", "Like", local_post.uri)),
        (
            "rita",
            create(
                evil,
                number=3,
                inReplyTo=local_post.uri,
                tag=[{"type": "Mention", "href": alice.node.site.uri("/users/alice")}],
            ),
        ),
    ):
        assert await evil.send(alice.node, name, received) == 403
    assert await rows_of(alice.node) == before

    # Outgoing: nothing, neither delivered nor served to a signer of that server.
    await alice.posts("Still open", photo="Still open")
    await alice.deletes(local_post)
    await fediverse.settle()
    assert evil.received == []
    for path in (
        "/users/alice",
        "/users/alice/outbox",
        "/.well-known/webfinger?resource=acct:alice@" + alice.node.site.domain,
    ):
        status, _, headers = await evil.get(alice.node.site.uri(path), author="rita")
        assert status == (200 if "webfinger" in path else 403)
        if status == 403:
            assert headers["cache-control"] == "private, no-store"
    assert (await evil.get(alice.node.site.uri("/users/alice")))[0] == 200
    assert (await evil.get(alice.node.site.uri("/actor"), author="rita"))[0] == 200

    # It gets no requests, and what is stored of it is hidden.
    viewer = await alice.account()
    for query in (f"@new@{evil.domain}", f"{evil.base}/users/new", f"{evil.base}/users/rita", post.uri):
        assert await lookup.resolve(alice.node, query, viewer) is None
    await lookup.fetch_mentioned_accounts(alice.node, f"Hello @new@{evil.domain}")
    assert sum(evil.requests.values()) == 0
    assert await alice.sees(post) is None
    assert await alice.home() == ["Still open"]

    # Unblocked, everything is as before.
    await alice.node.db.write(domain_rules.unblock, host(evil))
    await fediverse.settle()
    assert "Post 1" in await alice.home()
    assert (await evil.get(alice.node.site.uri("/users/alice"), author="rita"))[0] == 200
    assert await evil.send(alice.node, "rita", create(evil, number=4)) == 202
    await alice.posts("Again", photo="Again")
    await fediverse.settle()
    assert "Post 4" in await alice.home()
    assert any(one["type"] == "Create" for one in evil.received)


async def test_a_queued_delivery_to_a_suspended_server_fails(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    assert (
        await evil.send(
            alice.node, "rita", evil.activity("rita", "Follow", alice.node.site.uri("/users/alice"))
        )
        == 202
    )
    await fediverse.settle()
    evil.inbox_status = 503
    await alice.posts("Waiting", photo="Waiting")
    await fediverse.settle()
    evil.inbox_status = 202
    evil.received.clear()

    await alice.node.db.write(domain_rules.block, host(evil))
    await fediverse.settle(now=now_ms() + 3_600_000)
    assert evil.received == []
    states = await alice.node.db.read(
        lambda tx: [
            (row["state"], row["reason"])
            for row in tx.all("SELECT state, reason FROM deliveries WHERE state <> 'delivered'")
        ]
    )
    assert states == [("failed", "this node does not exchange anything with that server")]


async def test_a_blocked_account_gets_and_causes_nothing(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    rita = await actors.find(alice.node, evil.person("rita"))
    rolf = await actors.find(alice.node, evil.person("rolf"))
    post = await alice.posts("Open", photo="Open")
    await alice.node.db.write(blocks.block, await alice.account(), rita)
    await fediverse.settle()
    evil.received.clear()

    target = alice.node.site.uri("/users/alice")
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Follow", target)) == 202
    for type_ in ("Like", "Announce"):
        assert await evil.send(alice.node, "rita", evil.activity("rita", type_, post.uri, to=[PUBLIC])) == 202
    reply = create(evil, inReplyTo=post.uri, tag=[{"type": "Mention", "href": target, "name": "@alice"}])
    assert await evil.send(alice.node, "rita", reply) == 202
    await fediverse.settle()
    assert [one["type"] for one in evil.received] == ["Reject"]
    seen = await alice.sees(post)
    assert seen is not None
    assert (seen.post.likes_count, seen.post.boosts_count, seen.post.comments_count) == (0, 0, 0)
    assert await alice.notifications() == []
    assert await alice.conversation(post) == []

    for uri in (target, post.uri, f"{target}/followers"):
        assert (await evil.get(uri, author="rita"))[0] == 403
        assert (await evil.get(uri, author="rolf"))[0] == 200
    assert rolf.domain == evil.domain

    # That alice has blocked rita is not revealed to a forged signature of rita.
    evil.person("rita", key="somebody else")
    forged = evil.key("rita", pair="nobody knows this one")
    headers = {"Accept": "application/activity+json"}
    headers |= sign_cavage(forged, "GET", target, None, time.time(), [("Accept", headers["Accept"])])
    assert (await evil.request("GET", target, headers))[0] == 200


async def test_C6_a_suspended_account_is_hidden_and_nothing_is_received(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    db = alice.node.db
    kim = await actors.find(alice.node, other.person("kim"))

    def befriend(tx: Writer) -> None:
        follows.accept(tx, follows.follow(tx, accounts.get(tx, alice.id), kim))
        users.create(tx, accounts.get(tx, alice.id), email="a@a.test", password_hash="-", role="admin")

    await db.write(befriend)
    activity = create(evil)
    assert await evil.send(alice.node, "rita", activity) == 202
    await fediverse.settle()
    uri = activity["object"]["id"]
    assert await other.send(alice.node, "kim", other.activity("kim", "Announce", uri, to=[PUBLIC])) == 202
    await fediverse.settle()
    assert await alice.home() == ["Post 1"]
    post = await _post(alice, uri)

    rita = await db.read(accounts.get, post.account_id)
    await db.write(account_actions.suspend, await alice.account(), rita)
    assert await alice.home() == []
    assert await alice.sees(post) is None

    # Neither the old post nor a new one appears through the boost of another.
    fresh = evil.note("rita", 2)["id"]
    for one in (uri, fresh):
        assert await other.send(alice.node, "kim", other.activity("kim", "Announce", one, to=[PUBLIC])) == 202
    # Nor through the account itself: no post, no edit, no new profile.
    edited = {**activity["object"], "content": "<p>Edited</p>", "updated": "2026-12-31T00:00:00Z"}
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Update", edited)) == 202
    evil.person("rita", name="Somebody new")
    assert (
        await evil.send(alice.node, "rita", evil.activity("rita", "Update", f"{evil.base}/users/rita")) == 202
    )
    assert await evil.send(alice.node, "rita", create(evil, number=3)) == 202
    await fediverse.settle()
    assert await alice.home() == []
    assert await db.read(posts.by_uri, fresh) is None
    assert (await _post(alice, uri)).caption == post.caption
    assert (await db.read(accounts.get, rita.id)).display_name == ""

    await db.write(account_actions.unsuspend, await alice.account(), rita)
    assert await alice.home() == ["Post 1"]


async def test_B11_no_spelling_of_a_host_evades_a_domain_block(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    port = evil.domain.partition(":")[2]
    await alice.node.db.write(domain_rules.block, "*.EVIL.test.")
    evil.requests.clear()
    key = await signing_keys.instance_key(alice.node)
    for spelling in (
        f"https://evil.test:{port}/users/rita",
        f"HTTPS://EVIL.TEST:{port}/users/rita",
        f"https://evil.test.:{port}/users/rita",
        f"https://\uff45vil.test:{port}/users/rita",
        f"https://good.test@evil.test:{port}/users/rita",
        f"https://evil\t.test:{port}/users/rita",
    ):
        with pytest.raises(Unfetchable):
            await alice.node.client.get_json(spelling, key=key)
        with pytest.raises(Unfetchable):
            await alice.node.client.post(spelling, b"{}", {})
        assert await lookup.resolve(alice.node, spelling, await alice.account()) is None
    assert sum(evil.requests.values()) == 0


async def test_a_redirect_does_not_lead_to_a_suspended_server(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    other.replies["/users/rita"] = Reply(302, headers={"location": uri})
    await alice.node.db.write(domain_rules.block, host(evil))
    with pytest.raises(Unfetchable) as refused:
        await alice.node.client.get_json(f"{other.base}/users/rita", key=None)
    assert "does not exchange" in refused.value.reason
    assert evil.requests.total() == 0


async def test_rejected_media_of_a_server_are_not_fetched(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    evil.replies["/1.jpg"] = Reply(body=picture(), content_type="image/jpeg")
    evil.person("rita", icon={"type": "Image", "url": f"{evil.base}/1.jpg"})
    rita = await actors.find(alice.node, f"{evil.base}/users/rita", refresh=True)
    activity = create(
        evil, attachment=[{"type": "Image", "url": f"{evil.base}/1.jpg", "width": 4, "height": 3}]
    )
    assert await evil.send(alice.node, "rita", activity) == 202
    await fediverse.settle()
    post = await _post(alice, activity["object"]["id"])
    ((photo,),) = (await alice.node.db.read(photo_rows.by_posts, [post.id])).values()

    await alice.node.db.write(domain_rules.block, host(evil), strength="none", rejects_media=True)
    assert await remote_photos.fetch(alice.node, photo.id) is None
    with pytest.raises(NotFound):
        await avatars.fetch_remote(alice.node, rita.id)
    assert evil.requests["/1.jpg"] == 0
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.photos[0].remote_url == ""

    await alice.node.db.write(domain_rules.unblock, host(evil))
    found = await remote_photos.fetch(alice.node, photo.id)
    assert found is not None
    assert found.files
    await avatars.fetch_remote(alice.node, rita.id)
    assert evil.requests["/1.jpg"] == 2

    # Cached files are deleted with the rule, and fetched again after it.
    await alice.node.db.write(domain_rules.block, host(evil), strength="limit", rejects_media=True)
    await fediverse.settle()
    assert (await alice.node.db.read(photo_rows.by_ids, [photo.id]))[photo.id].files == {}


async def test_allowlist_mode_refuses_every_other_server(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    alice.node.db.site = dataclasses.replace(alice.node.db.site, is_allowlist_mode=True)
    await alice.node.db.write(domain_rules.apply_federation_mode)
    await alice.node.db.write(domain_rules.allow, "other.test")
    target = alice.node.site.uri("/users/alice")
    for server, status in ((evil, 403), (other, 202)):
        server.person("rita")
        assert await server.send(alice.node, "rita", server.activity("rita", "Follow", target)) == status
        assert (await server.get(target, author="rita"))[0] == (403 if status == 403 else 200)
    viewer = await alice.account()
    assert await lookup.resolve(alice.node, f"@rita@{evil.domain}", viewer) is None
    assert evil.requests.total() == 0
    assert isinstance(await lookup.resolve(alice.node, f"@rita@{other.domain}", viewer), Account)


async def test_a_follow_from_a_limited_server_needs_approval(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    rita = await actors.find(alice.node, evil.person("rita"))
    await alice.node.db.write(domain_rules.block, host(evil), strength="limit")
    target = alice.node.site.uri("/users/alice")
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Follow", target)) == 202
    await fediverse.settle()
    follow = await alice.node.db.read(relationships.follow_between, rita, await alice.account())
    assert follow is not None
    assert not follow.is_accepted
    assert await alice.notifications() == [("follow_request", "rita@evil.test")]


CSV = b"#domain,#severity\nloud.example,suspend\nodd*.example,suspend\n"


async def _drafts(person: Person, list_id: int) -> list[str]:
    return [draft.entry.domain for draft in await person.node.db.read(block_list_entries.pending, list_id)]


async def test_a_subscribed_block_list_is_read_when_it_has_changed(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    db = alice.node.db
    # Blocking a server does not block a list that is published on it.
    await db.write(domain_rules.block, host(evil))
    evil.replies["/list.csv"] = Reply(
        body=CSV,
        content_type="text/csv",
        headers={"etag": '"1"', "last-modified": "Sat, 21 Nov 2026 00:00:00 GMT"},
    )
    block_list = await db.write(block_lists.subscribe, f"{evil.base}/list.csv")
    await fediverse.settle()
    assert await _drafts(alice, block_list.id) == ["loud.example"]
    block_list = await db.read(block_lists.get, block_list.id)
    assert (block_list.etag, block_list.failure, [one.text for one in block_list.invalid_lines]) == (
        '"1"',
        "",
        ["odd*.example"],
    )

    # Not modified: nothing changes, and it is no failure.
    evil.replies["/list.csv"] = Reply(304)
    await db.write(block_lists.queue_fetch, block_list.id)
    await fediverse.settle()
    assert evil.requests["/list.csv"] == 2
    assert (await db.read(block_lists.get, block_list.id)).failure == ""
    assert await _drafts(alice, block_list.id) == ["loud.example"]

    # Broken: the entries stay, and the admin sees the reason.
    for reply in (
        Reply(500),
        Reply(200, b"<!doctype html><p>Moved", "text/html"),
        Reply(200, b"# empty now\n", "text/plain"),
        Reply(200, b"a" * 3_000_000, "text/plain"),
        Reply(200, b"\x00\xff" * 10, "application/octet-stream"),
    ):
        evil.replies["/list.csv"] = reply
        await db.write(block_lists.queue_fetch, block_list.id)
        await fediverse.settle()
        assert (await db.read(block_lists.get, block_list.id)).failure != ""
        assert await _drafts(alice, block_list.id) == ["loud.example"]

    evil.replies["/list.csv"] = Reply(200, b"calm.example\n", "text/plain")
    await db.write(block_lists.queue_fetch, block_list.id)
    await fediverse.settle()
    assert await _drafts(alice, block_list.id) == ["calm.example"]
    assert (await db.read(block_lists.get, block_list.id)).failure == ""


async def test_comments_of_a_limited_server_show_to_author_and_followers(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    bob, carol = await fediverse.people("bob@a.test", "carol@a.test")
    post = await bob.posts("A lake", photo="A lake")
    activity = create(evil, inReplyTo=post.uri, content="<p>Limited text</p>")
    assert await evil.send(alice.node, "rita", activity) == 202
    await fediverse.settle()
    await alice.node.db.write(domain_rules.block, host(evil), strength="limit")
    await fediverse.settle()
    assert await alice.conversation(post) == ["Limited text"]  # She follows rita.
    assert await bob.conversation(post) == ["Limited text"]  # It replies to him.
    assert await carol.conversation(post) == []
