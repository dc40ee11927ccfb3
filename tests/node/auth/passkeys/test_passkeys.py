"""Passkeys as they are kept: several for each account, named, and no more after it is deleted."""

from __future__ import annotations

import dataclasses

import pytest

from node.auth.passkeys import passkeys
from node.auth.passkeys.passkeys import NewPasskey
from node.errors import Conflict, NotAllowed, NotFound
from node.models.account import Account
from node.node import Node

NEW = NewPasskey("id-1", b"a public key", 0, "0000", "internal", True)


async def test_a_passkey_is_named_renamed_and_removed_by_its_owner_alone(
    node: Node, alice: Account, bob: Account
) -> None:
    await node.db.write(passkeys.add, alice, NEW, " My\nphone ")
    [kept] = await node.db.read(passkeys.by_account, alice.id)
    assert (kept.name, kept.public_key_bytes, kept.used_at) == ("My phone", b"a public key", None)
    assert await node.db.read(passkeys.by_credential, "id-1") == kept

    for unit, values in ((passkeys.rename, ("Mine",)), (passkeys.remove, ())):
        with pytest.raises(NotFound):
            await node.db.write(unit, bob, kept.id, *values)
    await node.db.write(passkeys.rename, alice, kept.id, "x" * 500)
    assert await node.db.write(passkeys.record_use, kept, 7)
    [kept] = await node.db.read(passkeys.by_account, alice.id)
    assert (len(kept.name), kept.sign_count) == (passkeys.MAX_NAME_LENGTH, 7)
    assert kept.used_at is not None

    await node.db.write(passkeys.remove, alice, kept.id)
    assert not await node.db.write(passkeys.record_use, kept, 8)


async def test_a_passkey_belongs_to_one_account_and_there_are_not_too_many(
    node: Node, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.db.write(passkeys.add, alice, NEW, "Phone")
    with pytest.raises(Conflict):
        await node.db.write(passkeys.add, bob, NEW, "Phone")
    monkeypatch.setattr(passkeys, "MAX_PER_ACCOUNT", 1)
    with pytest.raises(NotAllowed):
        await node.db.write(passkeys.add, alice, dataclasses.replace(NEW, credential="id-2"), "Phone")


async def test_a_handle_is_random_lasting_and_no_one_elses(node: Node, alice: Account, bob: Account) -> None:
    assert await node.db.read(passkeys.known_handle, alice) == ""
    hers = await node.db.write(passkeys.handle, alice)

    assert await node.db.write(passkeys.handle, alice) == hers
    assert await node.db.write(passkeys.handle, bob) != hers
    assert str(alice.id) not in hers
    await node.db.write(passkeys.delete_by_account, alice)
    assert await node.db.read(passkeys.known_handle, alice) == ""
