"""Who is asking for a document: a signed GET, and what its signer may see.

A post that is not public is given to the server of somebody it is for, whichever of its actors asks, since
servers read on behalf of their people. To everybody else it does not exist.
"""

from __future__ import annotations

import time

from activitypub import actors, signatures
from activitypub.client import Unfetchable
from activitypub.memory import KnownKey
from activitypub.plain import Scope, header, signed_request
from activitypub.signatures import BadSignature
from activitypub.uris import Malformed, parts
from node import accounts, domains, reach
from node.accounts import Account
from node.database import Reader
from node.node import Node
from node.posts import Post
from node.visibility import OPEN, may_see


async def signer(node: Node, scope: Scope) -> KnownKey | None:
    """Who signed this request; None when nobody did, or not provably, or a blocked server."""
    if header(scope, b"signature") is None:
        return None
    request = signed_request(scope, node.site)
    try:
        claim = signatures.claim(request, time.time())
        known = await actors.key(node, claim.key_id)
        try:
            signatures.verify(claim, request, known.key)
        except BadSignature:
            known = await actors.key(node, claim.key_id, refresh=True)
            signatures.verify(claim, request, known.key)
    except (BadSignature, Unfetchable, Malformed):
        return None
    return None if await node.db.read(domains.is_blocked, known.host) else known


def may_read(tx: Reader, post: Post, asking: KnownKey | None) -> bool:
    """Whether the post may be given to this signer. Public posts may, unless the author has blocked them."""
    who = None if asking is None else accounts.by_id(tx, asking.account_id)
    if post.visibility in OPEN:
        return may_see(tx, who, post)
    if who is None or who.is_gone:
        return False
    return any(may_see(tx, person, post) for person in _on_behalf_of(tx, post, who))


def _on_behalf_of(tx: Reader, post: Post, who: Account) -> list[Account]:
    return [who, *reach.audience_at(tx, post, parts(who.uri).origin + "/")]
