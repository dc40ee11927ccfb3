"""The worker: each job runs once, slow and failing ones do not hold up the others."""

from __future__ import annotations

import asyncio

from node.database import Reader, Writer
from node.ids import now_ms
from node.jobs import job_statistics, queue
from node.jobs.job_statistics import KindStats
from node.jobs.queue import GiveUp, Job, RetryLater
from node.jobs.worker import BatchHandler, JobHandler, JobWorker
from node.node import Node
from tests.support.parallel import ONE_AT_A_TIME

HOUR = 3_600_000


async def add(node: Node, n: int, lane: str = "") -> None:
    await node.db.write(queue.add, "test", {"n": n}, lane=lane)


async def claim(node: Node) -> list[Job]:
    return await node.db.write(queue.claim, "test", 10, now_ms())


def numbers(found: list[Job]) -> list[int]:
    return [job.payload["n"] for job in found]


def stats_of_tests(tx: Reader) -> list[KindStats]:
    """The statistics of the jobs of a test, without the node's own daily job."""
    return [stats for stats in job_statistics.stats_by_kind(tx) if stats.kind == "test"]


async def test_a_worker_runs_each_job_once_and_deletes_it(node: Node) -> None:
    done: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        done.append(job.payload["n"])

    for n in range(30):
        await add(node, n, f"host{n % 3}.example")
    worker = JobWorker(node, {"test": JobHandler(handler, concurrency=8)})

    assert await worker.drain() == 30
    assert sorted(done) == list(range(30))
    assert await node.db.read(stats_of_tests) == []


async def test_a_job_can_be_put_off_and_one_that_fails_is_retried(node: Node) -> None:
    tried: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        tried.append(job.attempts)
        if job.attempts == 1:
            raise RetryLater(now_ms() + HOUR, "busy")
        if job.attempts == 2:
            raise RuntimeError("a mistake in this program")

    await add(node, 1)
    worker = JobWorker(node, {"test": JobHandler(handler)})
    assert await worker.drain() == 1
    assert await worker.drain(now_ms() + HOUR - 1000) == 0
    assert await worker.drain(now_ms() + HOUR + 1000) >= 1

    await worker.drain(now_ms() + 3 * HOUR)
    assert tried == [1, 2, 3]


async def test_a_job_given_up_is_kept_with_its_reason(node: Node) -> None:
    async def handler(node: Node, job: Job) -> None:
        raise GiveUp("lake.example is gone")

    await add(node, 1)
    await JobWorker(node, {"test": JobHandler(handler)}).drain()

    [row] = await node.db.read(job_statistics.failures)
    assert (row["kind"], row["reason"]) == ("test", "lake.example is gone")


async def test_one_bad_job_does_not_fail_its_batch(node: Node) -> None:
    done: set[int] = set()

    async def handler(node: Node, found: list[Job]) -> None:
        if any(job.payload["n"] == 3 for job in found):
            raise RuntimeError("cannot read number 3")
        await node.db.write(queue.finish_all, found)
        done.update(numbers(found))

    for n in range(6):
        await add(node, n)
    await JobWorker(node, {"test": BatchHandler(handler, size=10)}).drain()

    assert done == {0, 1, 2, 4, 5}
    [stats] = await node.db.read(stats_of_tests)
    assert (stats.waiting, stats.failed) == (1, 0)


@ONE_AT_A_TIME
async def test_a_running_worker_is_woken_by_the_unit_that_adds_a_job(node: Node) -> None:
    done = asyncio.Event()

    async def handler(node: Node, job: Job) -> None:
        done.set()

    worker = JobWorker(node, {"test": JobHandler(handler)})
    await worker.start(is_only_process=True)
    try:
        await asyncio.sleep(0.05)
        await add(node, 1)
        await asyncio.wait_for(done.wait(), 0.9)  # sooner than the poll of one second
    finally:
        await worker.stop()


async def test_a_stopped_worker_cancels_jobs_that_take_too_long(node: Node) -> None:
    started = asyncio.Event()

    async def handler(node: Node, job: Job) -> None:
        started.set()
        await asyncio.sleep(60)

    worker = JobWorker(node, {"test": JobHandler(handler)})
    await worker.start(is_only_process=True)
    await add(node, 1)
    await asyncio.wait_for(started.wait(), 5)

    await worker.stop(timeout_seconds=0.05)

    await node.db.write(queue.release_all_claims)
    assert numbers(await claim(node)) == [1]


@ONE_AT_A_TIME
async def test_a_slow_job_gives_its_slot_to_the_next_up_to_a_bound(node: Node) -> None:
    """Twenty servers hang, and the others do not wait for them; but there is a bound on jobs that run at once."""
    running, most, done = 0, 0, []
    hang = asyncio.Event()

    async def handler(node: Node, job: Job) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if job.payload["hangs"]:
            await hang.wait()
        else:
            done.append(job.payload["n"])
        running -= 1

    def unit(tx: Writer) -> None:
        for n in range(40):
            queue.add(tx, "test", {"n": n, "hangs": n < 20})

    await node.db.write(unit)
    worker = JobWorker(
        node, {"test": JobHandler(handler, concurrency=4, slow_after_seconds=0.05, max_concurrency=24)}
    )
    await worker.start(is_only_process=True)
    async with asyncio.timeout(5):
        while len(done) < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert running == 20
    assert most <= 24

    # Slow jobs take no more slots than that: the next thirty that hang wait for their turn.
    await node.db.write(lambda tx: [queue.add(tx, "test", {"n": n, "hangs": True}) for n in range(30)])
    async with asyncio.timeout(5):
        while running < 24:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    hang.set()
    async with asyncio.timeout(5):
        while await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'test'")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert most == 24
    assert worker._running == set() or all(task.done() for task in worker._running)
    await worker.stop()


async def test_a_job_that_finishes_itself_is_left_to_its_handler(node: Node) -> None:
    async def handler(node: Node, job: Job) -> bool:
        await node.db.write(queue.reschedule, job, now_ms() + HOUR, "later")
        return True

    await add(node, 1)
    worker = JobWorker(node, {"test": JobHandler(handler)})

    assert await worker.drain() == 1
    [stats] = await node.db.read(stats_of_tests)
    assert (stats.waiting, stats.working, stats.failed) == (1, 0, 0)
    assert await worker.drain() == 0


async def test_a_job_that_keeps_failing_is_given_up_after_eight_attempts(node: Node) -> None:
    attempts: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        attempts.append(job.attempts)
        raise ValueError("cannot read it")

    await add(node, 1)
    worker = JobWorker(node, {"test": JobHandler(handler)})
    while await worker.drain(now_ms() + 1000 * HOUR):
        pass

    assert attempts == list(range(1, queue.MAX_ATTEMPTS + 1))
    [row] = await node.db.read(job_statistics.failures)
    assert row["reason"] == "ValueError: cannot read it"


async def test_a_drain_includes_the_jobs_that_jobs_add(node: Node) -> None:
    async def handler(node: Node, job: Job) -> None:
        if job.payload["n"] < 3:
            await add(node, job.payload["n"] + 1)

    await add(node, 0)

    assert await JobWorker(node, {"test": JobHandler(handler)}).drain() == 4


async def test_a_worker_takes_over_what_a_killed_one_held_only_when_alone(node: Node) -> None:
    done: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        done.append(job.payload["n"])

    for is_only_process, expected in ((False, []), (True, [1])):
        if not is_only_process:
            await add(node, 1)
            assert numbers(await claim(node)) == [1]
        worker = JobWorker(node, {"test": JobHandler(handler)})
        await worker.start(is_only_process=is_only_process)
        await worker.stop()
        await worker.drain()
        assert done == expected
