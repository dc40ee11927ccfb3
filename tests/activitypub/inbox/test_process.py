"""Job `receive`: a batch in one unit of work, in which no activity harms another."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.client.cache import FederationCache
from activitypub.inbox import process
from node.accounts import accounts
from node.database import Writer
from node.federation import server_availability
from node.ids import now_ms
from node.jobs import queue
from node.models.account import Account
from node.node import Node
from node.posts import posts
from tests.support.people import remote
from tests.support.posting import follow
from tests.support.received import jobs, note


@pytest.fixture
async def rita(node: Node, alice: Account) -> Account:
    """A remote account that alice follows."""

    def unit(tx: Writer) -> Account:
        account = remote(tx)
        follow(tx, alice, account)
        return account

    return await node.db.write(unit)


def _activity(actor: Account, kind: str, object_: Any, number: int = 1) -> dict[str, Any]:
    return {"id": f"{actor.uri}#{kind}{number}", "type": kind, "actor": actor.uri, "object": object_}


async def _process(node: Node, signer: Account, *documents: dict[str, Any]) -> None:
    def unit(tx: Writer) -> list[queue.Job]:
        for doc in documents:
            queue.add(tx, "receive", {"doc": doc, "by": signer.id, "host": signer.domain})
        return queue.claim(tx, "receive", 64, now_ms())

    await process.process_batch(node, await node.db.write(unit))


async def test_a_bad_activity_does_not_stop_the_others(node: Node, rita: Account) -> None:
    good = note(rita)

    await _process(
        node,
        rita,
        {"type": ["?"], "actor": rita.uri},
        _activity(rita, "Like", "https://tintype.test/nothing"),
        _activity(rita, "Create", good),
    )

    assert await node.db.read(posts.by_uri, good["id"]) is not None
    assert await node.db.read(jobs, "receive") == []


async def test_a_batch_that_takes_long_is_processed_in_several_units(
    node: Node, rita: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for a row that one of them has changed waits for that unit only."""
    units: list[int] = []
    process_first = process._process_first

    def counted(tx: Writer, batch: list[queue.Job]) -> tuple[int, set[str]]:
        units.append(len(batch))
        return process_first(tx, batch)

    monkeypatch.setattr(process, "UNIT_SECONDS", -1.0)
    monkeypatch.setattr(process, "_process_first", counted)
    sent = [note(rita) | {"id": f"{rita.uri}/{n}"} for n in range(3)]

    await _process(node, rita, *(_activity(rita, "Create", one, n) for n, one in enumerate(sent)))

    assert units == [3, 2, 1]
    for one in sent:
        assert await node.db.read(posts.by_uri, one["id"]) is not None
    assert await node.db.read(jobs, "receive") == []


async def test_a_job_of_a_batch_that_is_done_is_not_done_again(node: Node, rita: Account) -> None:
    """As when a later unit of its batch failed, and the worker tries all of them one by one."""

    def unit(tx: Writer) -> list[queue.Job]:
        queue.add(tx, "receive", {"doc": _activity(rita, "Create", note(rita)), "by": rita.id, "host": "a"})
        found = queue.claim(tx, "receive", 64, now_ms())
        queue.finish_all(tx, found)
        return found

    await process.process_batch(node, await node.db.write(unit))

    assert await node.db.read(posts.by_uri, note(rita)["id"]) is None


async def test_an_activity_of_another_actor_than_the_signer_is_ignored(node: Node, rita: Account) -> None:
    omar = await node.db.write(remote, "omar")

    await _process(node, omar, _activity(rita, "Create", note(rita)))

    assert await node.db.read(posts.by_uri, note(rita)["id"]) is None


async def test_a_duplicate_in_one_batch_is_handled_once(node: Node, alice: Account, rita: Account) -> None:
    await _process(node, rita, *[_activity(rita, "Create", note(rita))] * 3)

    assert (await node.db.read(accounts.get, rita.id)).posts_count == 1


async def test_nothing_is_handled_after_the_deletion_of_the_account(node: Node, rita: Account) -> None:
    await _process(node, rita, _activity(rita, "Delete", rita.uri), _activity(rita, "Create", note(rita)))

    assert (await node.db.read(accounts.get, rita.id)).deleted_at is not None
    assert await node.db.read(posts.by_uri, note(rita)["id"]) is None


async def test_what_must_be_fetched_becomes_a_job_in_the_lane_of_its_server(
    node: Node, rita: Account
) -> None:
    uri = "https://third.example/1"

    await _process(node, rita, _activity(rita, "Announce", uri))

    (job,) = await node.db.read(jobs, "fetch")
    assert (job["uri"], job["by"], job["doc"]["object"]) == (uri, rita.id, uri)
    lane = await node.db.read(lambda tx: tx.value("SELECT lane FROM jobs WHERE kind = 'fetch'"))
    assert lane == "fetch third.example"


async def test_a_sending_server_is_available_again(node: Node, rita: Account) -> None:
    gone = node.component(FederationCache).gone_inboxes
    gone.put(rita.shared_inbox, True)
    await node.db.write(server_availability.record_failure, "far.example", "refused")

    await _process(node, rita, _activity(rita, "Like", "https://tintype.test/nothing"))

    assert gone.get(rita.shared_inbox) is None
