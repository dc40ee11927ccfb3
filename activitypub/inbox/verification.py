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
from node.node import Node


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


async def verify_proof(node: Node, doc: dict[str, Any], actor_uri: str) -> tuple[KnownKey, Proof]:
    """Returns the first valid proof by `actor_uri` on a forwarded document, and its key before it.

    Proofs by others are skipped. Raises BadSignature if there is none, Unfetchable if its key cannot be fetched.
    """
    failure = BadSignature("the document is not proved by its actor")
    for proof in integrity_proofs.parse(doc, time.time()):
        if not same_origin(proof.verification_method, actor_uri):
            continue
        known = await actors.find_key(node, proof.verification_method)
        try:
            integrity_proofs.verify(proof, known.key)
        except BadSignature as bad:
            failure = bad
            continue
        if known.owner == actor_uri:
            return known, proof
    raise failure
