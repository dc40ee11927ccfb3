"""New keys: other servers take them at the first word that is signed with them, and the old ones no more."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse, Person
from node.accounts import keys
from node.auth import users
from node.cli.commands import pack_keys, rotate_keys
from node.database import Reader, Writer


async def _rotate(person: Person) -> None:
    pair = pack_keys(keys.generate())
    me = await person.account()

    def unit(tx: Writer) -> None:
        if users.by_account(tx, me) is None:
            users.create(tx, me, email=f"{me.name}@mail.example", password_hash="-", role="user")
        rotate_keys(tx, name=me.name, pair=pair)

    await person.node.db.write(unit)


def _public(tx: Reader, key_id: str) -> str:
    found = keys.by_id(tx, key_id)
    assert found is not None
    return found.public


async def test_with_new_keys_everything_goes_on(fediverse: Fediverse) -> None:
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
    now = await bob.node.db.read(_public, key_id)
    assert now != before
    assert now == await alice.node.db.read(_public, key_id)


async def test_what_waited_is_signed_with_the_new_key(fediverse: Fediverse) -> None:
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
