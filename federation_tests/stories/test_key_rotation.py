"""Key rotation: other servers accept a new key with the first activity it signs, and the old one no more."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse, Person
from node.accounts import keys
from node.auth import users
from node.cli.commands import pack_keys, rotate_keys
from node.database import Reader, Writer


async def _rotate(person: Person) -> None:
    pair = pack_keys(keys.generate())
    account = await person.account()

    def unit(tx: Writer) -> None:
        if users.by_account(tx, account) is None:
            users.create(tx, account, email=f"{account.name}@mail.example", password_hash="-", role="user")
        rotate_keys(tx, name=account.name, pair=pair)

    await person.node.db.write(unit)


def _public(tx: Reader, key_id: str) -> str:
    found = keys.by_id(tx, key_id)
    assert found is not None
    return found.public


async def test_activities_signed_with_a_new_key_are_accepted(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    await alice.posts("Before", photo="A lock")
    await fediverse.settle()
    key_id = f"{(await alice.account()).uri}#main-key"
    before = await bob.node.db.read(_public, key_id)

    await _rotate(alice)
    await fediverse.settle()
    await alice.posts("After", photo="A key")
    await fediverse.settle()

    assert sorted(await bob.home()) == ["After", "Before"]
    after = await bob.node.db.read(_public, key_id)
    assert after != before
    assert after == await alice.node.db.read(_public, key_id)


async def test_waiting_deliveries_are_signed_with_the_new_key(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    await fediverse.down("b.test")
    post = await alice.posts("While you were away", photo="A lock")
    await fediverse.settle()
    await _rotate(alice)
    await fediverse.up("b.test")
    await fediverse.settle(now=post.created_at + 3_600_000)
    assert await bob.home() == ["While you were away"]
    assert (await alice.delivery_counts(post)).delivered == 1
