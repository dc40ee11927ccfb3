"""Verifies signed GETs, and decides what their signer may read ("authorized fetch").

A post that is not public is served to any actor of a server with an account that may see it, since servers fetch on
behalf of their accounts. For everybody else it does not exist.
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
from activitypub.uris import Malformed, host_of
from node.accounts import accounts, keys, relationships
from node.database import Reader
from node.federation import recipients
from node.models.audience import OPEN_VISIBILITIES
from node.models.post import Post
from node.models.visibility import may_see
from node.moderation import domain_rules
from node.node import Node


async def verified_signer(node: Node, scope: Scope) -> KnownKey | None:
    """Returns the key that signed this request; None without a valid signature, and for a blocked server."""
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
    """Returns whether the claimed signer may read nothing of the account named `owner`, not even public
    posts.

    That a server is suspended is no secret, so its name in the key id is enough. That `owner` has blocked an account is
    revealed only to a signer with a valid signature.
    """
    if header(scope, b"signature") is None:
        return False
    try:
        key_id = signatures.parse_claim(signed_request(scope, node.site), time.time()).key_id
        host = host_of(key_id)
    except (BadSignature, Malformed):
        return False
    is_suspended, is_blocked = await node.db.read(_block_state, key_id, host, owner)
    return is_suspended or (is_blocked and await verified_signer(node, scope) is not None)


def _block_state(tx: Reader, key_id: str, host: str, owner: str) -> tuple[bool, bool]:
    """Returns whether the server or the signer is suspended, and whether `owner` has blocked the signer."""
    if domain_rules.is_blocked(tx, host):
        return True, False
    key = keys.by_id(tx, key_id)
    signer = None if key is None else accounts.by_id(tx, key.account_id)
    if signer is None or signer.is_local:
        return False, False
    account = accounts.by_handle(tx, owner) if owner and "@" not in owner else None
    is_blocked = account is not None and relationships.has_blocked(tx, account, signer)
    return signer.suspended_at is not None, is_blocked


def may_read(tx: Reader, post: Post, signer: KnownKey | None) -> bool:
    """Returns whether the signer may read the post; an open one, anybody that its author has not blocked."""
    reader = None if signer is None else accounts.by_id(tx, signer.account_id)
    if post.visibility in OPEN_VISIBILITIES:
        return may_see(tx, reader, post)
    if reader is None or reader.is_inactive:
        return False
    return may_see(tx, reader, post) or recipients.has_reader_on_server(tx, post, host_of(reader.uri))


def may_fetch_file(tx: Reader, host: str, key: str) -> bool:
    """Returns whether another server may fetch the file of a photo: it is in a post that somebody there may see."""
    if domain_rules.is_blocked(tx, host):
        return False
    return recipients.has_reader_of_file(tx, key, host)
