"""An account moves to another server, and its followers follow it there."""

from __future__ import annotations

import pytest

from activitypub.remote import actors
from activitypub.remote import migration as remote_migration
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita
from node.accounts import accounts, relationships
from node.database import Reader
from node.errors import Invalid, NotAllowed
from node.interactions import blocks
from node.lifecycle import migration
from node.moderation import domain_rules
from node.posts.drafts import Draft
from node.publishing import publishing


async def add_alias(new: Person, old: Person) -> None:
    """Names the old account in `alsoKnownAs` of the new one."""
    other = await remote_migration.find_account(new.node, await new.account(), old.handle, field="alias")
    await new.node.db.write(lambda tx: migration.add_alias(tx, accounts.get(tx, new.id), other))
    await new.fediverse.settle()


async def move(old: Person, new: Person) -> None:
    await remote_migration.move(old.node, await old.account(), new.handle)


async def test_local_and_remote_followers_follow_the_new_account(fediverse: Fediverse) -> None:
    old, near, new, far, third = await fediverse.people(
        "old@a.test", "near@a.test", "new@b.test", "far@b.test", "third@c.test"
    )
    for one in (near, far, third):
        await one.follows(old)
    await fediverse.settle()
    await add_alias(new, old)
    await move(old, new)
    await fediverse.settle()
    for one in (near, far, third):
        assert await one.is_following(new), one.handle
        assert not await one.is_following(old), one.handle
        assert ("move", "new@b.test") in await one.notifications()
    assert (await new.account()).followers_count == 3
    assert (await old.account()).followers_count == 0
    assert (await far.finds(old)).moved_to == (await new.account()).uri


async def test_a_moved_account_cannot_post_until_the_move_is_cancelled(fediverse: Fediverse) -> None:
    old, new, late = await fediverse.people("old@a.test", "new@b.test", "late@c.test")
    await add_alias(new, old)
    await move(old, new)
    await fediverse.settle()
    with pytest.raises(NotAllowed):
        await old.posts("Still here")
    await late.follows(old)
    await fediverse.settle()
    assert not await late.is_following(old)
    await old.node.db.write(lambda tx: migration.cancel_move(tx, accounts.get(tx, old.id)))
    await old.posts("Back again")
    with pytest.raises(Invalid, match="30 days"):
        await move(old, new)


async def test_a_move_needs_an_alias_on_the_new_account(fediverse: Fediverse) -> None:
    old, new, fan = await fediverse.people("old@a.test", "new@b.test", "fan@b.test")
    await fan.follows(old)
    await fediverse.settle()
    with pytest.raises(Invalid, match="does not list this account"):
        await move(old, new)
    await add_alias(new, old)
    assert (await old.account()).moved_to == ""
    # The stored copy of the new account has no alias yet: it is fetched again for the move.
    await move(old, new)
    await fediverse.settle()
    assert await fan.is_following(new)


async def test_blocks_and_mutes_apply_to_the_new_account_too(fediverse: Fediverse) -> None:
    old, new, foe, shy, apart = await fediverse.people(
        "old@a.test", "new@b.test", "foe@c.test", "shy@c.test", "apart@c.test"
    )
    await foe.blocks(old)
    known_old = await shy.finds(old)
    await shy.node.db.write(lambda tx: blocks.mute(tx, accounts.get(tx, shy.id), known_old))
    await apart.follows(old)
    await shy.follows(old)
    await fediverse.settle()
    await apart.blocks(new)
    await add_alias(new, old)
    await move(old, new)
    await fediverse.settle()
    known_new = await foe.finds(new)

    def between(tx: Reader) -> tuple[bool, bool, bool]:
        return (
            relationships.has_blocked(tx, accounts.get(tx, foe.id), known_new),
            relationships.has_muted(tx, accounts.get(tx, shy.id), known_new),
            relationships.follow_between(tx, accounts.get(tx, apart.id), known_new) is None,
        )

    assert await foe.node.db.read(between) == (True, True, True)
    assert await apart.is_following(old)
    assert await shy.is_following(new)


async def test_an_account_of_other_software_moves_to_a_local_one(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    (new,) = await fediverse.people("rita@a.test")
    rita = f"{other.base}/users/rita"
    known = await alice.node.db.read(accounts.by_uri, rita)
    assert known is not None
    target = (await new.account()).uri
    await new.node.db.write(lambda tx: migration.add_alias(tx, accounts.get(tx, new.id), known))
    other.person("rita", movedTo=target)
    activity = other.activity("rita", "Move", rita, target=target, to=[f"{rita}/followers"])
    assert await other.send(alice.node, "rita", activity) == 202
    await fediverse.settle()
    assert await alice.is_following(new)
    assert await alice.notifications() == [("move", "rita@a.test")]
    undone = [one for one in other.received if one["type"] == "Undo"]
    assert [one["object"]["object"] for one in undone] == [rita]
    # The follow of the new account works, and the old posts stay with the old account.
    draft = Draft(caption="Moved in")
    await new.node.db.write(lambda tx: publishing.publish(tx, accounts.get(tx, new.id), draft))
    assert await alice.home() == ["Moved in"]


async def _moved_name(reader: Person, old: str) -> str:
    """The name of the new account as apps and pages get it; '' if none is known."""

    def unit(tx: Reader) -> str:
        account = accounts.by_uri(tx, old)
        assert account is not None
        found = migration.destination(tx, account)
        return "" if found is None else found.name

    return await reader.node.db.read(unit)


async def test_the_new_account_of_one_that_is_found_is_fetched_once(
    fediverse: Fediverse, other: RemoteServer, evil: RemoteServer
) -> None:
    (reader,) = await fediverse.people("alice@a.test")
    old, newest = f"{other.base}/users/old", evil.person("newest")
    # The new one has moved on: only the first move is followed.
    new = evil.person("new", alsoKnownAs=[old], movedTo=newest)
    other.person("old", movedTo=new)
    for _ in range(2):
        await actors.find(reader.node, old, refresh=True)
        await fediverse.settle()
    assert await _moved_name(reader, old) == "new"
    assert evil.requests["/users/new"] == 1
    assert evil.requests["/users/newest"] == 0


async def test_an_account_that_does_not_name_the_old_one_is_not_its_new_account(
    fediverse: Fediverse, other: RemoteServer, evil: RemoteServer
) -> None:
    (reader,) = await fediverse.people("alice@a.test")
    old, new = f"{other.base}/users/old", evil.person("new")
    other.person("old", movedTo=new)
    await actors.find(reader.node, old)
    await fediverse.settle()
    assert evil.requests["/users/new"] == 1
    assert await _moved_name(reader, old) == ""

    # What is stored of the new account is from before it named the old one.
    other.person("older", movedTo=new)
    evil.person("new", alsoKnownAs=[f"{other.base}/users/older"])
    await actors.find(reader.node, f"{other.base}/users/older")
    await fediverse.settle()
    assert await _moved_name(reader, f"{other.base}/users/older") == "new"


async def test_a_move_to_a_blocked_server_or_to_nowhere_is_not_looked_up(
    fediverse: Fediverse, other: RemoteServer, evil: RemoteServer
) -> None:
    (reader,) = await fediverse.people("alice@a.test")
    await reader.node.db.write(lambda tx: domain_rules.block(tx, evil.domain, strength="suspend"))
    blocked = other.person("old", movedTo=evil.person("new"))
    nowhere = other.person("lost", movedTo=f"{other.base}/users/none")
    for uri in (blocked, nowhere):
        await actors.find(reader.node, uri)
        await fediverse.settle()
        assert await _moved_name(reader, uri) == ""
    assert evil.requests["/users/new"] == 0
    assert other.requests["/users/none"] >= 1
