from __future__ import annotations

import asyncio
import threading

import pytest

from node.accounts import relationships
from node.database import Database, Reader, Writer
from node.errors import Invalid
from node.ids import now_ms
from node.interactions import blocks, follows
from node.jobs import queue
from node.jobs.queue import Job
from node.maintenance import clean_up
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support import people
from web import wiring


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


async def test_the_server_of_a_blocked_account_is_told_of_the_block_and_its_end(
    db: Database, alice: Account
) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, rita, alice, uri=rita.uri + "#f")
    await db.write(follows.follow, alice, rita)

    await db.write(blocks.block, alice, rita)
    await db.write(blocks.block, alice, rita)

    assert await db.read(people.verbs_of, alice) == ["Accept", "Follow", "Undo", "Reject", "Block"]

    await db.write(blocks.unblock, alice, rita)
    await db.write(blocks.unblock, alice, rita)

    assert await db.read(people.verbs_of, alice) == ["Accept", "Follow", "Undo", "Reject", "Block", "Undo"]


async def test_a_block_between_two_local_accounts_is_sent_to_nobody(
    db: Database, alice: Account, bob: Account
) -> None:
    await db.write(blocks.block, alice, bob)
    await db.write(blocks.unblock, alice, bob)

    assert await db.read(people.verbs_of, alice) == []


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


def mutes_and_jobs(tx: Reader) -> tuple[int, int]:
    """How many mutes will end, and how many jobs there are that end mutes."""
    return (
        tx.value("SELECT COUNT(*) FROM mutes WHERE ends_at IS NOT NULL"),
        tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'end_mutes'"),
    )


async def claimed_job(node: Node) -> Job:
    """The job that ends mutes, claimed, with no mute for it to end."""
    await node.db.write(queue.add, "end_mutes", {}, run_at=1)
    [job] = await node.db.write(queue.claim, "end_mutes", 1, now_ms())
    return job


@pytest.mark.parametrize("is_mute_first", [True, False])
async def test_a_mute_made_while_others_are_ended_has_a_job_that_ends_it(
    node: Node, alice: Account, bob: Account, is_mute_first: bool
) -> None:
    job = await claimed_job(node)
    begun, other_done = threading.Event(), threading.Event()

    def first(tx: Writer) -> None:
        if is_mute_first:
            blocks.mute(tx, alice, bob, seconds=3600)
        else:
            blocks.end_due_mutes(tx, job)
        begun.set()
        other_done.wait(0.5)  # whichever comes second may have to wait for this one

    def second(tx: Writer) -> None:
        if is_mute_first:
            blocks.end_due_mutes(tx, job)
        else:
            blocks.mute(tx, alice, bob, seconds=3600)

    async def run_second() -> None:
        await asyncio.to_thread(begun.wait)
        await node.db.write(second)
        other_done.set()

    await asyncio.gather(node.db.write(first), run_second())

    assert await node.db.read(mutes_and_jobs) == (1, 1)


async def test_the_daily_clean_up_finds_a_mute_that_no_job_will_end(
    node: Node, alice: Account, bob: Account
) -> None:
    await node.db.write(blocks.mute, alice, bob, seconds=3600)
    await node.db.write(lambda tx: tx.run("DELETE FROM jobs WHERE kind = 'end_mutes'"))
    await node.db.write(queue.add, "clean_up", {}, run_at=1)
    [job] = await node.db.write(queue.claim, "clean_up", 1, now_ms())

    await clean_up.clean_up(node, job)

    assert await node.db.read(mutes_and_jobs) == (1, 1)
    await wiring.run_due_jobs(node, now_ms() + 2 * 3_600_000)
    assert await node.db.read(mutes_and_jobs) == (0, 0)
