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
from node.federation import seen_activities, tombstones
from node.models.account import Account
from node.node import Node
from node.posts import posts
from tests.support.signed import inbox_request, signer

DAY = 86_400


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


def _proof(by: str, *, days_ago: float = 0) -> dict[str, Any]:
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "proofPurpose": "assertionMethod",
        "verificationMethod": f"{by}#key",
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days_ago * DAY)),
        "proofValue": "z" + "1" * 64,
    }


RITA, OMAR = "https://far.example/users/rita", "https://third.example/users/omar"


@pytest.mark.parametrize(
    "doc",
    [{}, {"proof": {"type": "DataIntegrityProof"}}, {"proof": _proof(OMAR)}, {"proof": [_proof(OMAR)] * 2}],
)
def test_only_a_proof_by_the_actor_counts(doc: dict[str, Any]) -> None:
    with pytest.raises(BadSignature):
        verification.usable_proofs({"type": "Like", "actor": RITA, **doc}, RITA)


def test_a_proof_counts_while_all_that_undoes_it_is_remembered() -> None:
    days = verification.MAX_PROOF_AGE_MS / 1000 / DAY
    old, recent = _proof(RITA, days_ago=days + 0.1), _proof(RITA, days_ago=days - 0.1)
    document = {"type": "Like", "actor": RITA}
    with pytest.raises(BadSignature, match="too old"):
        verification.usable_proofs({**document, "proof": old}, RITA)
    found = verification.usable_proofs({**document, "proof": [old, _proof(OMAR), recent]}, RITA)
    assert [proof.options["created"] for proof in found] == [recent["created"]]

    kept = (seen_activities.RETENTION_MS, tombstones.RETENTION_MS, posts.EMPTIED_RETENTION_MS)
    # A job may wait for days, and the clocks of two servers differ.
    assert days >= 30
    assert days + 14 <= min(kept) / 1000 / DAY
