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


def feed(tx: Reader, account: Account) -> set[int]:
    return {row["by_id"] for row in tx.all("SELECT by_id FROM feed WHERE account_id = :id", id=account.id)}


async def test_a_block_ends_what_was_between_the_two(db: Database, alice: Account, bob: Account) -> None:
    await db.write(follows.follow, alice, bob)
    await db.write(follows.follow, bob, alice)
    for author in (alice, bob):
        await db.write(publishing.publish, author, Draft(caption="Morning"))
    assert await db.read(feed, alice) == {alice.id, bob.id}

    await db.write(blocks.block, alice, bob)

    assert await db.read(feed, alice) == {alice.id}
    assert await db.read(feed, bob) == {bob.id}
    assert await db.read(people.notifications_of, alice) == []
    assert await db.read(people.notifications_of, bob) == []
    assert await db.read(relationships.follow_between, alice, bob) is None
    assert await db.read(relationships.follow_between, bob, alice) is None
    assert await db.read(relationships.is_block_between, bob, alice)
    assert await db.read(relationships.has_blocked, alice, bob)
    assert not await db.read(relationships.has_blocked, bob, alice)


async def test_blocking_a_remote_account_sends_only_the_end_of_the_follows(
    db: Database, alice: Account
) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, rita, alice, uri=rita.uri + "#f")
    await db.write(follows.follow, alice, rita)

    await db.write(blocks.block, alice, rita)
    await db.write(blocks.block, alice, rita)

    assert await db.read(people.verbs_of, alice) == ["Accept", "Follow", "Undo", "Reject"]


async def test_a_remote_block_ends_the_follows_and_sends_nothing(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, rita, alice, uri=rita.uri + "#f")

    await db.write(blocks.block, rita, alice, uri=rita.uri + "#block")

    assert await db.read(relationships.follow_between, rita, alice) is None
    assert await db.read(people.verbs_of, rita) == []
    assert await db.read(relationships.is_block_between, alice, rita)
    await db.write(blocks.unblock, rita, alice)
    assert not await db.read(relationships.is_block_between, alice, rita)


async def test_a_mute_empties_the_feed_and_unmuting_fills_it(
    db: Database, alice: Account, bob: Account
) -> None:
    await db.write(follows.follow, alice, bob)
    await db.write(publishing.publish, bob, Draft(caption="Morning"))

    await db.write(blocks.mute, alice, bob)
    assert await db.read(feed, alice) == set()
    assert await db.read(relationships.has_muted, alice, bob)
    assert not await db.read(relationships.is_block_between, alice, bob)

    await db.write(blocks.unmute, alice, bob)
    assert await db.read(feed, alice) == {bob.id}


async def test_blocked_and_muted_accounts_are_listed_newest_first(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    for target in (bob, mallory):
        await db.write(blocks.block, alice, target)
        await db.write(blocks.mute, alice, target)

    assert [one.account for one in await db.read(blocks.blocked_accounts, alice, Page())] == [mallory, bob]
    assert [one.account for one in await db.read(blocks.muted_accounts, alice, Page())] == [mallory, bob]
    assert await db.read(blocks.blocked_accounts, bob, Page()) == []


async def test_an_account_cannot_block_or_mute_itself(db: Database, alice: Account) -> None:
    for action in (blocks.block, blocks.mute):
        with pytest.raises(Invalid):
            await db.write(action, alice, alice)
