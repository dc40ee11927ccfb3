"""Tombstones keep a post away that was deleted before it was received."""

from __future__ import annotations

from node.federation import tombstones
from node.ids import now_ms
from node.node import Node
from tests.support import people

POST = "https://far.example/posts/1"


async def test_a_deleted_uri_is_tombstoned_for_its_actor_alone(node: Node) -> None:
    rita, rob = [await node.db.write(people.remote, name) for name in ("rita", "rob")]

    await node.db.write(tombstones.record, rita, POST)

    assert await node.db.read(tombstones.is_tombstoned, rita, POST)
    assert not await node.db.read(tombstones.is_tombstoned, rob, POST)
    assert not await node.db.read(tombstones.is_tombstoned, rita, POST + "0")


async def test_a_deletion_may_be_received_twice(node: Node) -> None:
    rita = await node.db.write(people.remote)

    for _ in range(2):
        await node.db.write(tombstones.record, rita, POST)

    assert await node.db.read(tombstones.is_tombstoned, rita, POST)


async def test_a_key_is_short_however_long_the_uri_is(node: Node) -> None:
    rita = await node.db.write(people.remote)

    keys = {tombstones.tombstone_key(rita, POST + "x" * n) for n in range(0, 5000, 500)}

    assert len(keys) == 10
    assert {len(key) for key in keys} == {32}
    # A lone surrogate, as JSON may hold one, is no error.
    assert tombstones.tombstone_key(rita, POST + "\ud800")


async def test_tombstones_are_kept_for_ninety_days(node: Node) -> None:
    rita = await node.db.write(people.remote)
    await node.db.write(tombstones.record, rita, POST)

    await node.db.write(tombstones.clean_up, now_ms() + tombstones.RETENTION_MS - 1000)
    assert await node.db.read(tombstones.is_tombstoned, rita, POST)

    await node.db.write(tombstones.clean_up, now_ms() + tombstones.RETENTION_MS + 1000)
    assert not await node.db.read(tombstones.is_tombstoned, rita, POST)
