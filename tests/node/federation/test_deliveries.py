"""Deliveries: one row and one job per inbox, and what becomes of both. `test_delivery_sequences` plays whole stories."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from node.database import Reader, Writer
from node.federation import deliveries, delivery_reports, outbox, server_availability
from node.federation.deliveries import DeliveryResult, QueuedDelivery
from node.federation.delivery_reports import Delivery
from node.federation.outbox import OutgoingActivity
from node.federation.server_availability import DAY_MS, GIVE_UP_AFTER_MS, HOUR_MS
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing

LAKE, SEA = "lake.example", "sea.example"
INBOX, OTHER_INBOX, SEA_INBOX = f"https://{LAKE}/inbox", f"https://{LAKE}/other", f"https://{SEA}/inbox"


def like(tx: Writer, alice: Account, number: int = 1, **about: Any) -> OutgoingActivity:
    uri = f"https://tintype.test/likes/{number}"
    outbox.record(tx, alice, "Like", uri, uri=uri, **about)
    activity = outbox.by_uri(tx, uri)
    assert activity is not None
    return activity


def claim(tx: Writer) -> list[QueuedDelivery]:
    """The first delivery of each lane, as after the longest pause."""
    kinds = ("deliver", deliveries.REDELIVER_KIND)
    jobs = [job for kind in kinds for job in queue.claim(tx, kind, 100, now_ms() + 2 * DAY_MS)]
    return [QueuedDelivery.from_job(job) for job in jobs]


def rows(tx: Reader) -> list[Delivery]:
    ids = [row["id"] for row in tx.all("SELECT id FROM deliveries ORDER BY id")]
    return [found for id_ in ids if (found := delivery_reports.by_id(tx, id_)) is not None]


async def states(node: Node) -> list[str]:
    return [row.state for row in await node.db.read(rows)]


async def first(node: Node, alice: Account, **changes: Any) -> QueuedDelivery:
    """A delivery to the lake's server whose job is claimed."""
    activity = await node.db.write(like, alice)
    await node.db.write(deliveries.queue, activity, [(INBOX, LAKE)])
    (delivery,) = await node.db.write(claim)
    return dataclasses.replace(delivery, **changes)


async def test_each_inbox_is_queued_once_in_the_lane_of_its_host(node: Node, alice: Account) -> None:
    activity = await node.db.write(like, alice)
    inboxes = [(INBOX, LAKE), (OTHER_INBOX, LAKE), (INBOX, LAKE), (SEA_INBOX, SEA)]

    assert await node.db.write(deliveries.queue, activity, inboxes) == 3
    assert await node.db.write(deliveries.queue, activity, inboxes) == 0

    found = await node.db.write(claim)
    assert {(one.inbox, one.job.lane) for one in found} == {(INBOX, LAKE), (SEA_INBOX, SEA)}
    assert await states(node) == ["waiting"] * 3


async def test_a_job_says_all_that_its_delivery_needs(node: Node, alice: Account) -> None:
    activity = await node.db.write(like, alice)
    before = now_ms()
    await node.db.write(deliveries.queue, activity, [(INBOX, LAKE)], sends_follower_digest=True)

    (found,) = await node.db.write(claim)

    assert (found.activity_id, found.account_id, found.host) == (activity.id, alice.id, LAKE)
    assert found.queued_at >= before
    assert found.sends_follower_digest
    assert not found.is_in_retry_lane
    assert found.retry_lane == f"{LAKE} {INBOX} person:{alice.id}"


def test_a_job_that_an_older_version_queued_can_be_read() -> None:
    payload = {"id": 7, "inbox": INBOX, "host": LAKE, "sentence": 1, "by": 2, "since": 3}

    found = QueuedDelivery.from_job(Job(1, "deliver", LAKE, payload, 1))

    assert (found.ordering_key, found.rerendered_at, found.sends_follower_digest) == ("7", 0, False)


async def test_order_is_kept_about_one_post_or_between_two_accounts(
    node: Node, alice: Account, bob: Account
) -> None:
    post = await node.db.write(publishing.publish, alice, Draft(caption="One"))

    about_post = await node.db.write(lambda tx: like(tx, alice, 1, post=post, target=bob))
    about_bob = await node.db.write(lambda tx: like(tx, alice, 2, target=bob))
    about_herself = await node.db.write(lambda tx: like(tx, alice, 3))

    keys = [deliveries.ordering_key(one) for one in (about_post, about_bob, about_herself)]
    assert keys == [f"post:{post.id}", f"people:{alice.id}:{bob.id}", f"person:{alice.id}"]


async def test_what_is_refused_is_recorded_without_an_attempt(node: Node, alice: Account) -> None:
    activity = await node.db.write(like, alice)
    await node.db.write(deliveries.queue, activity, [(INBOX, LAKE)])

    await node.db.write(
        deliveries.record_refused, activity, [(INBOX, LAKE), (SEA_INBOX, SEA)], "gone for long"
    )

    queued, refused = await node.db.read(rows)
    assert queued.state == "waiting"
    assert (refused.state, refused.attempts, refused.reason) == ("failed", 0, "gone for long")
    assert len(await node.db.write(claim)) == 1


async def test_a_result_counts_once_and_its_reason_is_bounded(node: Node, alice: Account) -> None:
    delivery = await first(node, alice)
    result = DeliveryResult(delivery, "failed", 400, "x" * 900)

    for _ in range(2):
        await node.db.write(deliveries.record_results, [result, result])

    (row,) = await node.db.read(rows)
    assert (row.state, row.status, row.attempts, len(row.reason)) == ("failed", 400, 1, 500)
    assert row.finished_at is not None


@pytest.mark.parametrize("has_responded", [True, False])
async def test_only_a_response_makes_a_server_available(
    node: Node, alice: Account, has_responded: bool
) -> None:
    delivery = await first(node, alice)
    await node.db.write(server_availability.record_failure, LAKE, "timed out")

    await node.db.write(
        deliveries.record_results, [DeliveryResult(delivery, "failed", None, "refused", has_responded)]
    )

    assert bool(await node.db.read(server_availability.failing)) is not has_responded


async def test_an_unavailable_server_pauses_its_lane_for_as_long_as_it_asks(
    node: Node, alice: Account
) -> None:
    delivery = await first(node, alice)

    await node.db.write(deliveries.record_unavailable, delivery, 429, "answered 429", 3 * HOUR_MS)

    found = await node.db.read(server_availability.by_host, LAKE)
    assert found is not None
    assert found.busy_until == found.sleeps_until > now_ms() + 2 * HOUR_MS
    run_at = await node.db.read(lambda tx: tx.value("SELECT run_at FROM jobs WHERE lane = :lane", lane=LAKE))
    assert run_at == found.sleeps_until
    (again,) = await node.db.write(claim)
    assert again.job.kind == deliveries.REDELIVER_KIND


async def test_a_retry_lane_counts_no_failures_of_its_server(node: Node, alice: Account) -> None:
    delivery = await first(node, alice)
    await node.db.write(deliveries.move_to_retry_lane, delivery)
    (moved,) = await node.db.write(claim)
    assert moved.is_in_retry_lane

    await node.db.write(deliveries.record_unavailable, moved, None, "timed out", None)

    assert await node.db.read(server_availability.by_host, LAKE) is None
    assert await states(node) == ["waiting"]


async def test_an_activity_a_server_fails_on_lets_the_others_pass_at_its_third_attempt(
    node: Node, alice: Account
) -> None:
    delivery = await first(node, alice)
    later = await node.db.write(like, alice, 2)
    await node.db.write(deliveries.queue, later, [(INBOX, LAKE)])

    for _ in range(2):
        await node.db.write(deliveries.record_error_response, delivery, 500, "answered 500")
        (delivery,) = await node.db.write(claim)
    await node.db.write(deliveries.record_error_response, delivery, 500, "answered 500")

    found = await node.db.write(claim)
    assert {(one.activity_id, one.is_in_retry_lane) for one in found} == {
        (delivery.activity_id, True),
        (later.id, False),
    }


@pytest.mark.parametrize("outcome", ["unavailable", "error response", "local error"])
@pytest.mark.parametrize("is_expired", [False, True])
async def test_an_attempt_after_a_week_is_the_last(
    node: Node, alice: Account, outcome: str, is_expired: bool
) -> None:
    age = GIVE_UP_AFTER_MS + (1000 if is_expired else -HOUR_MS)
    delivery = await first(node, alice, queued_at=now_ms() - age)

    match outcome:
        case "unavailable":
            await node.db.write(deliveries.record_unavailable, delivery, None, "timed out", None)
        case "error response":
            await node.db.write(deliveries.record_error_response, delivery, 500, "answered 500")
        case _:
            await node.db.write(deliveries.record_local_error, delivery, "OSError: disk full")

    assert await states(node) == ["failed" if is_expired else "waiting"]
    assert len(await node.db.write(claim)) == (0 if is_expired else 1)


async def test_a_retry_queues_failed_and_gone_deliveries_of_one_host(node: Node, alice: Account) -> None:
    activity = await node.db.write(like, alice)
    inboxes = [(INBOX, LAKE), (OTHER_INBOX, LAKE), (SEA_INBOX, SEA)]
    await node.db.write(deliveries.queue, activity, inboxes)
    for state in ("failed", "gone"):
        found = await node.db.write(claim)
        await node.db.write(
            deliveries.record_results, [DeliveryResult(one, state, 400, "answered") for one in found]
        )
    assert await states(node) == ["failed", "gone", "failed"]

    assert await node.db.write(lambda tx: deliveries.retry(tx, activity, host=LAKE)) == 2

    assert await states(node) == ["waiting", "waiting", "failed"]
    (again,) = await node.db.write(claim)
    # A like is sent as it was; only a post is rendered again.
    assert (again.inbox, again.rerendered_at) == (INBOX, 0)


async def test_a_retried_post_is_rendered_again(node: Node, alice: Account) -> None:
    post = await node.db.write(publishing.publish, alice, Draft(caption="One"))
    activity = await node.db.read(outbox.by_uri, f"{post.uri}/activity")
    assert activity is not None
    await node.db.write(outbox.save_document, activity, '{"as": "sent first"}')
    await node.db.write(deliveries.record_refused, activity, [(INBOX, LAKE)], "gone for long")

    await node.db.write(deliveries.retry, activity)

    (again,) = await node.db.write(claim)
    assert again.rerendered_at == again.queued_at > 0
    assert await node.db.read(outbox.documents, [activity.id]) == {}


async def test_a_superseded_activity_is_not_retried(node: Node, alice: Account) -> None:
    activity = await node.db.write(like, alice)
    await node.db.write(deliveries.record_refused, activity, [(INBOX, LAKE)], "gone for long")
    await node.db.write(
        lambda tx: outbox.record(tx, alice, "Undo", activity.uri, extra={"uri": activity.uri})
    )

    assert await node.db.write(deliveries.retry, activity) == 0

    assert await states(node) == ["failed"]


async def test_a_host_is_retried_for_its_newest_activities_in_order(
    node: Node, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MAX_RETRIED_ACTIVITIES", 2)
    activities = [await node.db.write(like, alice, n) for n in range(3)]
    for activity in activities:
        await node.db.write(
            deliveries.record_refused, activity, [(INBOX, LAKE), (SEA_INBOX, SEA)], "for long"
        )

    assert await node.db.write(deliveries.retry_host, LAKE) == 2

    sent = []
    while found := await node.db.write(claim):
        sent += [one.activity_id for one in found]
        await node.db.write(deliveries.record_results, [DeliveryResult(found[0], "delivered", 202, "")])
    assert sent == [activities[1].id, activities[2].id]


async def test_giving_up_a_host_empties_all_its_lanes_and_no_others(node: Node, alice: Account) -> None:
    delivery = await first(node, alice)
    await node.db.write(deliveries.move_to_retry_lane, delivery)
    other = await node.db.write(like, alice, 2)
    await node.db.write(deliveries.queue, other, [(INBOX, LAKE), (SEA_INBOX, SEA)])

    assert await node.db.write(deliveries.give_up_host, LAKE, "given up by an admin") == 2

    assert await states(node) == ["failed", "failed", "waiting"]
    assert [one.host for one in await node.db.write(claim)] == [SEA]


async def test_finished_rows_are_kept_thirty_days_and_lost_ones_closed_after_fourteen(
    node: Node, alice: Account
) -> None:
    delivery = await first(node, alice)
    await node.db.write(deliveries.record_results, [DeliveryResult(delivery, "delivered", 202, "")])
    waiting = await node.db.write(like, alice, 2)
    await node.db.write(deliveries.queue, waiting, [(INBOX, LAKE)])
    now = now_ms()

    await node.db.write(deliveries.clean_up, now + 14 * DAY_MS - HOUR_MS, None)
    assert await states(node) == ["delivered", "waiting"]
    await node.db.write(deliveries.clean_up, now + 14 * DAY_MS + HOUR_MS, None)
    assert await states(node) == ["delivered", "failed"]
    last = await node.db.write(deliveries.clean_up, now + deliveries.RETENTION_MS + HOUR_MS, None)
    assert await node.db.write(deliveries.clean_up, now + deliveries.RETENTION_MS + HOUR_MS, last) is None
    assert await states(node) == ["failed"]
