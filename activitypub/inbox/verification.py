"""Whether a request is signed with the key it names, and whether a document is proved by its own author."""

from __future__ import annotations

import time
from typing import Any

from activitypub import signatures
from activitypub.client.cache import KnownKey, Memory
from activitypub.remote import actors
from activitypub.signatures import BadSignature, Claim, Request, integrity_proofs
from activitypub.uris import same_origin
from node.node import Node


async def prove(node: Node, request: Request, claim: Claim, known: KnownKey) -> KnownKey:
    """The key that made the signature: the known one, or the one its owner has changed it to.

    It is asked for again, but not at every wrong signature. Raises BadSignature, or Unfetchable.
    """
    try:
        signatures.verify(claim, request, known.key)
    except BadSignature:
        memory = node.part(Memory)
        if memory.asked_again.get(claim.key_id):
            raise
        memory.asked_again.put(claim.key_id, True)
        fresh = await actors.key(node, claim.key_id, refresh=True)
        if fresh.key == known.key:
            raise
        signatures.verify(claim, request, fresh.key)
        return fresh
    return known


async def author(node: Node, doc: dict[str, Any], actor: str) -> tuple[KnownKey, dict[str, Any]]:
    """The key with which `actor` has proved a document that somebody else brought, and what is proved.

    Only one proof by the actor counts. Raises BadSignature, or Unfetchable when the key cannot be had.
    """
    wrong = BadSignature("the document is not proved by its actor")
    for proof in integrity_proofs.read(doc, time.time()):
        if not same_origin(proof.method, actor):
            continue
        known = await actors.key(node, proof.method)
        try:
            integrity_proofs.verify(proof, known.key)
        except BadSignature as bad:
            wrong = bad
            continue
        if known.owner == actor:
            return known, proof.document
    raise wrong
