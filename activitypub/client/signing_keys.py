"""Loads the private keys that this process signs with, and caches them.

Another process may rotate a key, so each is cached with its version: a caller that has just read the version
from the database passes it, and every other caller gets a key that is a minute old at most.
"""

from __future__ import annotations

from activitypub.client.cache import FederationCache
from activitypub.signatures import SigningKey
from node.accounts import accounts, keys
from node.database import Reader
from node.node import Node

_INSTANCE_ACTOR_ID = 0
_MAX_AGE_SECONDS = 60.0


async def instance_key(node: Node) -> SigningKey:
    """Returns the key of the instance actor.

    It signs fetches of public documents, so that no account is revealed.
    """
    return await by_account(node, _INSTANCE_ACTOR_ID)


async def by_account(node: Node, account_id: int, *, version: int | None = None) -> SigningKey:
    """Returns the key of a local account. Raises NotFound for any other."""
    cache = node.component(FederationCache)
    cached = cache.signing_keys.get(account_id)
    if cached is None or (version is not None and cached[0] != version):
        current, key_id, pem = await node.db.read(_load_private_key, account_id)
        cached = (current, SigningKey.load(key_id, pem))
        cache.signing_keys.put(account_id, cached, None if version is not None else _MAX_AGE_SECONDS)
    return cached[1]


async def previous_key(node: Node, account_id: int) -> SigningKey | None:
    """Returns the key that a local account had until it was rotated some days ago, or None."""
    found = await node.db.read(_load_previous_key, account_id)
    return None if found is None else SigningKey.load(*found)


def _load_private_key(tx: Reader, account_id: int) -> tuple[int, str, str]:
    account = (
        accounts.instance_actor(tx) if account_id == _INSTANCE_ACTOR_ID else accounts.get(tx, account_id)
    )
    return keys.versions_by_account(tx, [account.id]).get(account.id, 0), *keys.private_pem(tx, account)


def _load_previous_key(tx: Reader, account_id: int) -> tuple[str, str] | None:
    account = accounts.by_id(tx, account_id)
    return None if account is None else keys.previous_private_pem(tx, account)
