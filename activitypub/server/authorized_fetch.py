"""Who is asking for a document: a signed GET, and what its signer may see.

A post that is not public is given to the server of somebody it is for, whichever of its actors asks, since
servers read on behalf of their people. To everybody else it does not exist.
"""

from __future__ import annotations

import time

from activitypub import signatures
from activitypub.asgi import Scope, header, signed_request
from activitypub.client.cache import KnownKey
from activitypub.client.client import Unfetchable
from activitypub.inbox import verification
from activitypub.remote import actors
from activitypub.signatures import BadSignature
from activitypub.uris import Malformed, host_of, parse_uri
from node.accounts import accounts, keys, relationships
from node.database import Reader
from node.federation import recipients
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES
from node.models.post import Post
from node.models.visibility import may_see
from node.moderation import domain_rules
from node.node import Node


async def verified_signer(node: Node, scope: Scope) -> KnownKey | None:
    """Who signed this request; None when nobody did, or not provably, or a blocked server."""
    if header(scope, b"signature") is None:
        return None
    request = signed_request(scope, node.site)
    try:
        claim = signatures.parse_claim(request, time.time())
        known = await verification.verify_request(
            node, request, claim, await actors.find_key(node, claim.key_id)
        )
    except (BadSignature, Unfetchable, Malformed):
        return None
    return None if await node.db.read(domain_rules.is_blocked, known.host) else known


async def is_signer_blocked(node: Node, scope: Scope, owner: str) -> bool:
    """Whether whoever says they sign this request gets nothing of `owner`, not even what is public.

    That a server is suspended here is no secret, so its name is enough. Whom somebody has blocked is told only
    to those who can prove that they are the one.
    """
    if header(scope, b"signature") is None:
        return False
    try:
        key_id = signatures.parse_claim(signed_request(scope, node.site), time.time()).key_id
        host = host_of(key_id)
    except (BadSignature, Malformed):
        return False
    is_barred, is_blocked = await node.db.read(_block_state, key_id, host, owner)
    return is_barred or (is_blocked and await verified_signer(node, scope) is not None)


def _block_state(tx: Reader, key_id: str, host: str, owner: str) -> tuple[bool, bool]:
    """Whether nothing is exchanged with that server, and whether `owner` has blocked who signs."""
    if domain_rules.is_blocked(tx, host):
        return True, False
    key = keys.by_id(tx, key_id)
    who = None if key is None else accounts.by_id(tx, key.account_id)
    if who is None or who.is_local:
        return False, False
    of = accounts.by_handle(tx, owner) if owner and "@" not in owner else None
    return who.suspended_at is not None, of is not None and relationships.has_blocked(tx, of, who)


def may_read(tx: Reader, post: Post, signer: KnownKey | None) -> bool:
    """Whether the post may be given to this signer. Public posts may, unless the author has blocked them."""
    who = None if signer is None else accounts.by_id(tx, signer.account_id)
    if post.visibility in OPEN_VISIBILITIES:
        return may_see(tx, who, post)
    if who is None or who.is_inactive:
        return False
    return any(may_see(tx, person, post) for person in _readers_on_server(tx, post, who))


def _readers_on_server(tx: Reader, post: Post, who: Account) -> list[Account]:
    return [who, *recipients.audience_on_server(tx, post, parse_uri(who.uri).origin + "/")]
