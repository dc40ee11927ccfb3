"""Verifies the HTTP signature of a request, and the integrity proof (FEP-8b32) of a document."""

from __future__ import annotations

import time
from typing import Any

from activitypub import signatures
from activitypub.client.cache import FederationCache, KnownKey
from activitypub.remote import actors
from activitypub.signatures import BadSignature, Claim, SignedRequest, integrity_proofs
from activitypub.signatures.integrity_proofs import Proof
from activitypub.uris import same_origin
from node.federation import seen_activities, tombstones
from node.node import Node
from node.posts import posts

MAX_PROOF_AGE_MS = (
    min(seen_activities.RETENTION_MS, tombstones.RETENTION_MS, posts.EMPTIED_RETENTION_MS)
    - 30 * 24 * 3_600_000
)
"""How old a proof may be on a forwarded document. It stays valid for ever, and anybody can send it again: what was undone
or deleted would come back as soon as it is forgotten here. A month is left for jobs that wait and for clocks."""


async def verify_request(node: Node, request: SignedRequest, claim: Claim, known_key: KnownKey) -> KnownKey:
    """Verifies a request; returns the key that made the signature: the known one,
    or its replacement after a key rotation.

    A failed verification fetches the key again, once in a while per key. Raises BadSignature or Unfetchable.
    """
    try:
        signatures.verify(claim, request, known_key.key)
    except BadSignature:
        cache = node.component(FederationCache)
        if cache.refetched_keys.get(claim.key_id):
            raise
        cache.refetched_keys.put(claim.key_id, True)
        fresh = await actors.find_key(node, claim.key_id, refresh=True)
        if fresh.key == known_key.key:
            raise
        signatures.verify(claim, request, fresh.key)
        return fresh
    return known_key


def usable_proofs(doc: dict[str, Any], actor_uri: str) -> list[Proof]:
    """Returns the proofs by `actor_uri` that a forwarded document may count by, at least one; none is verified yet.

    Raises BadSignature, also if all are older than `MAX_PROOF_AGE_MS`.
    """
    now = time.time()
    own = [
        proof
        for proof in integrity_proofs.parse(doc, now)
        if same_origin(proof.verification_method, actor_uri)
    ]
    if not own:
        raise BadSignature("the document is not proved by its actor")
    recent = [proof for proof in own if proof.created_ms >= now * 1000 - MAX_PROOF_AGE_MS]
    if not recent:
        raise BadSignature("the proof is too old for a forwarded document")
    return recent


async def verify_proof(node: Node, proofs: list[Proof], actor_uri: str) -> tuple[KnownKey, Proof]:
    """Returns the first of these proofs that is valid and by `actor_uri`, and its key before it.

    Raises BadSignature if there is none, Unfetchable if its key cannot be fetched.
    """
    failure = BadSignature("the document is not proved by its actor")
    for proof in proofs:
        known = await actors.find_key(node, proof.verification_method)
        try:
            integrity_proofs.verify(proof, known.key)
        except BadSignature as bad:
            failure = bad
            continue
        if known.owner == actor_uri:
            return known, proof
    raise failure
