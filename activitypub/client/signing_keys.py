"""The private keys this process signs with, opened once and kept.

Another process may change a key, so each is kept with its version: whoever has just looked it up in the
tables says which one is wanted, and everybody else gets one that is a minute old at most.
"""

from __future__ import annotations

from activitypub.client.cache import Memory
from activitypub.signatures import SigningKey
from node.accounts import accounts, keys
from node.database import Reader
from node.node import Node

_OF_NODE = 0
_SURE_FOR = 60.0


async def of_node(node: Node) -> SigningKey:
    """The node's own key: asks for public documents, so that nobody learns who is looking."""
    return await of_account(node, _OF_NODE)


async def of_account(node: Node, account_id: int, *, version: int | None = None) -> SigningKey:
    """The key of one of our people. Raises NotFound for anyone else."""
    memory = node.part(Memory)
    kept = memory.signing.get(account_id)
    if kept is None or (version is not None and kept[0] != version):
        found, key_id, pem = await node.db.read(_private, account_id)
        kept = (found, SigningKey.load(key_id, pem))
        memory.signing.put(account_id, kept, None if version is not None else _SURE_FOR)
    return kept[1]


async def replaced_of(node: Node, account_id: int) -> SigningKey | None:
    """The key that one of our people had until some days ago, if it was changed since."""
    found = await node.db.read(_replaced, account_id)
    return None if found is None else SigningKey.load(*found)


def _private(tx: Reader, account_id: int) -> tuple[int, str, str]:
    account = accounts.instance_actor(tx) if account_id == _OF_NODE else accounts.get(tx, account_id)
    return keys.versions(tx, [account.id]).get(account.id, 0), *keys.private_pem(tx, account)


def _replaced(tx: Reader, account_id: int) -> tuple[str, str] | None:
    account = accounts.by_id(tx, account_id)
    return None if account is None else keys.replaced_pem(tx, account)
