"""Signatures of requests, and proofs of documents, without asking anybody more than once."""

from __future__ import annotations

import time
from typing import Any

import pytest

from activitypub import signatures
from activitypub.client.cache import FederationCache
from activitypub.inbox import verification
from activitypub.remote import actors
from activitypub.signatures import BadSignature
from node.models.account import Account
from node.node import Node
from tests.support.signed import inbox_request, signer


async def _verify(node: Node, rita: Account, *, key: str | None = None) -> Any:
    request = inbox_request(rita, node.site, {"type": "Like"}, key=key)
    claim = signatures.parse_claim(request, time.time())
    known = await actors.find_key(node, claim.key_id)
    return await verification.verify_request(node, request, claim, known)


async def test_a_request_signed_with_the_known_key_is_verified(node: Node) -> None:
    rita = await node.db.write(signer)

    key = await _verify(node, rita)

    assert (key.account_id, key.owner, key.host) == (rita.id, rita.uri, "far.example")


async def test_a_wrong_signature_does_not_fetch_the_key_again_and_again(node: Node) -> None:
    rita = await node.db.write(signer)
    node.component(FederationCache).refetched_keys.put(f"{rita.uri}#main-key", True)

    with pytest.raises(BadSignature):
        await _verify(node, rita, key="mallory")


@pytest.mark.parametrize(
    "doc",
    [
        {},
        {"proof": {"type": "DataIntegrityProof"}},
        {
            "proof": {
                "type": "DataIntegrityProof",
                "cryptosuite": "eddsa-jcs-2022",
                "proofPurpose": "assertionMethod",
                "verificationMethod": "https://third.example/users/omar#key",
                "created": "2026-01-01T00:00:00Z",
                "proofValue": "z" + "1" * 88,
            }
        },
    ],
)
async def test_only_a_proof_by_the_actor_counts(node: Node, doc: dict[str, Any]) -> None:
    rita = await node.db.write(signer)

    with pytest.raises(BadSignature):
        await verification.verify_proof(node, {"type": "Like", "actor": rita.uri, **doc}, rita.uri)
