"""Activities that one server forwards for another: believed with a proof, fetched when plausible, else refused."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activitypub.remote import actors
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import PUBLIC, RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import accounts, keys, relationships
from node.database import Reader
from node.federation import server_availability
from node.ids import now_ms
from node.maintenance import clean_up
from node.posts import posts

ED25519_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"rita").digest())


def _person_with_proof_key(server: RemoteServer, name: str = "rita") -> str:
    """A person whose actor document lists an Ed25519 key."""
    uri = f"{server.base}/users/{name}"
    public = keys.encode_multibase(b"\xed\x01" + ED25519_KEY.public_key().public_bytes_raw())
    multikey = {"id": f"{uri}#ed", "type": "Multikey", "controller": uri, "publicKeyMultibase": public}
    return server.person(name, assertionMethod=[multikey])


def _with_proof(
    server: RemoteServer, document: dict[str, Any], *, by: str = "rita", days_ago: int = 0, **changes: Any
) -> dict[str, Any]:
    options = {
        "@context": document["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "proofPurpose": "assertionMethod",
        "verificationMethod": f"{server.base}/users/{by}#ed",
        "created": _days_ago(days_ago),
        **changes,
    }
    options = {name: value for name, value in options.items() if value is not None}
    hashed = b"".join(hashlib.sha256(rfc8785.dumps(one)).digest() for one in (options, document))
    return {**document, "proof": {**options, "proofValue": keys.encode_multibase(ED25519_KEY.sign(hashed))}}


def _days_ago(days: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86_400))


async def test_A19_a_proved_activity_may_be_forwarded_by_anyone(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    evil.person("mallory")
    _person_with_proof_key(other)
    await actors.find(alice.node, f"{other.base}/users/rita", refresh=True)

    activity = _with_proof(other, create(other))
    altered = json.loads(json.dumps(activity).replace("Post 1", "Pest 1"))
    assert await evil.send(alice.node, "mallory", altered) == 401
    stale = {**activity, "proof": {**activity["proof"], "expires": "2020-01-01T00:00:00Z"}}
    assert await evil.send(alice.node, "mallory", stale) == 401
    assert await evil.send(alice.node, "mallory", activity) == 202
    await fediverse.settle()
    assert await alice.home() == ["Post 1"]


@pytest.mark.parametrize("verb", ["Create", "Follow", "Like", "Announce"])
async def test_what_was_undone_months_ago_does_not_come_back_with_its_proof(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, verb: str
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    node = alice.node
    rita = _person_with_proof_key(other)
    await actors.find(node, rita, refresh=True)
    evil.person("mallory")
    lake = await alice.posts("A lake", photo="A lake")
    created = create(other, is_served=False)
    objects = {"Create": created["object"], "Follow": (await alice.account()).uri}
    activity = other.activity("rita", verb, objects.get(verb, lake.uri), to=[PUBLIC])
    activity = _with_proof(other, activity, days_ago=125)

    async def stands() -> bool:
        def unit(tx: Reader) -> bool:
            author, shown = accounts.by_uri(tx, rita), posts.by_uri(tx, created["object"]["id"])
            liked = posts.by_id(tx, lake.id)
            assert author is not None
            assert liked is not None
            follow = relationships.follow_between(tx, author, accounts.get(tx, alice.id))
            is_shown = shown is not None and shown.deleted_at is None
            return bool(is_shown or follow is not None or liked.likes_count or liked.boosts_count)

        return await node.db.read(unit)

    assert await other.send(node, "rita", activity) == 202
    await fediverse.settle()
    assert await stands()
    undone = other.activity("rita", "Undo", activity)
    if verb == "Create":
        undone = other.activity("rita", "Delete", created["object"]["id"], to=[PUBLIC])
    assert await other.send(node, "rita", undone, now=time.time() + 1) == 202
    await fediverse.settle()
    assert not await stands()

    later = now_ms() + 125 * clean_up.DAY_MS
    await clean_up.delete_outdated(node.db, later, keep_remote_posts_days=0)
    for style in ("cavage", "rfc9421"):
        assert await evil.send(node, "mallory", activity, style=style) == 401
    await fediverse.settle()
    assert not await stands()


@pytest.mark.parametrize(
    "created", [_days_ago(400), None, "unreadable"], ids=["old", "undated", "unreadable"]
)
async def test_a_forwarded_reply_with_an_old_proof_is_fetched_from_its_own_server(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, created: str | None
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    assert await other.send(alice.node, "rita", create(other)) == 202
    await fediverse.settle()
    writer = _person_with_proof_key(evil, "writer")
    reply = evil.note("writer", 7, is_served=False, inReplyTo=f"{other.base}/users/rita/statuses/1")
    edited = {**reply, "content": "<p>As it is now</p>"}
    # A post that is fetched may carry a proof of any age: its own server vouches for it.
    evil.serve("/users/writer/statuses/7", _with_proof(evil, edited, by="writer", created=created))
    activity = _with_proof(evil, evil.activity("writer", "Create", reply), by="writer", created=created)

    assert await other.send(alice.node, "rita", activity) == 202
    await fediverse.settle()

    assert await _caption(alice, writer) == "<p>As it is now</p>"


async def test_a_forwarded_reply_is_fetched_from_its_own_server(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    assert await other.send(alice.node, "rita", create(other)) == 202
    await fediverse.settle()
    parent = f"{other.base}/users/rita/statuses/1"
    writer = evil.person("writer")
    genuine = evil.note("writer", 7, inReplyTo=parent, content="<p>Genuine text</p>")
    forwarded = evil.activity("writer", "Create", {**genuine, "content": "<p>Forged text</p>"})

    # Rita's server may forward it, since the conversation is hers; but the content is fetched from its author's server.
    assert await other.send(alice.node, "rita", forwarded) == 202
    await fediverse.settle()
    assert await _caption(alice, writer) == "<p>Genuine text</p>"


async def _caption(alice: Person, author: str) -> str | None:
    return await alice.node.db.read(
        lambda tx: tx.value(
            "SELECT caption FROM posts WHERE account_id = (SELECT id FROM accounts WHERE uri = :uri)",
            uri=author,
        )
    )


async def test_a_get_is_signed_in_the_style_that_its_server_accepts(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = other.person("rita")
    other.required_get_header = "signature-input"
    assert (await actors.find(alice.node, uri)).name == "rita"
    assert await alice.node.db.read(server_availability.signature_style, other.domain) == "rfc9421"
