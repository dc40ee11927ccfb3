"""Slots are released once each: when a job ends, or before, if it is slow; and there is a bound on both together."""

from __future__ import annotations

import asyncio

from node.jobs.slots import Slots


async def held(slots: Slots, number: int, job: asyncio.Event) -> list[asyncio.Task[None]]:
    """As many slots as are free, up to a number, held by tasks that end with the event."""

    async def run() -> None:
        await job.wait()

    tasks = []
    while len(tasks) < number and not slots.free.locked():
        await slots.free.acquire()
        tasks.append(asyncio.create_task(run()))
    slots.hold(tasks)
    return tasks


async def test_a_slot_is_free_again_when_its_job_ends() -> None:
    slots, job = Slots(2), asyncio.Event()

    tasks = await held(slots, 9, job)
    assert len(tasks) == 2
    job.set()
    await asyncio.gather(*tasks)

    assert len(await held(slots, 9, asyncio.Event())) == 2


async def test_slow_jobs_release_their_slots_once_and_up_to_a_bound() -> None:
    slots, job = Slots(2, slow_after_seconds=0.0, max_concurrency=5), asyncio.Event()

    running: list[asyncio.Task[None]] = []
    for _ in range(10):
        running += await held(slots, 9, job)
        await asyncio.sleep(0.01)
    assert len(running) == 5
    job.set()
    await asyncio.gather(*running)

    assert len(await held(slots, 9, asyncio.Event())) == 2
