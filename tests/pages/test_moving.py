"""The settings for moving: naming other accounts, and the form to leave, wrong passwords included."""

from __future__ import annotations

from node import accounts, moves, passwords, users
from node.accounts import Account
from node.node import Node
from tests.pages.conftest import PASSWORD, SignedIn


async def test_another_account_is_named_and_forgotten(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn
) -> None:
    hers = await signed_in(alice)
    seen = await hers.post("/settings/moving/alias", {"other": "@bob"})
    assert "Added" in seen.words
    assert (await node.db.read(accounts.get, alice.id)).aliases == [bob.uri]
    seen = await hers.post("/settings/moving/forget", {"uri": bob.uri})
    assert "Removed" in seen.words
    assert (await node.db.read(accounts.get, alice.id)).aliases == []


async def test_nobody_by_that_name_is_said_beside_the_field(alice: Account, signed_in: SignedIn) -> None:
    hers = await signed_in(alice)
    seen = await hers.post("/settings/moving/alias", {"other": "@nobody"})
    assert seen.status == 422
    assert "There is no account by that name." in seen.words
    assert 'value="@nobody"' in seen.text


async def test_leaving_needs_the_password_and_the_other_accounts_word(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn
) -> None:
    hers = await signed_in(alice)
    await node.db.write(users.set_password, alice.id, await passwords.hash(PASSWORD))
    seen = await hers.post("/settings/moving/leave", {"target": "@bob", "password": "wrong"})
    assert (seen.status, "That is not your password." in seen.words) == (422, True)
    typed = {"target": "@bob", "password": PASSWORD}
    seen = await hers.post("/settings/moving/leave", typed)
    assert (seen.status, "does not name this one" in seen.words) == (422, True)

    await node.db.write(moves.add_alias, bob, alice)
    seen = await hers.post("/settings/moving/leave", typed)

    assert "You have moved" in seen.words
    assert (await node.db.read(accounts.get, alice.id)).moved_to == bob.uri
    assert "has moved" in (await hers.get("/@alice")).words
    seen = await hers.post("/settings/moving/back")
    assert "Welcome back" in seen.words
    seen = await hers.post("/settings/moving/leave", typed)
    assert (seen.status, "less than 30 days ago" in seen.words) == (409, True)
