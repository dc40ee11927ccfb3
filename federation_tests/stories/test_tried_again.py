"""Trying again by hand, and letters that meet odd answers: nothing withdrawn is said again, nothing is lost."""

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


def _heard(server: RemoteServer) -> list[str]:
    return [said["type"] for said in server.received]


async def test_what_was_deleted_is_not_told_again(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status = 400
    post = await alice.posts("A secret I regret")
    await fediverse.settle()
    other.inbox_status = 202
    await alice.deletes(post)
    await fediverse.settle()
    await alice._do(delivery_reports.retry_undelivered, post.id)
    await fediverse.settle()
    assert _heard(other) == ["Create", "Delete"]


async def test_an_older_edit_is_not_told_after_a_newer_one(fediverse: Fediverse, other: RemoteServer) -> None:
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


async def test_a_post_that_is_told_again_is_told_as_it_is_now(
    fediverse: Fediverse, other: RemoteServer
) -> None:
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
    assert "Create" in _heard(other)
    assert "STUDIO" not in json.dumps(other.received)
    assert (await _last(alice)).state == "delivered"


async def test_a_follow_that_was_taken_back_is_not_asked_again(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status = 400
    await alice.follows(HandleOnly(f"rita@{other.domain}"))
    await fediverse.settle()
    other.inbox_status = 202
    await alice.unfollows(HandleOnly(f"rita@{other.domain}"))
    await fediverse.settle()
    await alice.node.db.write(deliveries.retry_host, other.domain)
    await fediverse.settle()
    assert _heard(other) == ["Follow", "Undo"]


@pytest.mark.parametrize("wait", ["²", "soon", "-5", "99999999999999999999", "Wed, 99 Foo 2099"])
async def test_no_retry_after_costs_a_letter(fediverse: Fediverse, other: RemoteServer, wait: str) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status, other.inbox_headers = 503, {"retry-after": wait}
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
    """Time passes for all that waits."""
    await alice.node.db.write(lambda tx: tx.run("UPDATE jobs SET run_at = 0 WHERE kind LIKE '%deliver'"))


async def test_a_fault_of_our_own_after_a_long_silence_costs_no_letter(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status = 503
    await alice.posts("Hello")
    for _ in range(8):
        await fediverse.settle()
        await _now(alice)
    desk = alice.node.component(BatchLookups)
    look, once = desk.look_up, []

    async def hiccup(delivery: QueuedDelivery) -> DeliveryLookup:
        if not once:
            once.append(1)
            raise OSError("the database was away for a moment")
        return await look(delivery)

    desk.look_up = hiccup  # type: ignore[method-assign]
    other.inbox_status = 202
    await fediverse.settle()
    await _now(alice)
    await fediverse.settle()
    assert (await _last(alice)).state == "delivered"


async def test_words_that_left_the_memory_are_read_from_the_table(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    desk = alice.node.component(BatchLookups)
    look = desk.look_up

    async def forgetting(delivery: QueuedDelivery) -> DeliveryLookup:
        facts = await look(delivery)
        desk._cache.rendered_activities.clear()
        return facts

    desk.look_up = forgetting  # type: ignore[method-assign]
    await alice.posts("Hello")
    await fediverse.settle()
    assert (await _last(alice)).state == "delivered"


async def test_order_is_kept_among_what_waits_aside(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.fails_on = "Poison"
    post = await alice.posts("Poison")
    now = now_ms()
    for minutes in (0, 2, 5):
        await fediverse.settle(now=now + minutes * MINUTE)
    await alice.edits(post, "Antidote")
    await fediverse.settle()
    heard: list[str] = []
    arrived, once = asyncio.Event(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        """Takes everything but the antidote, which it thinks about for a while and stumbles over once."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status, words = 202, json.loads(body)["object"]["content"]
        if "Antidote" in words and not once:
            once.append(1)
            arrived.set()
            await asyncio.sleep(1)
            status = 500
        else:
            heard.append(words)
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
    assert heard == ["<p>Poison</p>", "<p>Antidote</p>", "<p>Final</p>"]


async def test_a_server_suspended_just_now_gets_no_letter_that_was_queued_before(
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
    """The letters are written and queued, and not sent yet."""
    for job in await alice.node.db.write(queue.claim, "fan_out", 10, now_ms()):
        await fan_out.fan_out(alice.node, job)


async def test_what_was_deleted_before_its_server_came_back_is_not_told(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    await other.stop()
    post = await alice.posts("A secret I regret")
    await fediverse.settle()
    await alice.deletes(post)
    await fediverse.settle()
    await other.start()
    await alice.node.db.write(server_availability.retry_now, other.domain)
    await fediverse.settle()
    assert [said["type"] for said in other.received] == ["Delete"]


async def test_a_post_is_not_told_again_to_whom_its_author_has_blocked(
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
    assert [said["type"] for said in other.received] == []


async def test_what_a_suspended_person_said_waits_for_nobody(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    await other.stop()
    post = await alice.posts("Buy now")
    await fediverse.settle()
    bob = await fediverse.person("bob@a.test")

    def judge(tx: Writer) -> None:
        moderator = accounts.get(tx, bob.id)
        users.create(tx, moderator, email="bob@a.test", password_hash="x", role="moderator")
        account_actions.suspend(tx, moderator, accounts.get(tx, alice.id))

    await alice.node.db.write(judge)
    await fediverse.settle()
    await other.start()
    await alice.node.db.write(server_availability.retry_now, other.domain)
    await fediverse.settle()
    assert _heard(other) == ["Update"]
    assert other.received[0]["object"]["suspended"] is True
    assert post.uri not in json.dumps(other.received)


async def test_what_is_for_followers_does_not_reach_who_was_blocked_while_it_waited(
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
    # Somebody else there follows still.
    assert sorted(_heard(other)) == ["Create", "Create", "Reject"]
    await other.stop()
    await alice.edits(posts_[0], "Three")
    await fediverse.settle()
    await alice._do(blocks.block, await alice.finds(HandleOnly(f"rob@{other.domain}")))
    await fediverse.settle()
    await other.start()
    await alice.node.db.write(server_availability.retry_now, other.domain)
    other.received.clear()
    await fediverse.settle()
    assert _heard(other) == ["Reject"]
