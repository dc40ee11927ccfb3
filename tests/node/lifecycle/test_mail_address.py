"""Addresses on a node that sends no mail, and of people who cannot confirm any. Stories: tests/web/mail."""

from __future__ import annotations

import pytest

from node.auth import passwords, users
from node.errors import Invalid
from node.lifecycle import mail_address
from node.models.account import Account
from node.node import Node

PASSWORD = "a picture a day"


@pytest.fixture
async def user(node: Node, alice: Account) -> users.User:
    hashed = await passwords.hash(PASSWORD)
    return await node.db.write(lambda tx: users.create(tx, alice, email="alice@a.test", password_hash=hashed))


async def test_without_mail_an_address_is_stored_as_it_is_given(
    node: Node, alice: Account, user: users.User
) -> None:
    with pytest.raises(Invalid) as refused:
        await mail_address.change(node, alice, address="new")
    assert refused.value.field == "email"

    await mail_address.change(node, alice, address="new@A.test")

    changed = await node.db.read(users.by_account, alice)
    assert changed is not None
    assert (changed.email, changed.email_confirmed_at, changed.new_email) == ("new@a.test", None, "")


async def test_a_code_of_somebody_else_confirms_nothing(
    node: Node, alice: Account, bob: Account, user: users.User
) -> None:
    await mail_address.confirm_by_code(node, bob, "123456")
    with pytest.raises(Invalid):
        await mail_address.confirm_by_code(node, alice, "12345x")
