"""Recovery codes: ten, each once, hashed, and easy to type."""

from __future__ import annotations

from node.auth.second_step import recovery_codes
from node.models.account import Account
from node.node import Node


async def test_each_code_works_once_for_its_account_however_it_is_typed(
    node: Node, alice: Account, bob: Account
) -> None:
    codes = await node.db.write(recovery_codes.replace, alice)
    assert len(set(codes)) == recovery_codes.NUMBER == 10

    async def use(who: Account, typed: str) -> bool:
        return await node.db.write(recovery_codes.use, who.id, typed)

    assert not await use(bob, codes[0])
    assert await use(alice, codes[0])
    assert not await use(alice, codes[0])
    assert await use(alice, f" {codes[1].upper().replace('-', ' ')} ")
    assert await node.db.read(recovery_codes.count, alice.id) == 8
    assert all(map(recovery_codes.looks_like_one, codes))
    assert not recovery_codes.looks_like_one("123 456")


async def test_new_codes_end_the_earlier_ones(node: Node, alice: Account) -> None:
    before = await node.db.write(recovery_codes.replace, alice)
    after = await node.db.write(recovery_codes.replace, alice)

    assert not await node.db.write(recovery_codes.use, alice.id, before[0])
    assert await node.db.write(recovery_codes.use, alice.id, after[0])


async def test_the_table_holds_no_code(node: Node, alice: Account) -> None:
    codes = await node.db.write(recovery_codes.replace, alice)
    rows = await node.db.read(lambda tx: [row["hash"] for row in tx.all("SELECT hash FROM recovery_codes")])

    assert not any(code.replace("-", "") in "".join(rows) for code in codes)
