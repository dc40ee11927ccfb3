"""Delivery reports: counted by server, for the author and staff alone."""

from __future__ import annotations

import pytest

from node.database import Reader, Writer
from node.errors import NotFound
from node.federation import deliveries, delivery_reports, outbox, server_availability
from node.federation.deliveries import DeliveryResult, QueuedDelivery
from node.federation.delivery_reports import NO_DELIVERIES, DeliveryCounts
from node.federation.outbox import OutgoingActivity
from node.ids import now_ms
from node.jobs import queue
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing

INBOXES = [
    ("https://lake.example/a", "lake.example"),
    ("https://lake.example/b", "lake.example"),
    ("https://sea.example/a", "sea.example"),
    ("https://pond.example/a", "pond.example"),
]


@pytest.fixture
async def post(node: Node, alice: Account) -> Post:
    """A post of alice, queued to four inboxes of three servers."""
    post = await node.db.write(publishing.publish, alice, Draft(caption="One"))
    created = await node.db.read(outbox.by_uri, f"{post.uri}/activity")
    assert created is not None
    await node.db.write(deliveries.queue, created, INBOXES)
    return post


async def finish(node: Node, **states: str) -> None:
    """The first delivery of each of these servers ends."""

    def unit(tx: Writer) -> None:
        jobs = queue.claim(tx, "deliver", 10, now_ms())
        found = [QueuedDelivery.from_job(job) for job in jobs]
        deliveries.record_results(
            tx,
            [
                DeliveryResult(one, states[name], 202, f"about {one.inbox}")
                for one in found
                if (name := one.host.partition(".")[0]) in states
            ],
        )
        for job in jobs:
            queue.reschedule(tx, job, now_ms(), "")

    await node.db.write(unit)


async def counts(node: Node, alice: Account, post: Post) -> DeliveryCounts:
    found = await node.db.read(delivery_reports.latest, alice, post.id)
    assert found is not None
    return found.counts


async def test_a_server_is_pending_until_all_its_inboxes_are_done(
    node: Node, alice: Account, post: Post
) -> None:
    assert await counts(node, alice, post) == DeliveryCounts(3, 0, 3, 0)

    await finish(node, lake="delivered", sea="gone", pond="failed")
    assert await counts(node, alice, post) == DeliveryCounts(3, 0, 1, 2)

    await finish(node, lake="failed")
    # One inbox of it has the post, so the server has it.
    assert await counts(node, alice, post) == DeliveryCounts(3, 1, 0, 2)


async def test_only_the_author_has_a_report(node: Node, alice: Account, bob: Account, post: Post) -> None:
    assert [one.verb for one in await node.db.read(delivery_reports.by_post, alice, post.id)] == ["Create"]

    assert await node.db.read(delivery_reports.latest, bob, post.id) is None
    with pytest.raises(NotFound):
        await node.db.read(delivery_reports.by_post, bob, post.id)
    with pytest.raises(NotFound):
        await node.db.write(delivery_reports.retry_undelivered, bob, post.id)


async def test_a_deletion_is_reported_newest_first_and_without_deliveries(
    node: Node, alice: Account, post: Post
) -> None:
    await node.db.write(post_deletion.delete, alice, post)

    (deletion,) = await node.db.read(delivery_reports.deletions, alice, Page())

    assert (deletion.post_id, deletion.verb, deletion.counts) == (post.id, "Delete", NO_DELIVERIES)
    reports = await node.db.read(delivery_reports.by_post, alice, post.id)
    assert [one.verb for one in reports] == ["Delete", "Create"]


async def test_a_server_is_listed_once_by_its_most_open_delivery(
    node: Node, alice: Account, post: Post
) -> None:
    until = await node.db.write(server_availability.record_failure, "lake.example", "timed out")
    await finish(node, lake="delivered", sea="delivered", pond="gone")
    await node.db.write(server_availability.record_failure, "pond.example", "timed out")
    (report,) = await node.db.read(delivery_reports.by_post, alice, post.id)

    listed = (await node.db.read(delivery_reports.server_deliveries, [report.id]))[report.id]

    assert [(one.host, one.state) for one in listed] == [
        ("lake.example", "waiting"),
        ("pond.example", "gone"),
        ("sea.example", "delivered"),
    ]
    assert until > 0
    # The response from the lake ended its pause; the pond's is of no interest to what has ended.
    assert [one.next_attempt_at for one in listed] == [0, 0, 0]


async def test_a_paused_server_is_listed_with_its_next_attempt(
    node: Node, alice: Account, post: Post
) -> None:
    until = await node.db.write(server_availability.record_failure, "sea.example", "timed out")
    (report,) = await node.db.read(delivery_reports.by_post, alice, post.id)

    listed = (await node.db.read(delivery_reports.server_deliveries, [report.id]))[report.id]

    assert {one.host: one.next_attempt_at for one in listed}["sea.example"] == until


async def test_a_retry_queues_what_failed_and_ends_pauses(node: Node, alice: Account, post: Post) -> None:
    await finish(node, lake="delivered", sea="failed", pond="gone")
    await finish(node, lake="delivered")
    await node.db.write(server_availability.record_failure, "sea.example", "timed out")

    assert await node.db.write(delivery_reports.retry_undelivered, alice, post.id, "sea.example") == 1
    assert await counts(node, alice, post) == DeliveryCounts(3, 1, 1, 1)
    assert await node.db.read(server_availability.unavailable_until, ["sea.example"], now_ms()) == {}

    assert await node.db.write(delivery_reports.retry_undelivered, alice, post.id) == 2
    assert await counts(node, alice, post) == DeliveryCounts(3, 1, 2, 0)


async def test_staff_see_counts_and_what_did_not_arrive(node: Node, alice: Account, post: Post) -> None:
    await finish(node, lake="delivered", sea="failed", pond="gone")

    def read(tx: Reader) -> None:
        assert delivery_reports.counts_by_state(tx) == {
            "waiting": 1,
            "delivered": 1,
            "failed": 1,
            "gone": 1,
        }
        assert delivery_reports.counts_by_host(tx, ["lake.example", "sea.example", "none.example"]) == {
            "lake.example": {"waiting": 1, "delivered": 1},
            "sea.example": {"failed": 1},
        }
        # What waits for its first attempt is no news.
        assert [one.host for one in delivery_reports.undelivered(tx)] == ["pond.example", "sea.example"]
        assert [one.host for one in delivery_reports.undelivered(tx, limit=1)] == ["pond.example"]

    await node.db.read(read)


async def test_an_activity_about_the_account_itself_is_no_report(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> OutgoingActivity | None:
        outbox.record(tx, alice, "Update", alice.uri)
        return outbox.by_id(tx, tx.value("SELECT MAX(id) FROM outbox"))

    activity = await node.db.write(unit)
    assert activity is not None
    await node.db.write(deliveries.queue, activity, INBOXES)

    assert await node.db.read(delivery_reports.latest, alice, 0) is None
    assert await node.db.read(delivery_reports.deletions, alice, Page()) == []
