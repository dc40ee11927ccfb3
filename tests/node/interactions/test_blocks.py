from __future__ import annotations

import pytest

from node.accounts import relationships
from node.database import Database, Reader
from node.errors import Invalid
from node.interactions import blocks, follows
from node.models.account import Account
from node.paging import Page
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support import people


def feed(tx: Reader, who: Account) -> set[int]:
    return {row["by_id"] for row in tx.all("SELECT by_id FROM feed WHERE account_id = :id", id=who.id)}


async def test_a_block_ends_what_was_between_the_two(db: Database, alice: Account, bob: Account) -> None:
    await db.write(follows.follow, alice, bob)
    await db.write(follows.follow, bob, alice)
    for author in (alice, bob):
        await db.write(publishing.publish, author, Draft(caption="Morning"))
    assert await db.read(feed, alice) == {alice.id, bob.id}

    await db.write(blocks.block, alice, bob)

    assert await db.read(feed, alice) == {alice.id}
    assert await db.read(feed, bob) == {bob.id}
    assert await db.read(people.told, alice) == []
    assert await db.read(people.told, bob) == []
    assert await db.read(relationships.between, alice, bob) is None
    assert await db.read(relationships.between, bob, alice) is None
    assert await db.read(relationships.is_blocked, bob, alice)
    assert await db.read(relationships.has_blocked, alice, bob)
    assert not await db.read(relationships.has_blocked, bob, alice)


async def test_blocking_someone_elsewhere_tells_their_server_of_the_follows_only(
    db: Database, alice: Account
) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, rita, alice, uri=rita.uri + "#f")
    await db.write(follows.follow, alice, rita)

    await db.write(blocks.block, alice, rita)
    await db.write(blocks.block, alice, rita)

    assert await db.read(people.verbs, alice) == ["Accept", "Follow", "Undo", "Reject"]


async def test_a_block_from_elsewhere_severs_without_a_word_from_them(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, rita, alice, uri=rita.uri + "#f")

    await db.write(blocks.block, rita, alice, uri=rita.uri + "#block")

    assert await db.read(relationships.between, rita, alice) is None
    assert await db.read(people.verbs, rita) == []
    assert await db.read(relationships.is_blocked, alice, rita)
    await db.write(blocks.unblock, rita, alice)
    assert not await db.read(relationships.is_blocked, alice, rita)


async def test_a_mute_hides_and_unmuting_brings_back(db: Database, alice: Account, bob: Account) -> None:
    await db.write(follows.follow, alice, bob)
    await db.write(publishing.publish, bob, Draft(caption="Morning"))

    await db.write(blocks.mute, alice, bob)
    assert await db.read(feed, alice) == set()
    assert await db.read(relationships.is_muted, alice, bob)
    assert not await db.read(relationships.is_blocked, alice, bob)

    await db.write(blocks.unmute, alice, bob)
    assert await db.read(feed, alice) == {bob.id}


async def test_blocked_and_muted_people_are_listed_newest_first(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    for target in (bob, mallory):
        await db.write(blocks.block, alice, target)
        await db.write(blocks.mute, alice, target)

    assert [one.account for one in await db.read(blocks.blocked_by, alice, Page())] == [mallory, bob]
    assert [one.account for one in await db.read(blocks.muted_by, alice, Page())] == [mallory, bob]
    assert await db.read(blocks.blocked_by, bob, Page()) == []


async def test_nobody_blocks_or_mutes_themselves(db: Database, alice: Account) -> None:
    for deed in (blocks.block, blocks.mute):
        with pytest.raises(Invalid):
            await db.write(deed, alice, alice)
