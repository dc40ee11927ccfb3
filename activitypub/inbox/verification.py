"""Whether a request is signed with the key it names, and whether a document is proved by its own author."""

from __future__ import annotations

import time
from typing import Any

from activitypub import signatures
from activitypub.client.cache import FederationCache, KnownKey
from activitypub.remote import actors
from activitypub.signatures import BadSignature, Claim, SignedRequest, integrity_proofs
from activitypub.uris import same_origin
from node.node import Node


async def verify_request(node: Node, request: SignedRequest, claim: Claim, known_key: KnownKey) -> KnownKey:
    """The key that made the signature: the known one, or the one its owner has changed it to.

    It is asked for again, but not at every wrong signature. Raises BadSignature, or Unfetchable.
    """
    try:
        signatures.verify(claim, request, known_key.key)
    except BadSignature:
        memory = node.component(FederationCache)
        if memory.refetched_keys.get(claim.key_id):
            raise
        memory.refetched_keys.put(claim.key_id, True)
        fresh = await actors.find_key(node, claim.key_id, refresh=True)
        if fresh.key == known_key.key:
            raise
        signatures.verify(claim, request, fresh.key)
        return fresh
    return known_key


async def verify_proof(node: Node, doc: dict[str, Any], actor_uri: str) -> tuple[KnownKey, dict[str, Any]]:
    """The key with which `actor_uri` has proved a document that somebody else brought, and what is proved.

    Only one proof by the actor counts. Raises BadSignature, or Unfetchable when the key cannot be had.
    """
    wrong = BadSignature("the document is not proved by its actor")
    for proof in integrity_proofs.parse(doc, time.time()):
        if not same_origin(proof.verification_method, actor_uri):
            continue
        known = await actors.find_key(node, proof.verification_method)
        try:
            integrity_proofs.verify(proof, known.key)
        except BadSignature as bad:
            wrong = bad
            continue
        if known.owner == actor_uri:
            return known, proof.document
    raise wrong
