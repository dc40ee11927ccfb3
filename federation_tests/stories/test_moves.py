"""Somebody goes to another account, and those who followed them follow them there."""

from __future__ import annotations

import pytest

from activitypub.remote import migration as remote_migration
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita
from node.accounts import accounts, relationships
from node.auth import passwords, users
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed
from node.interactions import blocks
from node.lifecycle import migration
from node.posts.drafts import Draft
from node.publishing import publishing

PASSWORD = "a picture a day"


async def names(new: Person, old: Person) -> None:
    """The new account says that it is also the old one."""
    other = await remote_migration.find_account(new.node, await new.account(), old.handle, field="alias")
    await new.node.db.write(lambda tx: migration.add_alias(tx, accounts.get(tx, new.id), other))
    await new.world.settle()


async def goes(old: Person, new: Person, password: str = PASSWORD) -> None:
    def has_password(tx: Reader) -> bool:
        return users.by_account(tx, accounts.get(tx, old.id)) is not None

    if not await old.node.db.read(has_password):
        hashed = await passwords.hash(PASSWORD)

        def unit(tx: Writer) -> None:
            users.create(tx, accounts.get(tx, old.id), email="old@tintype.test", password_hash=hashed)

        await old.node.db.write(unit)
    await remote_migration.move(old.node, await old.account(), password, new.handle)


async def test_followers_near_and_far_come_along(fediverse: Fediverse) -> None:
    old, near, new, far, third = await fediverse.people(
        "old@a.test", "near@a.test", "new@b.test", "far@b.test", "third@c.test"
    )
    for one in (near, far, third):
        await one.follows(old)
    await fediverse.settle()
    await names(new, old)
    await goes(old, new)
    await fediverse.settle()
    for one in (near, far, third):
        assert await one.is_following(new), one.handle
        assert not await one.is_following(old), one.handle
        assert ("move", "new@b.test") in await one.told()
    assert (await new.account()).followers_count == 3
    assert (await old.account()).followers_count == 0
    assert (await far.finds(old)).moved_to == (await new.account()).uri


async def test_who_has_moved_posts_nothing_more_until_they_come_back(fediverse: Fediverse) -> None:
    old, new, late = await fediverse.people("old@a.test", "new@b.test", "late@c.test")
    await names(new, old)
    await goes(old, new)
    await fediverse.settle()
    with pytest.raises(NotAllowed):
        await old.posts("Still here")
    await late.follows(old)
    await fediverse.settle()
    assert not await late.is_following(old)
    await old.node.db.write(lambda tx: migration.cancel_move(tx, accounts.get(tx, old.id)))
    await old.posts("Back again")
    with pytest.raises(Invalid, match="30 days"):
        await goes(old, new)


async def test_the_new_account_has_to_agree_and_the_password_to_be_right(fediverse: Fediverse) -> None:
    old, new, fan = await fediverse.people("old@a.test", "new@b.test", "fan@b.test")
    await fan.follows(old)
    await fediverse.settle()
    with pytest.raises(Invalid, match="does not list this account"):
        await goes(old, new)
    await names(new, old)
    with pytest.raises(Invalid, match="password"):
        await goes(old, new, password="wrong password")
    assert (await old.account()).moved_to == ""
    # What was known of the new account is old: it is read again when it counts.
    await goes(old, new)
    await fediverse.settle()
    assert await fan.is_following(new)


async def test_blocks_and_mutes_are_carried_over_and_keep_people_apart(fediverse: Fediverse) -> None:
    old, new, foe, shy, apart = await fediverse.people(
        "old@a.test", "new@b.test", "foe@c.test", "shy@c.test", "apart@c.test"
    )
    await foe.blocks(old)
    old_there = await shy.finds(old)
    await shy.node.db.write(lambda tx: blocks.mute(tx, accounts.get(tx, shy.id), old_there))
    await apart.follows(old)
    await shy.follows(old)
    await fediverse.settle()
    await apart.blocks(new)
    await names(new, old)
    await goes(old, new)
    await fediverse.settle()
    there = await foe.finds(new)

    def between(tx: Reader) -> tuple[bool, bool, bool]:
        return (
            relationships.has_blocked(tx, accounts.get(tx, foe.id), there),
            relationships.has_muted(tx, accounts.get(tx, shy.id), there),
            relationships.follow_between(tx, accounts.get(tx, apart.id), there) is None,
        )

    assert await foe.node.db.read(between) == (True, True, True)
    assert await apart.is_following(old)
    assert await shy.is_following(new)


async def test_somebody_moves_here_from_other_software(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, other)
    (new,) = await fediverse.people("rita@a.test")
    rita = f"{other.base}/users/rita"
    there = await alice.node.db.read(accounts.by_uri, rita)
    assert there is not None
    target = (await new.account()).uri
    await new.node.db.write(lambda tx: migration.add_alias(tx, accounts.get(tx, new.id), there))
    other.person("rita", movedTo=target)
    move = other.activity("rita", "Move", rita, target=target, to=[f"{rita}/followers"])
    assert await other.send(alice.node, "rita", move) == 202
    await fediverse.settle()
    assert await alice.is_following(new)
    assert await alice.told() == [("move", "rita@a.test")]
    undone = [one for one in other.received if one["type"] == "Undo"]
    assert [one["object"]["object"] for one in undone] == [rita]
    # Whoever was there stays; nothing was posted under another name.
    draft = Draft(caption="Here now")
    await new.node.db.write(lambda tx: publishing.publish(tx, accounts.get(tx, new.id), draft))
    assert await alice.home() == ["Here now"]
