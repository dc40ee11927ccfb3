"""Sections C, D, E and F of the security table, as far as an inbox and the documents go."""

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


async def test_C1_nobody_follows_before_the_other_server_has_agreed(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@a.test")
    uri = evil.person("rita", manuallyApprovesFollowers=False)
    rita = await actors.find(alice.node, uri)
    await alice.node.db.write(follows.follow, await alice.account(), rita)
    await fediverse.settle()
    asked = evil.received[-1]
    assert (asked["type"], asked["object"]) == ("Follow", uri)
    follow = await alice.node.db.read(relationships.follow_between, await alice.account(), rita)
    assert follow is not None
    assert not follow.is_accepted

    # Somebody else's word does not count, nor an answer to what was never asked.
    evil.person("mallory")
    forged = evil.activity("mallory", "Accept", asked)
    assert await evil.send(alice.node, "mallory", forged) == 202
    never = {**asked, "id": f"{asked['id']}9", "actor": bob.node.site.uri("/users/bob")}
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Accept", never)) == 202
    await fediverse.settle()
    follow = await alice.node.db.read(relationships.follow_between, await alice.account(), rita)
    assert follow is not None
    assert not follow.is_accepted
    assert await alice.node.db.read(relationships.follow_between, await bob.account(), rita) is None

    assert await evil.send(alice.node, "rita", evil.activity("rita", "Accept", asked)) == 202
    await fediverse.settle()
    follow = await alice.node.db.read(relationships.follow_between, await alice.account(), rita)
    assert follow is not None
    assert follow.is_accepted

    # What came for alice is not for bob, although he lives on the same node.
    secret = create(evil, to=[f"{uri}/followers"], cc=[])
    assert await evil.send(alice.node, "rita", secret) == 202
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, secret["object"]["id"])
    assert post is not None
    assert await alice.sees(post) is not None
    assert await bob.sees(post) is None


@pytest.mark.parametrize("type_", ["Accept", "Reject"])
async def test_C2_an_answer_counts_only_from_who_was_asked_and_if_asked(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, type_: str
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@a.test")
    rita = await actors.find(alice.node, evil.person("rita"))
    db = alice.node.db

    async def state(who: Person) -> bool | None:
        found = await db.read(relationships.follow_between, await who.account(), rita)
        return None if found is None else found.is_accepted

    await db.write(follows.follow, await alice.account(), rita)
    await fediverse.settle()
    asked = evil.received[-1]
    evil.person("neighbour")
    other.person("rita")
    for server, author in ((evil, "neighbour"), (other, "rita")):
        for answered in (asked, asked["id"], {**asked, "object": f"{server.base}/users/{author}"}):
            await server.send(alice.node, author, server.activity(author, type_, answered))
    never = {**asked, "id": f"{asked['id']}9", "actor": (await bob.account()).uri}
    for answered in (never, never["id"], f"{evil.base}/follows/1"):
        await evil.send(alice.node, "rita", evil.activity("rita", type_, answered))
    await fediverse.settle()
    assert (await state(alice), await state(bob)) == (False, None)

    await evil.send(alice.node, "rita", evil.activity("rita", type_, asked))
    await fediverse.settle()
    assert await state(alice) is (True if type_ == "Accept" else None)


@pytest.mark.parametrize("shape", ["embedded", "only the id", "mangled id", "who asked"])
async def test_an_accept_is_understood_in_every_form(
    fediverse: Fediverse, evil: RemoteServer, shape: str
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    rita = await actors.find(alice.node, evil.person("rita"))
    await alice.node.db.write(follows.follow, await alice.account(), rita)
    await fediverse.settle()
    asked = evil.received[-1]
    answered = {
        "embedded": asked,
        "only the id": asked["id"],
        "mangled id": {**asked, "id": "https://mangled.example/1"},
        "who asked": asked["actor"],
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
    said = create(evil, to=[f"{uri}/followers"], cc=[])
    await evil.send(alice.node, "rita", said)
    await fediverse.settle()
    wider = {**said["object"], "to": [PUBLIC], "updated": "2026-12-31T00:00:00Z"}
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", wider))
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, wider["id"])
    assert post is not None
    assert post.visibility == "followers"


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_C4_who_may_not_see_a_post_cannot_like_or_boost_it(
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


async def test_a_packed_answer_that_grows_too_large_is_cut_off(
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


async def test_what_a_post_only_names_is_not_asked(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    evil.requests.clear()
    names = [f"https://host{n}.example/users/x" for n in range(100)]
    tags = [{"type": "Mention", "href": name, "name": "@x"} for name in names]
    said = create(
        evil,
        tag=tags,
        cc=names,
        inReplyTo=f"{evil.base}/users/rita/statuses/unknown",
        replies=f"{evil.base}/replies",
        context=f"{evil.base}/context",
    )
    assert await evil.send(alice.node, "rita", said) == 202
    await fediverse.settle()
    # Only what it answers: the comment waits for that.
    assert set(evil.requests) == {"/users/rita/statuses/unknown"}
    assert await has(alice.node, (await _stored(fediverse, alice.node, said["object"]["id"])))


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
async def test_E1_json_that_is_not_fit_is_refused_at_once(
    fediverse: Fediverse, evil: RemoteServer, body: bytes
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    actor = evil.person("rita").encode()
    started = time.process_time()
    status = await evil.send(alice.node, "rita", body.replace(b"ACTOR", actor))
    assert status in (202, 400) if b"\\u" in body else status == 400
    assert time.process_time() - started < 0.5
    await fediverse.settle()


async def test_F2_a_private_post_looks_like_none_to_strangers(
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
        assert headers["vary"] == "Accept, Signature"

    # The server of a follower may have it, whichever of its actors asks.
    for key in (await signing_keys.by_account(bob.node, bob.id), await signing_keys.instance_key(bob.node)):
        found = await bob.node.client.get_json(private.uri, key=key)
        assert found.doc["id"] == private.uri
        assert found.doc["attachment"][0]["url"].startswith(alice.node.site.uri("/media/p/"))
    for path in ("/replies", "/likes", "/shares", "/activity"):
        assert (await evil.get(private.uri + path))[0] == 404


async def test_F1_collections_hold_nothing_private(fediverse: Fediverse, evil: RemoteServer) -> None:
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


async def test_secure_mode_wants_a_signature_for_everything_but_itself(
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
        # Of a person there is what it takes to check a signature, and nothing else.
        unsigned, body, _ = await evil.get(alice.node.site.uri(path))
        assert unsigned == (200 if path == "/users/alice" else 401)
        assert b"outbox" not in body
        status, _, headers = await evil.get(alice.node.site.uri(path), author="rita")
        assert status == 200
        assert headers["cache-control"] == "private, no-store"
    assert (await evil.get(alice.node.site.uri("/actor")))[0] == 200
    handle = alice.node.site.uri(f"/.well-known/webfinger?resource=acct:alice@{alice.node.site.domain}")
    assert (await evil.get(handle))[0] == 200
