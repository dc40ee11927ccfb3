"""URIs, keys and collections in the forms that other servers use."""

from __future__ import annotations

import dataclasses
import json

import pytest

from activitypub.client.cache import FederationCache
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer, key_pair
from federation_tests.security.scenes import alice_follows_rita, create


async def test_a_host_may_be_written_in_any_case_or_with_a_dot(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await alice.posts("A lake", photo="A lake")
    for spelling in (
        post.uri.replace("a.test", "A.Test"),
        post.uri.replace("https://a.test:", "HTTPS://a.test.:"),
    ):
        await evil.send(alice.node, "rita", evil.activity("rita", "Like", spelling))
        await fediverse.settle()
        seen = await alice.sees(post)
        assert seen is not None
        assert seen.post.likes_count == 1
        await evil.send(
            alice.node, "rita", evil.activity("rita", "Undo", {"type": "Like", "object": spelling})
        )
        await fediverse.settle()


async def test_a_key_may_have_a_document_of_its_own(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    key_id = f"{evil.base}/keys/9"
    uri = evil.person("nina", publicKey=key_id)
    stub = {"id": key_id, "type": "CryptographicKey", "owner": uri, "publicKeyPem": key_pair("x")[1]}
    evil.serve("/keys/9", stub)
    key = evil.key("nina", pair="x", key_id=key_id)
    follow = evil.activity("nina", "Follow", (await alice.account()).uri)
    assert await evil.send(alice.node, "nina", follow, key=key) == 202
    # Not if the actor does not name it, or if it names another owner.
    evil.person("mark")
    evil.serve("/keys/8", {**stub, "id": f"{evil.base}/keys/8", "owner": f"{evil.base}/users/mark"})
    key = evil.key("mark", pair="x", key_id=f"{evil.base}/keys/8")
    assert await evil.send(alice.node, "mark", create(evil, "mark"), key=key) == 401


async def test_a_removed_key_is_refused_at_once(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    uri, old = f"{evil.base}/users/rita", f"{evil.base}/users/rita#main-key"
    assert await evil.send(alice.node, "rita", create(evil)) == 202
    await fediverse.settle()
    new = {"id": f"{uri}#second", "owner": uri, "publicKeyPem": key_pair("second")[1]}
    evil.person("rita", publicKey=new)
    key = evil.key("rita", pair="second", key_id=f"{uri}#second")
    assert await evil.send(alice.node, "rita", create(evil, number=2), key=key) == 202
    assert alice.node.component(FederationCache).keys.get(old) is None
    assert await evil.send(alice.node, "rita", create(evil, number=3)) == 401


async def test_in_secure_mode_an_unsigned_request_gets_the_keys_of_an_actor(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    config = alice.node.config
    alice.node.config = dataclasses.replace(
        config, federation=dataclasses.replace(config.federation, secure_mode=True)
    )
    status, body, headers = await evil.get((await alice.account()).uri)
    document = json.loads(body)
    assert (status, headers["cache-control"]) == (200, "private, no-store")
    assert set(document) == {
        "@context",
        "id",
        "type",
        "preferredUsername",
        "inbox",
        "publicKey",
        "assertionMethod",
    }
    for path in ("/@alice", "/users/alice/outbox", "/users/nobody"):
        assert (await evil.get(alice.node.site.uri(path)))[0] in (401, 404)


@pytest.mark.parametrize("accept", ["application/activity+json", "text/plain, application/activity+json"])
async def test_a_hashtag_is_a_collection_of_local_public_posts(
    fediverse: Fediverse, evil: RemoteServer, accept: str
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    public = await alice.posts("A lake in #Nebel", photo="A lake")
    for visibility in ("unlisted", "followers", "direct"):
        await alice.posts("Hidden #nebel", photo="Hidden", visibility=visibility)
    tag = alice.node.site.uri("/tags/NEBEL")
    status, body, _ = await evil.get(tag, accept=accept)
    found = json.loads(body)
    assert (status, found["type"], found["totalItems"]) == (200, "OrderedCollection", 1)
    _, body, _ = await evil.get(found["first"])
    assert json.loads(body)["orderedItems"] == [public.uri]
    assert (await evil.get(alice.node.site.uri("/tags/nothing")))[0] == 404
    assert b"<html" in (await evil.get(tag, accept="text/html"))[1]


async def test_nothing_is_sent_to_a_gone_inbox_for_a_while(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    await evil.send(alice.node, "rita", evil.activity("rita", "Follow", (await alice.account()).uri))
    await fediverse.settle()
    evil.received.clear()
    evil.inbox_status = 410
    for number in range(3):
        post = await alice.posts(f"Post {number}", photo="A lake")
        await fediverse.settle()
        assert (await alice.delivery_counts(post)).failed == 1
    assert len(evil.received) == 1
    # Once the cache has expired, the next delivery tries again.
    evil.inbox_status = 202
    alice.node.component(FederationCache).gone_inboxes.clear()
    await alice.posts("Again", photo="A lake")
    await fediverse.settle()
    assert len(evil.received) == 2
