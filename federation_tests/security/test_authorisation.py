"""Rows of the sections C, D, E and F of the security table about the inbox and the served documents."""

from __future__ import annotations

import dataclasses
import json
import time
import zlib

import pytest

from activitypub.client import signing_keys
from activitypub.client.client import Unfetchable
from activitypub.remote import actors
from federation_tests.fediverse import Fediverse, Person, has
from federation_tests.remote_server import PUBLIC, RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import relationships
from node.interactions import follows
from node.models.post import Post
from node.posts import posts


async def test_C1_a_follow_starts_only_with_the_accept_of_the_followed(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@a.test")
    uri = evil.person("rita", manuallyApprovesFollowers=False)
    rita = await actors.find(alice.node, uri)
    await alice.node.db.write(follows.follow, await alice.account(), rita)
    await fediverse.settle()
    sent_follow = evil.received[-1]
    assert (sent_follow["type"], sent_follow["object"]) == ("Follow", uri)
    follow = await alice.node.db.read(relationships.follow_between, await alice.account(), rita)
    assert follow is not None
    assert not follow.is_accepted

    # An Accept by another actor does not count, nor one for a Follow that was never sent.
    evil.person("mallory")
    forged = evil.activity("mallory", "Accept", sent_follow)
    assert await evil.send(alice.node, "mallory", forged) == 202
    never_sent = {**sent_follow, "id": f"{sent_follow['id']}9", "actor": bob.node.site.uri("/users/bob")}
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Accept", never_sent)) == 202
    await fediverse.settle()
    follow = await alice.node.db.read(relationships.follow_between, await alice.account(), rita)
    assert follow is not None
    assert not follow.is_accepted
    assert await alice.node.db.read(relationships.follow_between, await bob.account(), rita) is None

    assert await evil.send(alice.node, "rita", evil.activity("rita", "Accept", sent_follow)) == 202
    await fediverse.settle()
    follow = await alice.node.db.read(relationships.follow_between, await alice.account(), rita)
    assert follow is not None
    assert follow.is_accepted

    # A post for the followers of rita is not for bob, although his account is on the same node.
    secret = create(evil, to=[f"{uri}/followers"], cc=[])
    assert await evil.send(alice.node, "rita", secret) == 202
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, secret["object"]["id"])
    assert post is not None
    assert await alice.sees(post) is not None
    assert await bob.sees(post) is None


@pytest.mark.parametrize("type_", ["Accept", "Reject"])
async def test_C2_an_accept_counts_only_from_the_followed_account(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, type_: str
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@a.test")
    rita = await actors.find(alice.node, evil.person("rita"))
    db = alice.node.db

    async def state(person: Person) -> bool | None:
        found = await db.read(relationships.follow_between, await person.account(), rita)
        return None if found is None else found.is_accepted

    await db.write(follows.follow, await alice.account(), rita)
    await fediverse.settle()
    sent_follow = evil.received[-1]
    evil.person("neighbour")
    other.person("rita")
    for server, author in ((evil, "neighbour"), (other, "rita")):
        for answered in (
            sent_follow,
            sent_follow["id"],
            {**sent_follow, "object": f"{server.base}/users/{author}"},
        ):
            await server.send(alice.node, author, server.activity(author, type_, answered))
    never_sent = {**sent_follow, "id": f"{sent_follow['id']}9", "actor": (await bob.account()).uri}
    for answered in (never_sent, never_sent["id"], f"{evil.base}/follows/1"):
        await evil.send(alice.node, "rita", evil.activity("rita", type_, answered))
    await fediverse.settle()
    assert (await state(alice), await state(bob)) == (False, None)

    await evil.send(alice.node, "rita", evil.activity("rita", type_, sent_follow))
    await fediverse.settle()
    assert await state(alice) is (True if type_ == "Accept" else None)


@pytest.mark.parametrize("shape", ["embedded", "only the id", "mangled id", "the follower"])
async def test_an_accept_is_understood_in_every_form(
    fediverse: Fediverse, evil: RemoteServer, shape: str
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    rita = await actors.find(alice.node, evil.person("rita"))
    await alice.node.db.write(follows.follow, await alice.account(), rita)
    await fediverse.settle()
    sent_follow = evil.received[-1]
    answered = {
        "embedded": sent_follow,
        "only the id": sent_follow["id"],
        "mangled id": {**sent_follow, "id": "https://mangled.example/1"},
        "the follower": sent_follow["actor"],
    }[shape]
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Accept", answered)) == 202
    await fediverse.settle()
    follow = await alice.node.db.read(relationships.follow_between, await alice.account(), rita)
    assert follow is not None
    assert follow.is_accepted
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Reject", answered)) == 202
    await fediverse.settle()
    assert await alice.node.db.read(relationships.follow_between, await alice.account(), rita) is None


async def test_C3_an_update_does_not_widen_the_audience(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    uri = f"{evil.base}/users/rita"
    activity = create(evil, to=[f"{uri}/followers"], cc=[])
    await evil.send(alice.node, "rita", activity)
    await fediverse.settle()
    wider = {**activity["object"], "to": [PUBLIC], "updated": "2026-12-31T00:00:00Z"}
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", wider))
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, wider["id"])
    assert post is not None
    assert post.visibility == "followers"


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_C4_a_post_can_be_liked_and_boosted_only_by_its_audience(
    fediverse: Fediverse, evil: RemoteServer, visibility: str
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("mallory")
    post = await alice.posts("Not for you", photo="Private", visibility=visibility)
    for type_ in ("Like", "Announce"):
        activity = evil.activity("mallory", type_, post.uri, to=[PUBLIC])
        assert await evil.send(alice.node, "mallory", activity) == 202
    await fediverse.settle()
    seen = await alice.sees(post)
    assert seen is not None
    assert (seen.post.likes_count, seen.post.boosts_count) == (0, 0)
    assert await alice.notifications() == []


async def test_a_compressed_response_is_cut_off_at_the_limit(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    packer = zlib.compressobj(wbits=31)
    bomb = packer.compress(b'{"id":"' + b"a" * 50_000_000 + b'"}') + packer.flush()
    evil.replies["/users/rita"].body = bomb
    evil.replies["/users/rita"].headers = {"content-encoding": "gzip"}
    started = time.monotonic()
    with pytest.raises(Unfetchable):
        await actors.find(alice.node, uri)
    assert time.monotonic() - started < 3


async def test_uris_that_a_post_only_mentions_are_not_fetched(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    evil.requests.clear()
    names = [f"https://host{n}.example/users/x" for n in range(100)]
    tags = [{"type": "Mention", "href": name, "name": "@x"} for name in names]
    activity = create(
        evil,
        tag=tags,
        cc=names,
        inReplyTo=f"{evil.base}/users/rita/statuses/unknown",
        replies=f"{evil.base}/replies",
        context=f"{evil.base}/context",
    )
    assert await evil.send(alice.node, "rita", activity) == 202
    await fediverse.settle()
    # Only the parent is fetched: the comment waits for it.
    assert set(evil.requests) == {"/users/rita/statuses/unknown"}
    assert await has(alice.node, (await _stored(fediverse, alice.node, activity["object"]["id"])))


async def _stored(fediverse: Fediverse, node: object, uri: str) -> Post:
    found = await fediverse.running["a.test"].node.db.read(posts.by_uri, uri)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" * 1_000_000,
        b'{"type":"Create","id":"https://x.example/1","n":' + b"9" * 1_000_000 + b"}",
        b'{"type":"Create","n":NaN}',
        b'{"type":"Like","actor":"ACTOR","object":"https://x.example/1","actor":"https://x.example/y"}',
        b'{"type":"Like","actor":"ACTOR","object":"https://x.example/\\ud800"}',
        b'{"type":"Like","actor":"ACTOR","object":"https://x.example/\\u0000"}',
        b'\xef\xbb\xbf{"type":"Create"}',
        b"\x00",
        b"",
    ],
    ids=["deep", "brackets", "number", "NaN", "twice", "surrogate", "NUL", "BOM", "zero", "empty"],
)
async def test_E1_hostile_json_is_refused_at_once(
    fediverse: Fediverse, evil: RemoteServer, body: bytes
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    actor = evil.person("rita").encode()
    started = time.process_time()
    status = await evil.send(alice.node, "rita", body.replace(b"ACTOR", actor))
    assert status in (202, 400) if b"\\u" in body else status == 400
    assert time.process_time() - started < 0.5
    await fediverse.settle()


async def test_F2_a_private_post_is_a_404_for_everybody_else(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    evil.person("mallory")
    private = await alice.posts("Private", photo="Private", visibility="followers")
    nowhere = private.uri[:-3] + "000"

    answers = [
        await evil.get(uri, author=author) for uri in (private.uri, nowhere) for author in (None, "mallory")
    ]
    assert {(status, body) for status, body, _ in answers} == {(404, answers[0][1])}
    for _, _, headers in answers:
        assert headers["cache-control"] == "private, no-store"
        assert headers["vary"] == "Accept, Signature, Accept-Encoding"

    # Any actor on the server of a follower may fetch it.
    for key in (await signing_keys.by_account(bob.node, bob.id), await signing_keys.instance_key(bob.node)):
        found = await bob.node.client.get_json(private.uri, key=key)
        assert found.doc["id"] == private.uri
        url = found.doc["attachment"][0]["url"]
        assert url.startswith(alice.node.site.uri(f"/media/p/{bob.node.site.domain}~"))
        assert (await evil.get(url))[0] == 200
    # What its server was sent is the same address, and ends with the last right there to see it.
    await bob.unfollows(alice)
    await fediverse.settle()
    assert (await evil.get(url))[0] == 404
    for path in ("/replies", "/likes", "/shares", "/activity"):
        assert (await evil.get(private.uri + path))[0] == 404


async def test_F1_collections_list_nothing_private(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    open_ones = [
        await alice.posts(text, photo=text, visibility=visibility)
        for text, visibility in (("Public words", "public"), ("Unlisted words", "unlisted"))
    ]
    for visibility in ("followers", "direct"):
        await alice.posts(f"Hidden {visibility}", photo="Hidden alt", visibility=visibility)
    outbox = alice.node.site.uri("/users/alice/outbox")
    _, front, _ = await evil.get(outbox)
    _, page, _ = await evil.get(json.loads(front)["first"])
    assert json.loads(front)["totalItems"] == 2
    assert [item["object"]["id"] for item in json.loads(page)["orderedItems"]] == [
        post.uri for post in reversed(open_ones)
    ]
    assert b"Hidden" not in page


async def test_secure_mode_serves_only_the_instance_actor_unsigned(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    config = alice.node.config
    alice.node.config = dataclasses.replace(
        config, federation=dataclasses.replace(config.federation, secure_mode=True)
    )
    evil.person("rita")
    post = await alice.posts("Open", photo="Open")
    for path in ("/users/alice", "/users/alice/outbox", post.uri.removeprefix(alice.node.site.base_url)):
        # Unsigned, an actor is reduced to the properties that a signature check needs.
        unsigned, body, _ = await evil.get(alice.node.site.uri(path))
        assert unsigned == (200 if path == "/users/alice" else 401)
        assert b"outbox" not in body
        status, _, headers = await evil.get(alice.node.site.uri(path), author="rita")
        assert status == 200
        assert headers["cache-control"] == "private, no-store"
    assert (await evil.get(alice.node.site.uri("/actor")))[0] == 200
    handle = alice.node.site.uri(f"/.well-known/webfinger?resource=acct:alice@{alice.node.site.domain}")
    assert (await evil.get(handle))[0] == 200
