"""What one server brings in the name of another: believed when proved, looked up when likely, else refused."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activitypub.remote import actors
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import keys
from node.federation import server_availability

SMALL = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"rita").digest())


def _proving(server: RemoteServer) -> str:
    """Rita, whose document lists an Ed25519 key."""
    uri = f"{server.base}/users/rita"
    public = keys.encode_multibase(b"\xed\x01" + SMALL.public_key().public_bytes_raw())
    multikey = {"id": f"{uri}#ed", "type": "Multikey", "controller": uri, "publicKeyMultibase": public}
    return server.person("rita", assertionMethod=[multikey])


def _proved(server: RemoteServer, activity: dict[str, Any]) -> dict[str, Any]:
    options = {
        "@context": activity["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "proofPurpose": "assertionMethod",
        "verificationMethod": f"{server.base}/users/rita#ed",
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    hashed = b"".join(hashlib.sha256(rfc8785.dumps(one)).digest() for one in (options, activity))
    return {**activity, "proof": {**options, "proofValue": keys.encode_multibase(SMALL.sign(hashed))}}


async def test_A19_what_its_author_has_proved_may_be_brought_by_anyone(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    evil.person("mallory")
    _proving(other)
    await actors.find(alice.node, f"{other.base}/users/rita", refresh=True)

    whole = _proved(other, create(other))
    altered = json.loads(json.dumps(whole).replace("Post 1", "Pest 1"))
    assert await evil.send(alice.node, "mallory", altered) == 401
    stale = {**whole, "proof": {**whole["proof"], "expires": "2020-01-01T00:00:00Z"}}
    assert await evil.send(alice.node, "mallory", stale) == 401
    assert await evil.send(alice.node, "mallory", whole) == 202
    await fediverse.settle()
    assert await alice.home() == ["Post 1"]


async def test_a_brought_answer_is_read_from_its_own_server(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    assert await other.send(alice.node, "rita", create(other)) == 202
    await fediverse.settle()
    above = f"{other.base}/users/rita/statuses/1"
    writer = evil.person("writer")
    true = evil.note("writer", 7, inReplyTo=above, content="<p>True words</p>")
    brought = evil.activity("writer", "Create", {**true, "content": "<p>False words</p>"})

    # Rita's server may bring it, since the conversation is hers; and what it says is not what is believed.
    assert await other.send(alice.node, "rita", brought) == 202
    await fediverse.settle()
    answer = await alice.node.db.read(
        lambda tx: tx.value(
            "SELECT caption FROM posts WHERE account_id = (SELECT id FROM accounts WHERE uri = :uri)",
            uri=writer,
        )
    )
    assert answer == "<p>True words</p>"


async def test_a_document_is_asked_for_in_the_dialect_its_server_takes(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = other.person("rita")
    other.required_get_header = "signature-input"
    assert (await actors.find(alice.node, uri)).name == "rita"
    assert await alice.node.db.read(server_availability.signature_style, other.domain) == "rfc9421"
