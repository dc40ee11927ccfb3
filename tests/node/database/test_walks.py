"""A walk comes to every account once, and again while there is more to delete of it."""

from __future__ import annotations

from node.database import Writer
from node.database.walks import trim_next_account
from node.models.account import Account
from node.node import Node
from tests.support.posting import publish


async def test_every_account_is_trimmed_until_nothing_is_left_to_delete(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        for who in (alice, bob):
            publish(tx, who)
        batches = {alice.id: [1, 1, 0], bob.id: [0]}
        trimmed: list[int] = []

        def trim(account_id: int) -> int:
            trimmed.append(account_id)
            return batches[account_id].pop(0)

        position: int | None = None
        while (position := trim_next_account(tx, "feed", position, trim)) is not None:
            assert len(trimmed) < 10

        first, last = sorted((alice.id, bob.id))
        assert trimmed == [first] * (3 if first == alice.id else 1) + [last] * (3 if last == alice.id else 1)

    await node.db.write(unit)
