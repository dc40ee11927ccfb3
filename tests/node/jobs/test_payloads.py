"""A payload that cannot be decoded, or lacks a field, ends its job at once, and the lane behind it goes on."""

from __future__ import annotations

import logging

import msgspec
import pytest

from activitypub.delivery import deliver
from node.database import Writer
from node.ids import now_ms
from node.jobs import job_statistics, payloads, queue
from node.jobs.payloads import FieldMissing, Payload
from node.jobs.queue import Job
from node.jobs.worker import BatchHandler, Handler, JobHandler, JobWorker
from node.node import Node

LANE = "far.example"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "null", '{"a": 1}{', "\ufeff{}", "[" * 3000 + "]" * 3000]
)
def test_anything_but_an_object_is_no_payload(text: str) -> None:
    assert payloads.decode(text) is None


def test_a_payload_is_read_and_written_like_a_dictionary() -> None:
    payload = payloads.decode('{"id": 7, "names": ["a"]}')

    assert payload == {"id": 7, "names": ["a"]}
    assert payload.get("other", 1) == 1
    assert msgspec.json.decode(msgspec.json.encode(payload)) == payload
    assert {**payload, "id": 8}["id"] == 8


def test_a_missing_field_is_named() -> None:
    with pytest.raises(FieldMissing) as missing:
        Payload(id=7)["host"]

    assert missing.value.reason == "its payload has no 'host'"


async def one(node: Node, job: Job) -> None:
    assert job.payload["n"]


async def batch(node: Node, found: list[Job]) -> None:
    assert all(job.payload["n"] for job in found)
    await node.db.write(queue.finish_all, found)


@pytest.mark.parametrize("handler", [JobHandler(one), BatchHandler(batch)], ids=["one", "batch"])
async def test_a_job_whose_payload_lacks_a_field_is_given_up_and_its_lane_goes_on(
    node: Node, handler: Handler
) -> None:
    def unit(tx: Writer) -> None:
        queue.add(tx, "test", {}, lane=LANE)
        queue.add(tx, "test", {"m": 1}, lane=LANE)
        for n in range(1, 4):
            queue.add(tx, "test", {"n": n}, lane=LANE)

    await node.db.write(unit)

    await JobWorker(node, {"test": handler}).drain()

    assert not await node.db.read(queue.has_jobs, "test")
    failures = await node.db.read(job_statistics.failures)
    assert [row["reason"] for row in failures] == ["its payload has no 'n'"] * 2


async def test_a_delivery_of_another_version_does_not_stop_those_behind_it(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    await node.db.write(queue.add, "deliver", {"id": 1, "inbox": "https://far.example/inbox"}, lane=LANE)
    worker = JobWorker(node, {"deliver": JobHandler(deliver.deliver)})

    with caplog.at_level(logging.ERROR):
        await worker.drain(now_ms())

    assert not await node.db.read(queue.has_jobs, "deliver")
    assert "its payload has no 'host'" in caplog.text
