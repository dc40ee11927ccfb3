"""Two-step sign-in as a must for staff, by an option."""

from __future__ import annotations

import dataclasses

from node.auth import users
from node.auth.second_step import staff_rules
from node.database import Writer
from node.models.account import Account
from node.node import Node
from tests.support.second_step import set_up


async def test_staff_lacks_a_second_step_only_where_the_node_asks_for_it(node: Node, alice: Account) -> None:
    def unit(tx: Writer, must: bool) -> bool:
        tx.site = dataclasses.replace(tx.site, staff_needs_second_step=must)
        return staff_rules.lacks_second_step(tx, alice)

    await node.db.write(users.create, alice, email="alice@a.test", password_hash="-", role="admin")
    assert [await node.db.write(unit, must) for must in (False, True)] == [False, True]

    await set_up(node, alice)
    assert not await node.db.write(unit, True)
