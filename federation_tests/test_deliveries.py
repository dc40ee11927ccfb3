"""What the response to a delivery means: delivered, gone, failed, retry later, or retry with the other signature."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from federation_tests.fediverse import Fediverse, HandleOnly, Person
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita
from node.accounts import accounts
from node.database import Writer
from node.federation import delivery_reports, server_availability
from node.federation.delivery_reports import Delivery
from node.ids import now_ms
from node.interactions import blocks, follows
from node.lifecycle import remote_accounts
from node.models.remote_actor import RemoteActor
from node.moderation import domain_rules

MINUTE = 60_000
WEEK = 7 * 24 * 60 * MINUTE


async def _followed(fediverse: Fediverse, server: RemoteServer, *names: str) -> Person:
    """Alice, followed by these accounts of a remote server."""
    (alice,) = await fediverse.people("alice@a.test")

    def unit(tx: Writer) -> None:
        for name in names:
            uri = server.person(name)
            fan = remote_accounts.upsert(
                tx,
                RemoteActor(
                    uri=uri,
                    name=name,
                    domain=server.domain,
                    inbox=f"{uri}/inbox",
                    shared_inbox=f"{server.base}/inbox",
                ),
            )
            follows.follow(tx, fan, accounts.get(tx, alice.id), uri=f"{uri}#follow")

    await alice.node.db.write(unit)
    await fediverse.settle()
    server.received.clear()
    server.requests.clear()
    return alice


async def _last(alice: Person) -> Delivery:
    def unit(tx: Any) -> int:
        return int(tx.value("SELECT MAX(id) FROM deliveries"))

    found = await alice.node.db.read(delivery_reports.by_id, await alice.node.db.read(unit))
    assert found is not None
    return found


async def test_one_request_serves_all_followers_of_a_server(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita", "rob", "ruth")
    await alice.posts("Hello all")
    await fediverse.settle()
    assert dict(other.requests) == {"/inbox": 1}
    assert other.received[0]["type"] == "Create"


async def test_a_direct_post_goes_to_the_personal_inbox(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita", "rob")
    await alice.posts(f"Only you, @rita@{other.domain}", visibility="direct")
    await fediverse.settle()
    assert {path for path in other.requests if path.endswith("inbox")} == {"/users/rita/inbox"}


async def test_nothing_is_delivered_to_a_blocked_server(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    await alice.node.db.write(domain_rules.block, other.domain)
    await alice.posts("Not for them")
    await fediverse.settle()
    assert other.received == []


@pytest.mark.parametrize(
    ("status", "state"),
    [(200, "delivered"), (202, "delivered"), (410, "gone"), (404, "gone"), (400, "failed"), (401, "failed")],
)
async def test_a_response_that_is_final(
    fediverse: Fediverse, other: RemoteServer, status: int, state: str
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status = status
    await alice.posts("Hello")
    await fediverse.settle()
    delivery = await _last(alice)
    assert (delivery.state, delivery.status) == (state, status)
    tries = len(other.received)
    await fediverse.settle(now=now_ms() + 10 * MINUTE)
    assert len(other.received) == tries
    # A 401 may be about the kind of signature, so both are tried.
    assert tries == (2 if status == 401 else 1)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_response_that_means_retry_later(
    fediverse: Fediverse, other: RemoteServer, status: int
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status = status
    await alice.posts("Hello")
    await fediverse.settle()
    delivery = await _last(alice)
    assert (delivery.state, delivery.status, delivery.attempts) == ("waiting", status, 1)
    other.inbox_status = 202
    await fediverse.settle(now=now_ms() + 2 * MINUTE)
    delivery = await _last(alice)
    assert (delivery.state, delivery.attempts) == ("delivered", 2)
    assert await alice.node.db.read(server_availability.failing) == []


async def test_retry_after_is_respected(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status = 429
    other.inbox_headers = {"retry-after": "7200"}
    await alice.posts("Hello")
    await fediverse.settle()
    availability = await alice.node.db.read(server_availability.by_host, other.domain)
    assert availability is not None
    assert availability.sleeps_until - now_ms() > 115 * MINUTE


async def test_an_activity_that_a_server_fails_on_does_not_hold_up_the_others(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.fails_on = "Poison"
    await alice.posts("Poison")
    await alice.posts("Harmless")
    now = now_ms()
    for minutes in (0, 2, 5, 12, 30):
        await fediverse.settle(now=now + minutes * MINUTE)
    contents = [one["object"]["content"] for one in other.received]
    assert contents.count("<p>Poison</p>") >= 4
    assert contents.count("<p>Harmless</p>") == 1


async def test_a_set_aside_activity_is_not_retried_before_retry_after(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.fails_on = "Poison"
    await alice.posts("Poison")
    now = now_ms()
    for minutes in (0, 2, 5):
        await fediverse.settle(now=now + minutes * MINUTE)
    other.fails_on, other.inbox_status, other.inbox_headers = None, 503, {"retry-after": "7200"}
    other.received.clear()
    await fediverse.settle(now=now + 30 * MINUTE)
    assert len(other.received) == 1
    other.inbox_status, other.inbox_headers = 202, {}
    await fediverse.settle(now=now + 110 * MINUTE)
    assert len(other.received) == 1
    await fediverse.settle(now=now + 180 * MINUTE)
    assert len(other.received) == 2
    assert (await _last(alice)).state == "delivered"


async def test_a_delivery_is_given_up_after_a_week(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    await other.stop()
    await alice.posts("Hello")
    await fediverse.settle()

    def a_week_ago(tx: Writer) -> None:
        for row in tx.all("SELECT id, payload FROM jobs WHERE kind IN ('deliver', 'redeliver')"):
            payload = json.loads(row["payload"]) | {"since": now_ms() - WEEK - MINUTE}
            tx.run(
                "UPDATE jobs SET payload = :p, run_at = 0 WHERE id = :id", p=json.dumps(payload), id=row["id"]
            )
        tx.run("UPDATE hosts SET failing_since = :then", then=now_ms() - WEEK - MINUTE)

    await alice.node.db.write(a_week_ago)
    await fediverse.settle()
    assert (await _last(alice)).state == "failed"

    # While the server is unavailable, new activities are not queued, but they are in the delivery report.
    await alice.posts("Anybody there?")
    await fediverse.settle()
    delivery = await _last(alice)
    assert (delivery.state, delivery.attempts) == ("failed", 0)
    assert "week" in delivery.reason


async def test_the_kind_of_signature_that_worked_is_remembered(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.required_header = "signature-input"
    await alice.posts("One")
    await fediverse.settle()
    assert (await _last(alice)).state == "delivered"
    assert len(other.received) == 2
    await alice.posts("Two")
    await fediverse.settle()
    assert (await _last(alice)).state == "delivered"
    assert len(other.received) == 3


async def test_an_advertised_signature_is_used_first(fediverse: Fediverse, other: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    rfc9421 = {"href": "https://datatracker.ietf.org/doc/html/rfc9421", "name": "RFC-9421"}
    other.person("rita", generator={"type": "Application", "implements": [rfc9421]})
    other.required_header = "signature-input"
    rita = await alice.finds(HandleOnly(f"rita@{other.domain}"))
    await alice._do(follows.follow, rita)
    await fediverse.settle()
    assert [one["type"] for one in other.received] == ["Follow"]

    # An advertisement is no proof: where it turns out wrong, the older signature is tried, and stays.
    other.required_header, other.received = "digest", []
    await alice._do(follows.unfollow, rita)
    await fediverse.settle()
    assert len(other.received) == 2
    await alice.node.db.write(server_availability.set_advertised_signature_style, other.domain, "rfc9421")
    assert await alice.node.db.read(server_availability.signature_style, other.domain) == "cavage"


async def test_a_follow_by_a_remote_account_is_answered_every_time(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    other.person("rita")
    follow = other.activity("rita", "Follow", alice.node.site.uri("/users/alice"))
    # A duplicate is answered again, because the first Accept may have been lost. So is one with another id.
    now = time.time()
    for times in (1, 2):
        sent = await other.send(alice.node, "rita", follow, inbox="/users/alice/inbox", now=now + times)
        assert sent == 202
        await fediverse.settle()
        assert [one["type"] for one in other.received] == ["Accept"] * times
    again = other.activity("rita", "Follow", alice.node.site.uri("/users/alice"))
    await other.send(alice.node, "rita", again, now=now + 3)
    await fediverse.settle()
    assert [one["object"]["id"] for one in other.received[1:]] == [follow["id"], again["id"]]
    assert (await alice.account()).followers_count == 1

    undo = other.activity("rita", "Undo", again)
    await other.send(alice.node, "rita", undo, now=now + 4)
    await fediverse.settle()
    assert (await alice.account()).followers_count == 0


async def test_a_follow_by_a_blocked_account_is_rejected(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, other)

    def unit(tx: Writer) -> None:
        rita = accounts.by_uri(tx, f"{other.base}/users/rita")
        assert rita is not None
        blocks.block(tx, accounts.get(tx, alice.id), rita)

    await alice.node.db.write(unit)
    await fediverse.settle()
    other.received.clear()
    follow = other.activity("rita", "Follow", alice.node.site.uri("/users/alice"))
    await other.send(alice.node, "rita", follow)
    await fediverse.settle()
    assert [one["type"] for one in other.received] == ["Reject"]
    assert other.received[0]["object"]["id"] == follow["id"]


async def test_a_boost_that_arrives_after_its_undo_is_ignored(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    other.note("rita", 1)
    boost = other.activity("rita", "Announce", f"{other.base}/users/rita/statuses/1", to=["Public"])
    signed_at = time.time()
    await other.send(alice.node, "rita", other.activity("rita", "Undo", boost), now=signed_at)
    await fediverse.settle()
    await other.send(alice.node, "rita", boost, now=signed_at)
    await fediverse.settle()
    assert await alice.home() == []


async def test_activities_about_one_post_stay_in_order(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.fails_on = "Poison"
    post = await alice.posts("Poison")
    now = now_ms()
    for minutes in (0, 2, 5):
        await fediverse.settle(now=now + minutes * MINUTE)
    await alice.edits(post, "Antidote")
    await alice.posts("Harmless")
    await fediverse.settle()
    assert [one["object"]["content"] for one in other.received][-1] == "<p>Harmless</p>"
    other.fails_on = None
    other.received.clear()
    await fediverse.settle(now=now_ms() + 60 * MINUTE)
    assert [(one["type"], one["object"]["content"]) for one in other.received] == [
        ("Create", "<p>Poison</p>"),
        ("Update", "<p>Antidote</p>"),
    ]


async def test_a_gone_inbox_whose_server_sends_is_available_again(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status = 404
    post = await alice.posts("One")
    await fediverse.settle()
    other.inbox_status = 202
    await other.send(alice.node, "rita", other.activity("rita", "Like", post.uri))
    await fediverse.settle()
    other.received.clear()
    await alice.posts("Two")
    await fediverse.settle()
    assert [one["type"] for one in other.received] == ["Create"]


async def test_a_received_activity_does_not_shorten_retry_after(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    other.inbox_status, other.inbox_headers = 429, {"retry-after": "3600"}
    post = await alice.posts("One")
    await fediverse.settle()
    for _ in range(3):
        await other.send(alice.node, "rita", other.activity("rita", "Like", post.uri))
        await fediverse.settle()
    assert other.requests["/inbox"] == 1
    other.inbox_status = 202
    await fediverse.settle(now=now_ms() + 61 * MINUTE)
    assert (await _last(alice)).state == "delivered"
