"""The ways into an account, and what may not be turned off."""

from __future__ import annotations

import dataclasses

import pytest

from node.auth import users
from node.auth.passkeys import passkeys
from node.auth.second_step import ways_in
from node.auth.second_step.ways_in import WaysIn
from node.database import Writer
from node.errors import Conflict, NotFound
from node.models.account import Account
from node.node import Node
from tests.support.authenticator import with_passkey
from tests.support.second_step import set_up


async def test_the_ways_into_an_account_are_counted(node: Node, alice: Account) -> None:
    await node.db.write(users.create, alice, email="alice@a.test", password_hash="a hash")
    assert await node.db.read(ways_in.of_account, alice) == WaysIn(True, False, False, 0, 0)

    await set_up(node, alice)
    assert await node.db.read(ways_in.of_account, alice) == WaysIn(True, True, True, 10, 0)

    await node.db.write(ways_in.turn_off_second_step, alice)
    assert await node.db.read(ways_in.of_account, alice) == WaysIn(True, False, False, 0, 0)


async def test_staff_cannot_turn_off_what_the_node_asks_of_them(node: Node, alice: Account) -> None:
    await node.db.write(users.create, alice, email="alice@a.test", password_hash="a hash", role="moderator")
    await set_up(node, alice)

    def unit(tx: Writer) -> None:
        tx.site = dataclasses.replace(tx.site, staff_needs_second_step=True)
        ways_in.turn_off_second_step(tx, alice)

    with pytest.raises(Conflict):
        await node.db.write(unit)
    assert (await node.db.read(ways_in.of_account, alice)).has_second_step


async def test_the_last_way_in_cannot_be_removed(node: Node, alice: Account) -> None:
    await node.db.write(users.create, alice, email="alice@a.test", password_hash="a hash")
    with pytest.raises(Conflict):
        await node.db.write(ways_in.turn_on_with_passkeys, alice)
    await with_passkey(node, alice)
    with pytest.raises(Conflict):
        await node.db.write(ways_in.remove_password, alice)
    await with_passkey(node, alice)
    await node.db.write(ways_in.remove_password, alice)
    first, second = await node.db.read(passkeys.by_account, alice.id)
    await node.db.write(ways_in.remove_passkey, alice, first.id)
    with pytest.raises(Conflict, match="only way"):
        await node.db.write(ways_in.remove_passkey, alice, second.id)


async def test_the_passkey_that_is_the_second_step_stays_until_there_is_another(
    node: Node, alice: Account
) -> None:
    await node.db.write(users.create, alice, email="alice@a.test", password_hash="a hash")
    await with_passkey(node, alice)
    assert len(await node.db.write(ways_in.turn_on_with_passkeys, alice)) == 10
    [only] = await node.db.read(passkeys.by_account, alice.id)
    with pytest.raises(Conflict, match="Two-step"):
        await node.db.write(ways_in.remove_passkey, alice, only.id)

    await set_up(node, alice)
    await node.db.write(ways_in.remove_passkey, alice, only.id)
    with pytest.raises(NotFound):
        await node.db.write(ways_in.remove_passkey, alice, only.id)
