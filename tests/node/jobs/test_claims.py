"""Claims are short, are renewed, and end with their worker; and no job waits for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from node.database import Reader, Writer
from node.errors import DatabaseUnavailable
from node.ids import now_ms
from node.jobs import job_statistics, queue
from node.jobs.queue import Job
from node.jobs.worker import BatchHandler, JobHandler, JobWorker
from node.node import Node
from tests.support.away_database import AwayDatabase

HOUR = 3_600_000
YEAR = 365 * 24 * HOUR


@pytest.fixture
def away(node: Node) -> AwayDatabase:
    away = AwayDatabase(node.db)
    node.db = away
    return away


async def add(node: Node, *numbers: int, lane: str = "") -> None:
    def unit(tx: Writer) -> None:
        for n in numbers:
            queue.add(tx, "test", {"n": n}, lane=lane)

    await node.db.write(unit)


def claims(tx: Reader) -> list[tuple[int, int]]:
    """(claimed until, attempts) of each job of the tests."""
    rows = tx.all("SELECT claimed_until, attempts FROM jobs WHERE kind LIKE 'test%' ORDER BY id")
    return [(row["claimed_until"], row["attempts"]) for row in rows]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_stopped_worker_gives_back_what_it_had_begun(node: Node) -> None:
    begun: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        begun.append(job.payload["n"])
        await asyncio.sleep(600)

    await add(node, 1, 2, lane="far.example")
    await add(node, 3)
    worker = JobWorker(node, {"test": JobHandler(handler)})
    await worker.start(is_only_process=False)
    await until(lambda: len(begun) == 2)

    await worker.stop(timeout_seconds=0.05)

    assert await node.db.read(claims) == [(0, 0)] * 3
    due = await node.db.read(queue.next_run_times, ["test"])
    assert due["test"] <= now_ms()


async def test_a_worker_gives_back_only_its_own_claims(node: Node) -> None:
    await add(node, 1)
    [job] = await node.db.write(queue.claim, "test", 1, now_ms())

    await node.db.write(queue.release, {job.id: job.claimed_until - 1})
    assert (await node.db.read(claims))[0][1] == 1
    assert await node.db.write(queue.release, {job.id: job.claimed_until}) == {job.id}


async def test_long_jobs_keep_their_short_claims(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.jobs.worker.RENEW_SECONDS", 0.02)
    monkeypatch.setattr(queue, "LEASE_MS", 200)
    begun: list[int] = []
    done = asyncio.Event()

    async def handler(node: Node, job: Job) -> None:
        begun.append(job.id)
        await done.wait()

    await add(node, 1)
    worker = JobWorker(node, {"test": JobHandler(handler)})
    await worker.start(is_only_process=False)
    await until(lambda: bool(begun))
    [first] = await node.db.read(claims)
    await asyncio.sleep(0.6)

    [later] = await node.db.read(claims)
    assert later[0] > first[0]
    assert await node.db.write(queue.claim, "test", 1, now_ms()) == []
    done.set()
    await until(lambda: not worker._running)
    await worker.stop()
    assert begun == begun[:1]
    assert await node.db.read(claims) == []


async def test_what_was_done_is_recorded_when_the_database_is_back(node: Node, away: AwayDatabase) -> None:
    done: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        done.append(job.payload["n"])
        away.is_away = True

    await add(node, 1)
    worker = JobWorker(node, {"test": JobHandler(handler)})
    await worker.start(is_only_process=False)
    await until(lambda: bool(done))
    await asyncio.sleep(0.1)
    away.is_away = False
    await until(lambda: not worker._running)
    await worker.stop()

    assert done == [1]
    assert await node.db.read(claims) == []


async def test_what_cannot_be_recorded_is_one_line_in_the_log(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = node.db.write

    async def refusing(unit: Any, /, *args: Any, **kwargs: Any) -> Any:
        if unit is queue.finish:
            raise DatabaseUnavailable("canceling statement due to statement timeout", is_temporary=False)
        return await write(unit, *args, **kwargs)

    async def handler(node: Node, job: Job) -> None:
        monkeypatch.setattr(node.db, "write", refusing)

    await add(node, 1)
    worker = JobWorker(node, {"test": JobHandler(handler)})
    await worker.start(is_only_process=False)
    await until(lambda: "could not be recorded" in caplog.text)
    await worker.stop()
    monkeypatch.undo()

    [line] = [one for one in caplog.records if "could not be recorded" in one.message]
    assert "statement timeout" in line.message
    assert line.exc_info is None


@pytest.mark.parametrize("in_batches", [False, True])
async def test_a_job_that_lost_the_database_runs_again_and_the_attempt_does_not_count(
    node: Node, away: AwayDatabase, in_batches: bool
) -> None:
    attempts: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        attempts.append(job.attempts)
        if len(attempts) == 1:
            away.is_away = True
            asyncio.get_running_loop().call_later(0.2, setattr, away, "is_away", False)
        await node.db.read(queue.has_jobs, "test")

    async def batch_handler(node: Node, batch: list[Job]) -> None:
        await handler(node, batch[0])
        await node.db.write(queue.finish_all, batch)

    await add(node, 1)
    one: JobHandler | BatchHandler = BatchHandler(batch_handler) if in_batches else JobHandler(handler)
    worker = JobWorker(node, {"test": one})
    await worker.start(is_only_process=False)
    await until(lambda: len(attempts) == 2)
    await until(lambda: not worker._running)
    await worker.stop()

    assert attempts == [1, 1]
    assert await node.db.read(claims) == []


async def test_a_claim_whose_answer_was_lost_is_released(node: Node, away: AwayDatabase) -> None:
    done: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        done.append(job.attempts)

    await add(node, 1)
    away.loses_answers_of = queue.claim_until
    worker = JobWorker(node, {"test": JobHandler(handler)})
    await worker.start(is_only_process=False)
    await until(lambda: bool(done))
    await worker.stop()

    assert done == [1]


async def test_a_job_put_off_by_its_handler_to_now_runs_at_once(node: Node) -> None:
    """Its new claim is not taken for the old one, which is still being ended."""
    runs: list[int] = []

    async def handler(node: Node, job: Job) -> bool:
        runs.append(job.attempts)
        if len(runs) == 1:
            await node.db.write(queue.reschedule, job, now_ms(), "again")
            await asyncio.sleep(0.2)
        else:
            await node.db.write(queue.finish, job)
        return True

    await add(node, 1)
    worker = JobWorker(node, {"test": JobHandler(handler)})
    await worker.start(is_only_process=False)
    worker.wake("test")
    await asyncio.sleep(0.05)
    worker.wake("test")
    await until(lambda: len(runs) == 2)
    await until(lambda: not worker._running)
    await worker.stop()

    assert await node.db.read(claims) == []


@pytest.mark.parametrize("payload", ["{", "", "[1]", "7", '"text"', "null", '{"n": 1', "x" * 5000])
@pytest.mark.parametrize("in_batches", [False, True])
async def test_a_job_that_cannot_be_decoded_is_given_up_and_the_others_go_on(
    node: Node, payload: str, in_batches: bool, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        done.append(job.payload["n"])

    async def batch_handler(node: Node, batch: list[Job]) -> None:
        done.extend(job.payload["n"] for job in batch)
        await node.db.write(queue.finish_all, batch)

    await add(node, 1, 2, 3, lane="far.example")
    await add(node, 4)
    await node.db.write(
        lambda tx: tx.run(
            "UPDATE jobs SET payload = :bad WHERE id = (SELECT MIN(id) FROM jobs WHERE kind = 'test')",
            bad=payload,
        )
    )

    one: JobHandler | BatchHandler = BatchHandler(batch_handler) if in_batches else JobHandler(handler)
    with caplog.at_level(logging.ERROR):
        await JobWorker(node, {"test": one}).drain()

    assert sorted(done) == [2, 3, 4]
    [failed] = await node.db.read(job_statistics.failures)
    assert failed["reason"] == queue.UNDECODABLE
    assert queue.UNDECODABLE in caplog.text


async def test_jobs_of_a_kind_that_nobody_knows_are_given_up_and_their_lane_goes_on(node: Node) -> None:
    done: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        done.append(job.payload["n"])

    await node.db.write(queue.add, "test of an older version", {}, lane="far.example")
    await node.db.write(queue.add, "test of a later day", {}, run_at=now_ms() + HOUR)
    await add(node, 1, lane="far.example")
    worker = JobWorker(node, {"test": JobHandler(handler)})
    await worker.start(is_only_process=False)
    await until(lambda: done == [1])
    await worker.stop()

    [failed] = await node.db.read(job_statistics.failures)
    assert (failed["kind"], failed["reason"]) == ("test of an older version", queue.UNKNOWN_KIND)


async def test_what_was_put_off_while_the_clock_was_a_year_ahead_runs_soon(
    node: Node, clock: Callable[[int], None]
) -> None:
    done: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        done.append(job.payload["n"])

    clock(YEAR)
    await node.db.write(queue.add, "test", {"n": 1}, run_at=now_ms() + 24 * HOUR)
    await add(node, 2)
    await node.db.write(queue.claim, "test", 1, now_ms())
    clock(0)
    await node.db.write(queue.add, "test", {"n": 3}, run_at=now_ms() + HOUR)
    await node.db.write(queue.add, "test", {"n": 4}, lane="far.example")
    await node.db.write(queue.add, "test", {"n": 5}, lane="far.example")

    await JobWorker(node, {"test": JobHandler(handler)}).drain()

    assert sorted(done) == [1, 2, 4, 5]


async def test_periodic_work_is_never_put_off_for_longer_than_its_period(
    node: Node, clock: Callable[[int], None]
) -> None:
    clock(30 * HOUR)
    await node.db.write(queue.add_once, "test", {}, run_at=now_ms() + 24 * HOUR)
    clock(0)

    await node.db.write(queue.add_once, "test", {}, run_at=now_ms() + 24 * HOUR)

    due = await node.db.read(queue.next_run_times, ["test"])
    assert due["test"] <= now_ms() + 24 * HOUR


async def test_the_daily_cleaning_goes_on_after_the_clock_was_wrong(
    node: Node, settle: Any, clock: Callable[[int], None]
) -> None:
    clock(YEAR)
    await settle()
    clock(0)

    await settle()

    due = await node.db.read(queue.next_run_times, ["clean_up"])
    assert due["clean_up"] <= now_ms() + 24 * HOUR


async def test_a_worker_that_starts_without_its_database_begins_when_that_answers(
    node: Node, away: AwayDatabase
) -> None:
    done: list[int] = []

    async def handler(node: Node, job: Job) -> None:
        done.append(job.payload["n"])

    await add(node, 1)
    await node.db.write(queue.claim, "test", 1, now_ms())
    worker = JobWorker(node, {"test": JobHandler(handler)})
    away.is_away = True
    await worker.start(is_only_process=True)
    await asyncio.sleep(0.05)
    assert done == []

    away.is_away = False
    await until(lambda: done == [1])
    await worker.stop()


async def test_a_worker_stops_while_it_waits_for_its_database(node: Node, away: AwayDatabase) -> None:
    away.is_away = True
    worker = JobWorker(node, {})
    await worker.start(is_only_process=True)

    async with asyncio.timeout(5):
        await worker.stop()
