from __future__ import annotations

import dataclasses

from node.accounts import accounts, keys
from node.config import Config
from node.database import Reader
from node.lifecycle import handle_domain
from node.models.account import Account
from node.node import Node
from tests.support import people
from web import wiring


def with_handle_domain(options: Config, domain: str) -> Config:
    return dataclasses.replace(options, node=dataclasses.replace(options.node, handle_domain=domain))


async def restart(node: Node, options: Config, domain: str) -> Node:
    """The same node, started again with another handle domain."""
    await node.close()
    again = await wiring.open_node(with_handle_domain(options, domain))
    await again.db.write(handle_domain.apply_handle_domain)
    return again


async def test_nothing_is_sent_while_the_option_stays(node: Node, alice: Account) -> None:
    await node.db.write(handle_domain.apply_handle_domain)

    assert await node.db.read(people.verbs_of, alice) == []
    assert await node.db.read(accounts.get, alice.id) == alice


async def test_a_changed_option_changes_handles_and_is_sent_once(
    options: Config, pairs: dict[str, keys.KeyPair]
) -> None:
    node = await wiring.open_node(options)
    alice = await node.db.write(accounts.create_local, "alice", pair=pairs["alice"])

    node = await restart(node, options, "short.test")
    try:
        await node.db.write(handle_domain.apply_handle_domain)

        renamed = await node.db.read(accounts.get, alice.id)
        assert renamed.full_handle == "alice@short.test"
        assert (renamed.uri, renamed.inbox) == (alice.uri, alice.inbox)
        assert await node.db.read(people.verbs_of, alice) == ["Update"]
    finally:
        await node.close()


async def test_only_active_local_people_get_the_new_domain(
    options: Config, pairs: dict[str, keys.KeyPair]
) -> None:
    def domains(tx: Reader) -> dict[str, str]:
        return {row["name"]: row["domain"] for row in tx.all("SELECT name, domain FROM accounts")}

    node = await wiring.open_node(options)
    alice = await node.db.write(accounts.create_local, "alice", pair=pairs["alice"])
    await node.db.write(people.remote)
    await node.db.write(accounts.mark_deleted, alice.id)
    before = await node.db.read(domains)

    node = await restart(node, options, "short.test")
    try:
        assert await node.db.read(domains) == before
    finally:
        await node.close()
