"""The queue: nothing lost, nothing doubled, lanes in order."""

from __future__ import annotations

import asyncio

import pytest

from node.database import Reader, Writer
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import GiveUp, Job, Later
from node.jobs.worker import Batch, Each, Worker
from node.node import Node
from tests.support.parallel import ONE_AT_A_TIME

HOUR = 3_600_000


async def add(node: Node, n: int, lane: str = "") -> None:
    await node.db.write(queue.add, "test", {"n": n}, lane=lane)


async def claim(node: Node, limit: int = 10, now: int | None = None) -> list[Job]:
    return await node.db.write(queue.claim, "test", limit, now or now_ms())


def numbers(found: list[Job]) -> list[int]:
    return [job.payload["n"] for job in found]


def of_tests(tx: Reader) -> list[queue.Stats]:
    """How the queue stands, but for the node's own daily job."""
    return [stats for stats in queue.stats(tx) if stats.kind == "test"]


async def test_a_job_whose_deed_failed_was_never_added(node: Node) -> None:
    def deed(tx: Writer) -> None:
        queue.add(tx, "test", {"n": 1})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await node.db.write(deed)

    assert await claim(node) == []


async def test_two_workers_never_take_the_same_job(node: Node) -> None:
    for n in range(200):
        await add(node, n)

    taken = [job for found in await asyncio.gather(*[claim(node, 7) for _ in range(60)]) for job in found]

    assert sorted(numbers(taken)) == sorted(set(numbers(taken)))
    rest = [job for _ in range(40) for job in await claim(node, 7)]
    assert sorted(numbers(taken) + numbers(rest)) == list(range(200))


async def test_what_a_killed_worker_held_comes_back_when_its_lease_ends(node: Node) -> None:
    await add(node, 1)
    assert numbers(await claim(node)) == [1]
    assert await claim(node) == []

    [job] = await claim(node, now=now_ms() + queue.LEASE + 1)

    assert job.attempts == 2


async def test_a_process_that_is_alone_frees_old_claims_at_once(node: Node) -> None:
    await add(node, 1)
    await claim(node)

    await node.db.write(queue.release_all)

    assert numbers(await claim(node)) == [1]


async def test_jobs_of_one_lane_run_one_after_the_other_and_lanes_side_by_side(node: Node) -> None:
    for n in range(3):
        await add(node, n, "lake.example")
        await add(node, 10 + n, "sea.example")

    first = await claim(node)
    assert sorted(numbers(first)) == [0, 10]
    assert await claim(node) == []
    for job in first:
        await node.db.write(queue.finish, job)

    assert sorted(numbers(await claim(node))) == [1, 11]


async def test_a_lane_waits_with_its_first_job_and_a_knock_wakes_it(node: Node) -> None:
    for n in range(2):
        await add(node, n, "lake.example")
    [job] = await claim(node)
    await node.db.write(queue.retry, job, now_ms() + HOUR, "lake.example did not answer")
    assert await claim(node) == []

    await node.db.write(queue.hurry, "lake.example")

    assert numbers(await claim(node)) == [0]


async def test_a_job_given_up_lets_its_lane_go_on_and_can_be_tried_again(node: Node) -> None:
    for n in range(2):
        await add(node, n, "lake.example")
    [first] = await claim(node)

    await node.db.write(queue.fail, first, "410 Gone")

    assert numbers(await claim(node)) == [1]
    [row] = await node.db.read(queue.failures)
    assert row["reason"] == "410 Gone"
    assert await node.db.write(queue.again, first.id)
    assert numbers(await claim(node)) == [0]


async def test_finishing_twice_moves_the_lane_on_once(node: Node) -> None:
    for n in range(3):
        await add(node, n, "lake.example")
    [job] = await claim(node)

    assert await node.db.write(queue.finish, job)
    assert not await node.db.write(queue.finish, job)

    assert numbers(await claim(node)) == [1]
    assert await claim(node) == []


async def test_adding_and_finishing_at_once_never_leaves_a_lane_parked(node: Node) -> None:
    done: list[int] = []

    async def finish_all() -> None:
        while len(done) < 60:
            for job in await claim(node):
                await node.db.write(queue.finish, job)
                done.append(job.payload["n"])
            await asyncio.sleep(0)

    async with asyncio.timeout(20):
        await asyncio.gather(finish_all(), finish_all(), *[add(node, n, "lake.example") for n in range(60)])

    assert sorted(done) == list(range(60))
    assert await node.db.read(queue.lanes) == []


async def test_a_worker_does_each_job_once_and_forgets_it(node: Node) -> None:
    done: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        done.append(job.payload["n"])

    for n in range(30):
        await add(node, n, f"host{n % 3}.example")
    worker = Worker(node, {"test": Each(handler, at_once=8)})

    assert await worker.drain() == 30
    assert sorted(done) == list(range(30))
    assert await node.db.read(of_tests) == []


async def test_a_job_can_ask_for_later_and_one_that_fails_comes_back_after_a_while(node: Node) -> None:
    tried: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        tried.append(job.attempts)
        if job.attempts == 1:
            raise Later(now_ms() + HOUR, "busy")
        if job.attempts == 2:
            raise RuntimeError("a mistake of ours")

    await add(node, 1)
    worker = Worker(node, {"test": Each(handler)})
    assert await worker.drain() == 1
    assert await worker.drain(now_ms() + HOUR - 1000) == 0
    assert await worker.drain(now_ms() + HOUR + 1000) >= 1

    await worker.drain(now_ms() + 3 * HOUR)
    assert tried == [1, 2, 3]


async def test_a_job_given_up_is_kept_with_its_reason(node: Node) -> None:
    async def handler(node: Node, job: Job) -> None:
        raise GiveUp("lake.example is gone")

    await add(node, 1)
    await Worker(node, {"test": Each(handler)}).drain()

    [row] = await node.db.read(queue.failures)
    assert (row["kind"], row["reason"]) == ("test", "lake.example is gone")


async def test_one_bad_job_does_not_spoil_its_batch(node: Node) -> None:
    done: set[int] = set()

    async def handler(node: Node, found: list[Job]) -> None:
        if any(job.payload["n"] == 3 for job in found):
            raise RuntimeError("cannot read number 3")
        await node.db.write(queue.finish_all, found)
        done.update(numbers(found))

    for n in range(6):
        await add(node, n)
    await Worker(node, {"test": Batch(handler, size=10)}).drain()

    assert done == {0, 1, 2, 4, 5}
    [stats] = await node.db.read(of_tests)
    assert (stats.waiting, stats.failed) == (1, 0)


@ONE_AT_A_TIME
async def test_a_running_worker_is_woken_by_the_deed_that_adds_a_job(node: Node) -> None:
    done = asyncio.Event()

    async def handler(node: Node, job: Job) -> None:
        done.set()

    worker = Worker(node, {"test": Each(handler)})
    await worker.start(alone=True)
    try:
        await asyncio.sleep(0.05)
        await add(node, 1)
        await asyncio.wait_for(done.wait(), 0.9)  # sooner than the poll of one second
    finally:
        await worker.stop()


async def test_a_worker_that_is_stopped_lets_go_of_what_takes_too_long(node: Node) -> None:
    started = asyncio.Event()

    async def handler(node: Node, job: Job) -> None:
        started.set()
        await asyncio.sleep(60)

    worker = Worker(node, {"test": Each(handler)})
    await worker.start(alone=True)
    await add(node, 1)
    await asyncio.wait_for(started.wait(), 5)

    await worker.stop(patience=0.05)

    await node.db.write(queue.release_all)
    assert numbers(await claim(node)) == [1]


@ONE_AT_A_TIME
async def test_what_takes_long_gives_its_place_to_what_does_not(node: Node) -> None:
    """Twenty servers hang, and the others do not wait for them; but not without end are there more at once."""
    going, most, done = 0, 0, []
    hang = asyncio.Event()

    async def handler(node: Node, job: Job) -> None:
        nonlocal going, most
        going += 1
        most = max(most, going)
        if job.payload["hangs"]:
            await hang.wait()
        else:
            done.append(job.payload["n"])
        going -= 1

    def unit(tx: Writer) -> None:
        for n in range(40):
            queue.add(tx, "test", {"n": n, "hangs": n < 20})

    await node.db.write(unit)
    worker = Worker(node, {"test": Each(handler, at_once=4, patience=0.05, most=24)})
    await worker.start(alone=True)
    async with asyncio.timeout(5):
        while len(done) < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert going == 20
    assert most <= 24

    # What is slow takes no more than that: the next thirty that hang wait for their turn.
    await node.db.write(lambda tx: [queue.add(tx, "test", {"n": n, "hangs": True}) for n in range(30)])
    async with asyncio.timeout(5):
        while going < 24:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    hang.set()
    async with asyncio.timeout(5):
        while await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'test'")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert most == 24
    assert worker._doing == set() or all(task.done() for task in worker._doing)
    await worker.stop()
