"""The queue: no job lost, none run twice, lanes in order."""

from __future__ import annotations

import asyncio

import pytest

from node.database import Writer
from node.ids import now_ms
from node.jobs import job_statistics, lanes, queue
from node.jobs.queue import Job
from node.node import Node

HOUR = 3_600_000


async def add(node: Node, n: int, lane: str = "") -> None:
    await node.db.write(queue.add, "test", {"n": n}, lane=lane)


async def claim(node: Node, limit: int = 10, now: int | None = None) -> list[Job]:
    return await node.db.write(queue.claim, "test", limit, now or now_ms())


def numbers(found: list[Job]) -> list[int]:
    return [job.payload["n"] for job in found]


async def test_a_job_of_a_unit_that_failed_was_never_added(node: Node) -> None:
    def action(tx: Writer) -> None:
        queue.add(tx, "test", {"n": 1})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await node.db.write(action)

    assert await claim(node) == []


async def test_two_workers_never_take_the_same_job(node: Node) -> None:
    for n in range(200):
        await add(node, n)

    claimed = [job for found in await asyncio.gather(*[claim(node, 7) for _ in range(60)]) for job in found]

    assert sorted(numbers(claimed)) == sorted(set(numbers(claimed)))
    rest = [job for _ in range(40) for job in await claim(node, 7)]
    assert sorted(numbers(claimed) + numbers(rest)) == list(range(200))


async def test_what_a_killed_worker_held_comes_back_when_its_lease_ends(node: Node) -> None:
    await add(node, 1)
    assert numbers(await claim(node)) == [1]
    assert await claim(node) == []

    [job] = await claim(node, now=now_ms() + queue.LEASE_MS + 1)

    assert job.attempts == 2


async def test_a_process_that_is_alone_frees_old_claims_at_once(node: Node) -> None:
    await add(node, 1)
    await claim(node)

    await node.db.write(queue.release_all_claims)

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


async def test_a_lane_waits_with_its_first_job_until_it_is_run_now(node: Node) -> None:
    for n in range(2):
        await add(node, n, "lake.example")
    [job] = await claim(node)
    await node.db.write(queue.reschedule, job, now_ms() + HOUR, "lake.example did not answer")
    assert await claim(node) == []

    await node.db.write(queue.run_lane_now, "lake.example")

    assert numbers(await claim(node)) == [0]


async def test_a_job_given_up_lets_its_lane_go_on_and_can_be_tried_again(node: Node) -> None:
    for n in range(2):
        await add(node, n, "lake.example")
    [first] = await claim(node)

    await node.db.write(queue.fail, first, "410 Gone")

    assert numbers(await claim(node)) == [1]
    [row] = await node.db.read(job_statistics.failures)
    assert row["reason"] == "410 Gone"
    assert await node.db.write(queue.retry_failed, first.id)
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
    assert await node.db.read(job_statistics.longest_lanes) == []


async def move(node: Node, job: Job, lane: str, run_at: int | None = None) -> None:
    await node.db.write(queue.move_to_lane, job, lane, run_at or now_ms(), "aside", "test")


async def test_a_moved_job_lets_its_lane_go_on_and_queues_in_the_other(node: Node) -> None:
    for n in range(3):
        await add(node, n, "lake.example")
    for n in range(2):
        [job] = await claim(node)
        assert numbers([job]) == [n]
        await move(node, job, "lake.example aside", now_ms() + HOUR)
    [last] = await claim(node)
    assert numbers([last]) == [2]
    await node.db.write(queue.finish, last)

    # The second of the other lane waits for the first, whatever time it was given.
    for n in range(2):
        [job] = await claim(node, now=now_ms() + HOUR + 1000)
        assert numbers([job]) == [n]
        await node.db.write(queue.finish, job)


async def test_a_moved_job_runs_no_sooner_than_it_was_told(node: Node) -> None:
    await add(node, 1, "lake.example")
    [job] = await claim(node)

    await move(node, job, "lake.example aside", now_ms() + HOUR)

    assert await claim(node) == []
    assert await node.db.read(lanes.nonempty, ["lake.example", "lake.example aside"]) == {
        "lake.example aside"
    }
    assert numbers(await claim(node, now=now_ms() + HOUR + 1000)) == [1]


async def test_moving_a_finished_job_changes_nothing(node: Node) -> None:
    await add(node, 1, "lake.example")
    [job] = await claim(node)
    await node.db.write(queue.finish, job)

    for lane in ("a lane before it", "z lane after it"):
        await move(node, job, lane)

    assert await node.db.read(job_statistics.longest_lanes) == []


async def test_lanes_are_deleted_with_their_sublanes_and_no_others(node: Node) -> None:
    names = ["lake.example", "lake.example aside", "lake.example.org", "sea.example"]
    for n, lane in enumerate(names):
        await add(node, n, lane)
    assert await node.db.read(lanes.has_sublane, "lake.example")
    assert not await node.db.read(lanes.has_sublane, "sea.example")

    await node.db.write(queue.delete_lanes, "lake.example")

    assert await node.db.read(lanes.nonempty, names) == {"lake.example.org", "sea.example"}
    assert sorted(numbers(await claim(node))) == [2, 3]


async def test_periodic_work_is_added_once_until_it_is_done(node: Node) -> None:
    for n in range(2):
        await node.db.write(queue.add_once, "test", {"n": n})
    [job] = await claim(node)
    assert numbers([job]) == [0]

    await node.db.write(queue.finish, job)
    await node.db.write(queue.add_once, "test", {"n": 2})

    assert numbers(await claim(node)) == [2]
