"""What staff see of the queue."""

from __future__ import annotations

from node.database import Writer
from node.ids import now_ms
from node.jobs import job_statistics, queue
from node.node import Node


async def test_waiting_working_and_failed_jobs_are_counted_by_kind(node: Node) -> None:
    def unit(tx: Writer) -> None:
        for n in range(4):
            queue.add(tx, "test", {"n": n}, lane=f"host{n % 2}.example" if n else "")
        first, second = queue.claim(tx, "test", 2, now_ms())
        queue.fail(tx, first, "it went wrong")

        [stats] = [one for one in job_statistics.stats_by_kind(tx) if one.kind == "test"]
        assert (stats.waiting, stats.working, stats.failed) == (2, 1, 1)
        [failed] = job_statistics.failures(tx)
        assert (failed["id"], failed["reason"]) == (first.id, "it went wrong")
        assert job_statistics.longest_lanes(tx)[0]["jobs"] == 2
        assert second.id != first.id

    await node.db.write(unit)


async def test_a_job_for_later_is_scheduled_until_its_time_and_one_that_is_tried_again_waits(
    node: Node,
) -> None:
    def unit(tx: Writer) -> None:
        later = now_ms() + 3_600_000
        queue.add(tx, "test", {}, run_at=later)
        [stats] = [one for one in job_statistics.stats_by_kind(tx) if one.kind == "test"]
        assert (stats.waiting, stats.scheduled, stats.oldest_at) == (0, 1, None)

        queue.add(tx, "test", {})
        [job] = queue.claim(tx, "test", 1, now_ms())
        queue.reschedule(tx, job, later, "it did not answer")
        [stats] = [one for one in job_statistics.stats_by_kind(tx) if one.kind == "test"]
        assert (stats.waiting, stats.scheduled) == (1, 1)
        assert stats.oldest_at is not None

    await node.db.write(unit)
