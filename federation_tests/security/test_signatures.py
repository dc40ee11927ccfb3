"""Section A of the security table, through the socket of a running node: signatures, keys and actors."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from multidict import CIMultiDict

from activitypub.client.cache import FederationCache
from activitypub.signatures import sign_cavage
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer, key_pair
from federation_tests.security.scenes import alice_follows_rita, create, rows_of
from node.accounts import accounts
from node.moderation import domain_rules
from node.posts import posts

HOUR = 3600


@pytest.mark.parametrize("style", ["cavage", "rfc9421"])
async def test_a_signed_post_of_a_followed_account_is_stored(
    fediverse: Fediverse, evil: RemoteServer, style: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    assert await evil.send(alice.node, "rita", create(evil), style=style) == 202
    await fediverse.settle()
    assert await alice.home() == ["Post 1"]


async def test_A1_an_unsigned_post_is_refused_and_leaves_nothing(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    before = await rows_of(alice.node)
    body = json.dumps(create(evil)).encode()

    headers = {"Content-Type": "application/activity+json"}
    status, _, _ = await evil.request("POST", alice.node.site.uri("/inbox"), headers, body)

    assert status == 401
    assert await rows_of(alice.node) == before
    assert not evil.requests


@pytest.mark.parametrize("style", ["cavage", "rfc9421"])
async def test_A2_a_signature_by_the_wrong_key_is_refused(
    fediverse: Fediverse, evil: RemoteServer, style: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    wrong = evil.key("rita", pair="somebody else's")
    assert await evil.send(alice.node, "rita", create(evil), key=wrong, style=style) == 401
    await fediverse.settle()
    assert await alice.home() == []


async def test_A3_a_signer_cannot_act_for_another_actor(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    evil.person("mallory")
    evil.person("neighbour")
    other.requests.clear()
    before = await rows_of(alice.node)

    assert await evil.send(alice.node, "mallory", create(other)) == 401
    assert not other.requests
    assert not evil.requests
    assert await rows_of(alice.node) == before
    # Nor for another actor on the same server.
    assert await evil.send(alice.node, "mallory", create(evil, "neighbour")) == 401


@pytest.mark.parametrize("shape", ["list", "object", "list of objects"])
async def test_A4_two_actors_in_one_activity_are_refused(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, shape: str
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    mallory, rita = evil.person("mallory"), f"{other.base}/users/rita"
    smuggled: Any = {
        "list": [mallory, rita],
        "object": {"id": rita, "type": "Person"},
        "list of objects": [{"id": rita}, {"id": mallory}],
    }[shape]
    activity = evil.activity("mallory", "Create", other.note("rita", 1), actor=smuggled)
    assert await evil.send(alice.node, "mallory", activity) in (400, 401)
    await fediverse.settle()
    assert await alice.home() == []


@pytest.mark.parametrize(
    "case", ["no digest", "wrong digest", "md5 digest", "another body of equal length", "unsigned digest"]
)
async def test_A5_a_body_that_is_not_the_one_signed_is_refused(
    fediverse: Fediverse, evil: RemoteServer, case: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    activity = create(evil)
    body: bytes | None = None
    changed: dict[str, str | None] = {}
    if case == "no digest":
        changed = {"Digest": None}
    elif case == "wrong digest":
        changed = {"Digest": "SHA-256=" + "A" * 43 + "="}
    elif case == "md5 digest":
        changed = {"Digest": "MD5=1B2M2Y8AsgTpgAmY7PhCfg=="}
    elif case == "another body of equal length":
        body = json.dumps(activity).replace("Post 1", "Pest 1").encode()
    else:
        url = alice.node.site.uri("/inbox")
        signed = json.dumps(activity).encode()
        headers = sign_cavage(evil.key("rita"), "POST", url, signed, time.time())
        full = headers["Signature"]
        partial = sign_cavage(evil.key("rita"), "POST", url, None, time.time())
        headers["Signature"] = partial["Signature"]
        assert full != partial["Signature"]
        headers["Date"] = partial["Date"]
        status, _, _ = await evil.request("POST", url, headers, signed)
        assert status == 401
        return
    assert await evil.send(alice.node, "rita", activity, changed=changed, body=body) == 401


async def test_A7_a_replayed_request_acts_once_and_only_where_it_was_sent(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    activity = create(evil)
    url = alice.node.site.uri("/inbox")
    body = json.dumps(activity).encode()
    headers = sign_cavage(evil.key("rita"), "POST", url, body, time.time())

    for _ in range(2):
        assert (await evil.request("POST", url, headers, body))[0] == 202
        await fediverse.settle()
    assert await alice.home() == ["Post 1"]
    other_inbox = alice.node.site.uri("/users/alice/inbox")
    assert (await evil.request("POST", other_inbox, headers, body))[0] == 401
    (bob,) = await fediverse.people("bob@b.test")
    assert (await evil.request("POST", bob.node.site.uri("/inbox"), headers, body))[0] == 401
    late = sign_cavage(evil.key("rita"), "POST", url, body, time.time() - 2 * HOUR)
    assert (await evil.request("POST", url, late, body))[0] == 401


async def test_the_same_like_under_a_new_id_counts_once(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    post = await alice.posts("Mine", photo="Mine")
    evil.person("rita")
    for _ in range(3):
        assert await evil.send(alice.node, "rita", evil.activity("rita", "Like", post.uri)) == 202
    await fediverse.settle()
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.likes_count == 1


async def test_A8_clocks_may_differ_by_an_hour_and_bad_dates_are_refused(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    for style in ("cavage", "rfc9421"):
        for minutes, status in ((-59, 202), (59, 202), (-61, 401), (61, 401)):
            now = time.time() + 60 * minutes
            assert await evil.send(alice.node, "rita", create(evil), now=now, style=style) == status
    for date in ("yesterday", "Thu, 99 Foo 2026 25:61:61 GMT", "0"):
        assert await evil.send(alice.node, "rita", create(evil), changed={"Date": date}) == 401


async def test_A9_repeated_signature_parameters_are_refused(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    activity = create(evil)
    url = alice.node.site.uri("/inbox")
    body = json.dumps(activity).encode()
    headers = sign_cavage(evil.key("rita"), "POST", url, body, time.time())
    signature = headers["Signature"]
    for twice in (
        f'keyId="{evil.base}/users/mallory#main-key",{signature}',
        f'{signature},headers="date"',
        f'{signature},signature="AAAA"',
    ):
        assert (await evil.request("POST", url, headers | {"Signature": twice}, body))[0] == 401
    two = CIMultiDict(headers)
    two.add("Signature", signature.replace("rita", "mallory"))
    assert (await evil.request("POST", url, two, body))[0] == 401
    assert (await evil.request("POST", url, headers, body))[0] == 202


async def test_A10_a_key_of_another_servers_actor_is_refused_and_not_stored(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    key_id = evil.serve(
        "/keys/1",
        {
            "id": f"{evil.base}/keys/1",
            "type": "Key",
            "owner": f"{other.base}/users/rita",
            "publicKeyPem": key_pair("mallory")[1],
        },
    )
    key = evil.key("mallory", pair="mallory", key_id=key_id)
    assert await evil.send(alice.node, "mallory", create(other), key=key) == 401
    claimed = evil.activity("mallory", "Like", "https://nowhere.example/1")
    assert await evil.send(alice.node, "mallory", claimed, key=key) == 401
    assert alice.node.component(FederationCache).keys.get(key_id) is None
    await fediverse.settle()
    assert await alice.home() == []


async def test_an_actor_that_does_not_list_the_key_does_not_own_it(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    key_id = evil.serve(
        "/keys/2",
        {"id": f"{evil.base}/keys/2", "type": "Key", "owner": uri, "publicKeyPem": key_pair("x")[1]},
    )
    key = evil.key("rita", pair="x", key_id=key_id)
    assert await evil.send(alice.node, "rita", create(evil), key=key) == 401


async def test_A11_a_key_document_must_have_the_requested_id(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    evil.serve(
        "/keys/3",
        {"id": f"{uri}#main-key", "type": "Key", "owner": uri, "publicKeyPem": key_pair("x")[1]},
    )
    key = evil.key("rita", pair="x", key_id=f"{evil.base}/keys/3")
    assert await evil.send(alice.node, "rita", create(evil), key=key) == 401


async def test_A13_a_missing_key_is_fetched_once(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    sent = [evil.send(alice.node, "ghost", create(evil, "ghost", n)) for n in range(10)]
    assert set(await asyncio.gather(*sent)) == {401}
    assert evil.requests["/users/ghost"] == 1


async def test_A14_a_temporarily_unavailable_key_is_a_503(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    evil.replies["/users/rita"].status = 502
    for _ in range(2):
        assert await evil.send(alice.node, "rita", create(evil)) == 503
    assert evil.requests["/users/rita"] == 1


async def test_A16_a_rotated_key_is_fetched_once_and_the_old_one_refused(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    assert await evil.send(alice.node, "rita", create(evil)) == 202
    evil.person("rita", key="a new key")
    evil.requests.clear()

    new = evil.key("rita", pair="a new key")
    assert await evil.send(alice.node, "rita", create(evil, number=2), key=new) == 202
    assert evil.requests["/users/rita"] == 1
    assert await evil.send(alice.node, "rita", create(evil, number=3)) == 401
    await fediverse.settle()
    assert sorted(await alice.home()) == ["Post 1", "Post 2"]


async def test_a_delete_of_an_unknown_actor_is_accepted_and_ignored(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    before = await rows_of(alice.node)
    uri = f"{evil.base}/users/nobody"
    deletion = evil.activity("nobody", "Delete", uri)
    assert await evil.send(alice.node, "nobody", deletion) == 202
    assert await rows_of(alice.node) == before
    assert not evil.requests


async def test_a_delete_of_a_known_actor_without_key_is_verified(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    assert await evil.send(alice.node, "rita", create(evil)) == 202
    await fediverse.settle()
    assert await alice.home() == ["Post 1"]
    uri = f"{evil.base}/users/rita"
    key = evil.key("rita", pair="nobody knows this one")
    deletion = evil.activity("rita", "Delete", uri)

    # Forged: the server still serves the actor.
    assert await evil.send(alice.node, "rita", deletion, key=key) == 401
    await fediverse.settle()
    assert await alice.home() == ["Post 1"]

    # Genuine: the server answers 410.
    evil.replies["/users/rita"].status = 410
    alice.node.component(FederationCache).refetched_keys.clear()
    assert await evil.send(alice.node, "rita", deletion, key=key) == 202
    await fediverse.settle()
    rita = await alice.node.db.read(accounts.by_uri, uri)
    assert rita is not None
    assert rita.deleted_at is not None
    assert await alice.home() == []


async def test_a_blocked_server_is_refused(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    await alice.node.db.write(domain_rules.block, evil.domain)
    before = await rows_of(alice.node)
    assert await evil.send(alice.node, "rita", create(evil)) == 403
    evil.person("new")
    assert await evil.send(alice.node, "new", create(evil, "new")) == 403
    assert await rows_of(alice.node) == before


async def test_the_inbox_has_a_status_for_each_bad_request(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    node = alice.node
    activity = create(evil)
    assert await evil.send(node, "rita", activity, content_type="text/html") == 415
    ld_json = 'application/ld+json; profile="x"'
    assert await evil.send(node, "rita", activity, content_type=ld_json, style="rfc9421") == 202
    assert await evil.send(node, "rita", b'{"x":"' + b"a" * 1_100_000 + b'"}') == 413
    assert await evil.send(node, "rita", b"[1, 2]") == 400
    assert await evil.send(node, "rita", b'{"type": "Create"}') == 400
    status, _, headers = await evil.request("GET", node.site.uri("/inbox"), {})
    assert (status, headers["allow"]) == (405, "POST")
    unknown = evil.activity("rita", "Listen", "https://music.example/1")
    assert await evil.send(node, "rita", unknown) == 202
    await fediverse.settle()
    assert await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'receive'")) == 0


async def test_posts_are_stored_by_their_author_only(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    await evil.send(alice.node, "rita", create(evil))
    await fediverse.settle()
    stored = await alice.node.db.read(posts.by_uri, f"{evil.base}/users/rita/statuses/1")
    assert stored is not None
    author = await alice.node.db.read(accounts.get, stored.account_id)
    assert author.uri == f"{evil.base}/users/rita"
