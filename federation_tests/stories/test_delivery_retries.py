"""Retries, by hand and after odd responses: nothing withdrawn is sent again, no delivery is lost."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from activitypub.delivery import batch_lookups, fan_out
from activitypub.delivery.batch_lookups import BatchLookups, DeliveryLookup
from federation_tests.fediverse import Fediverse, HandleOnly, Person
from federation_tests.remote_server import RemoteServer
from federation_tests.test_deliveries import MINUTE, _followed, _last
from node.accounts import accounts
from node.admin import account_actions
from node.attachments import photos
from node.attachments.photo_metadata import SharedMetadata
from node.auth import users
from node.database import Writer
from node.federation import deliveries, delivery_reports, server_availability
from node.federation.deliveries import QueuedDelivery
from node.ids import now_ms
from node.interactions import blocks
from node.jobs import queue
from node.moderation import domain_rules
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.media.test_exif import photo


def _received_types(server: RemoteServer) -> list[str]:
    return [activity["type"] for activity in server.received]


async def test_a_deleted_post_is_not_sent_again(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status = 400
    post = await alice.posts("A secret I regret")
    await fediverse.settle()
    other.inbox_status = 202
    await alice.deletes(post)
    await fediverse.settle()
    await alice._do(delivery_reports.retry_undelivered, post.id)
    await fediverse.settle()
    assert _received_types(other) == ["Create", "Delete"]


async def test_an_older_edit_is_not_sent_after_a_newer_one(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    post = await alice.posts("One")
    await fediverse.settle()
    other.inbox_status = 400
    await alice.edits(post, "Two")
    await fediverse.settle()
    other.inbox_status = 202
    await alice.edits(post, "Three")
    await fediverse.settle()
    await alice._do(delivery_reports.retry_undelivered, post.id)
    await fediverse.settle()
    assert other.received[-1]["object"]["content"] == "<p>Three</p>"


async def test_a_retried_post_is_sent_as_it_is_now(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    made = await photos.upload(alice.node, await alice.account(), photo(model="STUDIO"))
    other.inbox_status = 400
    post = await alice._do(
        publishing.publish,
        Draft(photo_ids=[made.id], shared_metadata=SharedMetadata(frozenset({"camera"}), "", "Home")),
    )
    await fediverse.settle()
    other.received.clear()
    await alice._do(publishing.edit, post, Draft(photo_ids=[made.id], shared_metadata=SharedMetadata()))
    await fediverse.settle()
    other.inbox_status = 202
    await alice._do(delivery_reports.retry_undelivered, post.id)
    await fediverse.settle()
    assert "Create" in _received_types(other)
    assert "STUDIO" not in json.dumps(other.received)
    assert (await _last(alice)).state == "delivered"


async def test_an_undone_follow_is_not_sent_again(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status = 400
    await alice.follows(HandleOnly(f"rita@{other.domain}"))
    await fediverse.settle()
    other.inbox_status = 202
    await alice.unfollows(HandleOnly(f"rita@{other.domain}"))
    await fediverse.settle()
    await alice.node.db.write(deliveries.retry_host, other.domain)
    await fediverse.settle()
    assert _received_types(other) == ["Follow", "Undo"]


@pytest.mark.parametrize("value", ["²", "soon", "-5", "99999999999999999999", "Wed, 99 Foo 2099"])
async def test_no_retry_after_header_loses_a_delivery(
    fediverse: Fediverse, other: RemoteServer, value: str
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status, other.inbox_headers = 503, {"retry-after": value}
    await alice.posts("Hello")
    for _ in range(10):
        await fediverse.settle()
        await _now(alice)
    assert (await _last(alice)).state == "waiting"
    other.inbox_status, other.inbox_headers = 202, {}
    await _now(alice)
    await fediverse.settle()
    assert (await _last(alice)).state == "delivered"


async def _now(alice: Person) -> None:
    """Time passes for all deliveries that wait."""
    await alice.node.db.write(lambda tx: tx.run("UPDATE jobs SET run_at = 0 WHERE kind LIKE '%deliver'"))


async def test_an_error_in_this_program_after_many_retries_loses_no_delivery(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status = 503
    await alice.posts("Hello")
    for _ in range(8):
        await fediverse.settle()
        await _now(alice)
    lookups = alice.node.component(BatchLookups)
    look_up, failed = lookups.look_up, []

    async def fail_once(delivery: QueuedDelivery) -> DeliveryLookup:
        if not failed:
            failed.append(1)
            raise OSError("the database was away for a moment")
        return await look_up(delivery)

    lookups.look_up = fail_once  # type: ignore[method-assign]
    other.inbox_status = 202
    await fediverse.settle()
    await _now(alice)
    await fediverse.settle()
    assert (await _last(alice)).state == "delivered"


async def test_a_document_that_left_the_cache_is_read_from_the_table(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    lookups = alice.node.component(BatchLookups)
    look_up = lookups.look_up

    async def look_up_and_clear_cache(delivery: QueuedDelivery) -> DeliveryLookup:
        lookup = await look_up(delivery)
        lookups._cache.rendered_activities.clear()
        return lookup

    lookups.look_up = look_up_and_clear_cache  # type: ignore[method-assign]
    await alice.posts("Hello")
    await fediverse.settle()
    assert (await _last(alice)).state == "delivered"


async def test_order_is_kept_within_a_retry_lane(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.fails_on = "Poison"
    post = await alice.posts("Poison")
    now = now_ms()
    for minutes in (0, 2, 5):
        await fediverse.settle(now=now + minutes * MINUTE)
    await alice.edits(post, "Antidote")
    await fediverse.settle()
    accepted: list[str] = []
    arrived, once = asyncio.Event(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        """Accepts everything but the antidote, which it holds for a second and fails on once."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status, content = 202, json.loads(body)["object"]["content"]
        if "Antidote" in content and not once:
            once.append(1)
            arrived.set()
            await asyncio.sleep(1)
            status = 500
        else:
            accepted.append(content)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    await other.stop()
    other._server._app = app
    await other.start()
    running = asyncio.create_task(fediverse.settle(now=now + 90 * MINUTE))
    await asyncio.wait_for(arrived.wait(), 10)
    await alice.edits(post, "Final")
    await fediverse.settle()
    await running
    await fediverse.settle(now=now + 600 * MINUTE)
    assert accepted == ["<p>Poison</p>", "<p>Antidote</p>", "<p>Final</p>"]


async def test_a_server_blocked_just_now_gets_nothing_that_was_queued_before(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    await alice.posts("Hello")
    while await alice.node.db.read(_to_fan_out):
        await _fan_out(alice)
    await alice.node.db.write(domain_rules.block, other.domain.partition(":")[0])
    await fediverse.settle()
    assert other.received == []


def _to_fan_out(tx: Any) -> int:
    return int(tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'fan_out'"))


async def _fan_out(alice: Person) -> None:
    """The deliveries are queued, and not sent yet."""
    for job in await alice.node.db.write(queue.claim, "fan_out", 10, now_ms()):
        await fan_out.fan_out(alice.node, job)


async def test_a_post_deleted_during_an_outage_is_not_sent(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    await other.stop()
    post = await alice.posts("A secret I regret")
    await fediverse.settle()
    await alice.deletes(post)
    await fediverse.settle()
    await other.start()
    await alice.node.db.write(server_availability.retry_now, other.domain)
    await fediverse.settle()
    assert _received_types(other) == ["Delete"]


async def test_a_post_is_not_retried_to_a_server_of_blocked_followers_only(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status = 400
    post = await alice.posts("One", visibility="followers")
    await fediverse.settle()
    other.inbox_status = 202
    await alice._do(blocks.block, await alice.finds(HandleOnly(f"rita@{other.domain}")))
    await fediverse.settle()
    await alice.edits(post, "Two, not for rita")
    await fediverse.settle()
    other.received.clear()
    await alice._do(delivery_reports.retry_undelivered, post.id)
    await fediverse.settle()
    assert _received_types(other) == []


async def test_queued_posts_of_a_suspended_account_are_not_sent(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    await other.stop()
    post = await alice.posts("Buy now")
    await fediverse.settle()
    bob = await fediverse.person("bob@a.test")

    def suspend(tx: Writer) -> None:
        moderator = accounts.get(tx, bob.id)
        users.create(tx, moderator, email="bob@a.test", password_hash="x", role="moderator")
        account_actions.suspend(tx, moderator, accounts.get(tx, alice.id))

    await alice.node.db.write(suspend)
    await fediverse.settle()
    await other.start()
    await alice.node.db.write(server_availability.retry_now, other.domain)
    await fediverse.settle()
    assert _received_types(other) == ["Update"]
    assert other.received[0]["object"]["suspended"] is True
    assert post.uri not in json.dumps(other.received)


async def test_a_queued_post_for_followers_misses_those_blocked_meanwhile(
    fediverse: Fediverse, other: RemoteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_lookups, "RECHECK_AFTER_MS", -1)
    alice = await _followed(fediverse, other, "rita", "rob")
    await other.stop()
    posts_ = [await alice.posts(text, visibility="followers") for text in ("One", "Two")]
    await fediverse.settle()
    await alice._do(blocks.block, await alice.finds(HandleOnly(f"rita@{other.domain}")))
    await fediverse.settle()
    await other.start()
    await alice.node.db.write(server_availability.retry_now, other.domain)
    await fediverse.settle()
    # Another account of that server still follows.
    assert sorted(_received_types(other)) == ["Block", "Create", "Create", "Reject"]
    await other.stop()
    await alice.edits(posts_[0], "Three")
    await fediverse.settle()
    await alice._do(blocks.block, await alice.finds(HandleOnly(f"rob@{other.domain}")))
    await fediverse.settle()
    await other.start()
    await alice.node.db.write(server_availability.retry_now, other.domain)
    other.received.clear()
    await fediverse.settle()
    assert _received_types(other) == ["Reject", "Block"]
