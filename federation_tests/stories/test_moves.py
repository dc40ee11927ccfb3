"""Moving to another account, on another server: the followers come along, and the old place says where."""

from __future__ import annotations

import pytest

from activitypub import moving
from federation_tests.fediverse import Fediverse, Person
from node import follows, moves
from node.errors import Conflict, Invalid, NotAllowed


async def _names(new: Person, old: Person) -> None:
    await new._do(moves.add_alias, await new.finds(old))


async def _moves(old: Person, new: Person) -> None:
    await moving.leave(old.node, await old.account(), await old.finds(new))


async def test_followers_of_three_servers_come_along(fediverse: Fediverse) -> None:
    old, new, ann, ben = await fediverse.people("old@a.test", "new@b.test", "ann@c.test", "ben@a.test")
    for follower in (ann, ben):
        await follower.follows(old)
    await fediverse.settle()
    await _names(new, old)
    await fediverse.settle()

    await _moves(old, new)
    await fediverse.settle()

    for follower in (ann, ben):
        assert await follower.is_following(new)
        assert not await follower.is_following(old)
        assert ("move", "new@b.test") in await follower.told()
    assert (await new.account()).followers_count == 2
    assert (await old.account()).followers_count == 0
    assert (await ann.finds(old)).moved_to == (await new.account()).uri


async def test_nobody_can_post_where_they_have_left_until_they_come_back(fediverse: Fediverse) -> None:
    old, new = await fediverse.people("old@a.test", "new@b.test")
    await _names(new, old)
    await fediverse.settle()
    await _moves(old, new)
    with pytest.raises(NotAllowed):
        await old.posts("One more")

    await old._do(moves.come_back)
    await fediverse.settle()

    await old.posts("One more")
    assert (await new.finds(old)).moved_to == ""
    with pytest.raises(Conflict):
        await _moves(old, new)


async def test_a_new_account_that_does_not_name_the_old_one_is_refused(fediverse: Fediverse) -> None:
    old, new = await fediverse.people("old@a.test", "new@b.test")
    with pytest.raises(Invalid) as refused:
        await _moves(old, new)
    assert refused.value.field == "target"
    assert (await old.account()).moved_to == ""


async def test_who_has_blocked_the_new_account_stays(fediverse: Fediverse) -> None:
    old, new, ann = await fediverse.people("old@a.test", "new@b.test", "ann@c.test")
    await ann.follows(old)
    await fediverse.settle()
    await ann.blocks(new)
    await _names(new, old)
    await fediverse.settle()
    await _moves(old, new)
    await fediverse.settle()
    assert not await ann.is_following(new)
    assert await ann.is_following(old)


async def test_a_locked_new_account_is_asked(fediverse: Fediverse) -> None:
    old, new, ann = await fediverse.people("old@a.test", "new@b.test", "ann@c.test")
    await ann.follows(old)
    await new.locks()
    await _names(new, old)
    await fediverse.settle()
    await _moves(old, new)
    await fediverse.settle()
    assert not await ann.is_following(new)
    asked = await ann.node.db.read(follows.between, await ann.account(), await ann.finds(new))
    assert asked is not None
    await new.accepts(ann)
    await fediverse.settle()
    assert await ann.is_following(new)
