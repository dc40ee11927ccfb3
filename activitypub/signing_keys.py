"""The private keys this process signs with, opened once and kept for an hour."""

from __future__ import annotations

from activitypub.memory import Memory
from activitypub.signatures import SigningKey
from node import accounts, keys
from node.database import Reader
from node.node import Node

_OF_NODE = 0


async def of_node(node: Node) -> SigningKey:
    """The node's own key: asks for public documents, so that nobody learns who is looking."""
    return await _of(node, _OF_NODE)


async def of_account(node: Node, account_id: int) -> SigningKey:
    """The key of one of our people. Raises NotFound for anyone else."""
    return await _of(node, account_id)


async def _of(node: Node, account_id: int) -> SigningKey:
    memory = node.part(Memory)
    key = memory.signing.get(account_id)
    if key is None:
        key_id, pem = await node.db.read(_private, account_id)
        key = SigningKey.load(key_id, pem)
        memory.signing.put(account_id, key)
    return key


def _private(tx: Reader, account_id: int) -> tuple[str, str]:
    account = accounts.instance_actor(tx) if account_id == _OF_NODE else accounts.get(tx, account_id)
    return keys.private_pem(tx, account)
