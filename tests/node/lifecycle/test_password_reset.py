"""A link that sets a new password: for whom it can be made, and what ends it. Stories: tests/web/mail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.auth import passwords, users
from node.auth.second_step import ways_in
from node.errors import Invalid
from node.lifecycle import password_reset
from node.models.account import Account
from node.node import Node
from tests.support.authenticator import with_passkey


async def test_a_link_works_once_and_for_an_hour(
    node: Node, alice: Account, clock: Callable[[int], None]
) -> None:
    await node.db.write(lambda tx: users.create(tx, alice, email="alice@a.test", password_hash="-"))
    person = await node.db.read(users.by_account_id, alice.id)
    assert person is not None
    first, second = (password_reset.path(node.site, person).partition("=")[2] for _ in range(2))

    clock(password_reset.LINK_LIFETIME_MS + 5_000)
    with pytest.raises(Invalid):
        await password_reset.set_password(node, first, "a lake in the morning")
    clock(0)
    await password_reset.set_password(node, first, "a lake in the morning")
    for token in (first, second):
        with pytest.raises(Invalid):
            await password_reset.set_password(node, token, "a lake in the evening")

    hashed = await node.db.read(users.password_hash, alice.id)
    assert await passwords.verify(hashed, "a lake in the morning")


async def test_a_link_of_somebody_without_a_password_does_not_work_again_once_they_have_none_again(
    node: Node, alice: Account
) -> None:
    await node.db.write(lambda tx: users.create(tx, alice, email="alice@a.test", password_hash="-"))
    for _ in range(2):
        await with_passkey(node, alice)
    await node.db.write(ways_in.remove_password, alice)
    person = await node.db.read(users.by_account_id, alice.id)
    assert person is not None
    token = password_reset.path(node.site, person).partition("=")[2]
    await password_reset.set_password(node, token, "a lake in the morning")
    await node.db.write(ways_in.remove_password, alice)

    with pytest.raises(Invalid):
        await password_reset.set_password(node, token, "a lake in the evening")
