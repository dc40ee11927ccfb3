"""Pauses of unavailable servers grow and end, and what is known of servers stays bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.database import Reader, Writer
from node.federation import server_availability
from node.federation.server_availability import (
    DAY_MS,
    FIRST_BACKOFF_MS,
    GIVE_UP_AFTER_MS,
    HOUR_MS,
    MAX_BACKOFF_MS,
    ServerAvailability,
)
from node.ids import now_ms
from node.jobs import queue
from node.node import Node

LAKE = "lake.example"


async def known(node: Node, host: str = LAKE) -> ServerAvailability:
    found = await node.db.read(server_availability.by_host, host)
    assert found is not None
    return found


@given(failures=st.integers(1, 10_000), asked=st.none() | st.integers(0, 10 * DAY_MS))
def test_a_pause_doubles_up_to_half_a_day_and_heeds_retry_after(failures: int, asked: int | None) -> None:
    expected = min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** min(failures - 1, 30))

    pause = server_availability.backoff_ms(failures, asked)

    least = max(int(expected * 0.8), min(asked or 0, DAY_MS))
    assert least <= pause <= max(int(expected * 1.2), min(asked or 0, DAY_MS))


async def test_failures_in_a_row_are_counted_from_the_first(node: Node) -> None:
    first = await node.db.write(server_availability.record_failure, LAKE, "timed out")
    since = (await known(node)).failing_since

    second = await node.db.write(server_availability.record_failure, LAKE, "x" * 900)

    found = await known(node)
    assert (found.failures, found.failing_since, found.sleeps_until) == (2, since, second)
    assert second > first
    assert len(found.reason) == 500
    assert await node.db.read(server_availability.unavailable_until, [LAKE, "b.example"], now_ms()) == {
        LAKE: second
    }
    assert [one.host for one in await node.db.read(server_availability.failing)] == [LAKE]


async def test_a_response_forgets_all_failures(node: Node) -> None:
    for _ in range(3):
        await node.db.write(server_availability.record_failure, LAKE, "answered 429", is_rate_limited=True)

    await node.db.write(server_availability.record_success, [LAKE])

    found = await known(node)
    assert (found.failures, found.failing_since, found.reason) == (0, None, "")
    assert (found.sleeps_until, found.busy_until) == (0, 0)
    assert await node.db.read(server_availability.failing) == []


async def _pause_lane(node: Node, *, is_rate_limited: bool) -> None:
    """A job of the lake's server fails, and its lane pauses."""

    def unit(tx: Writer) -> None:
        queue.add(tx, "deliver", {}, lane=LAKE)
        (job,) = queue.claim(tx, "deliver", 10, now_ms())
        at = server_availability.record_failure(tx, LAKE, "answered", is_rate_limited=is_rate_limited)
        queue.reschedule(tx, job, at, "answered")

    await node.db.write(unit)


def _due(tx: Reader) -> int:
    count: int = tx.value(
        "SELECT COUNT(*) FROM jobs WHERE lane = :lane AND run_at <= :now", lane=LAKE, now=now_ms()
    )
    return count


@pytest.mark.parametrize("is_rate_limited", [False, True])
async def test_contact_ends_a_pause_unless_the_server_limits_our_requests(
    node: Node, is_rate_limited: bool
) -> None:
    await _pause_lane(node, is_rate_limited=is_rate_limited)
    assert await node.db.read(_due) == 0

    await node.db.write(server_availability.record_contact, [LAKE, "b.example"])

    assert await node.db.read(_due) == (0 if is_rate_limited else 1)
    assert bool((await known(node)).sleeps_until) is is_rate_limited


async def test_staff_end_a_pause_even_of_a_server_that_limits_our_requests(node: Node) -> None:
    await _pause_lane(node, is_rate_limited=True)

    await node.db.write(server_availability.retry_now, LAKE)

    assert await node.db.read(_due) == 1
    found = await known(node)
    assert (found.sleeps_until, found.busy_until, found.failures) == (0, 0, 1)


@pytest.mark.parametrize(
    ("failing_for", "paused_for", "is_given_up"),
    [
        (GIVE_UP_AFTER_MS + HOUR_MS, HOUR_MS, True),
        (GIVE_UP_AFTER_MS - HOUR_MS, HOUR_MS, False),
        (GIVE_UP_AFTER_MS + HOUR_MS, -HOUR_MS, False),
    ],
)
async def test_a_server_is_given_up_after_a_week_until_its_pause_ends(
    node: Node, failing_for: int, paused_for: int, is_given_up: bool
) -> None:
    await node.db.write(server_availability.record_failure, LAKE, "timed out")
    now = now_ms()

    def age(tx: Writer) -> None:
        tx.run(
            "UPDATE hosts SET failing_since = :at, sleeps_until = :to",
            at=now - failing_for,
            to=now + paused_for,
        )

    await node.db.write(age)

    assert await node.db.read(server_availability.given_up, [LAKE, "b.example"], now) == (
        {LAKE} if is_given_up else set()
    )


async def test_an_advertised_signature_style_never_replaces_a_proven_one(node: Node) -> None:
    assert await node.db.read(server_availability.signature_style, LAKE) == "cavage"
    await node.db.write(server_availability.set_advertised_signature_style, LAKE, "rfc9421")
    assert await node.db.read(server_availability.signature_style, LAKE) == "rfc9421"

    await node.db.write(server_availability.set_signature_style, LAKE, "cavage")
    await node.db.write(server_availability.set_advertised_signature_style, LAKE, "rfc9421")

    assert await node.db.read(server_availability.signature_style, LAKE) == "cavage"
    assert await node.db.read(server_availability.signature_styles, [LAKE]) == {}


async def test_a_reset_forgets_failures_and_signature_style(node: Node) -> None:
    await node.db.write(server_availability.set_signature_style, LAKE, "rfc9421")
    await node.db.write(server_availability.record_failure, LAKE, "timed out")

    await node.db.write(server_availability.reset, LAKE)

    assert await node.db.read(server_availability.by_hosts, [LAKE]) == {}


async def test_rows_that_say_nothing_are_deleted_and_the_oldest_beyond_the_bound(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_availability, "MAX_ROWS", 3)

    def fill(tx: Writer) -> None:
        for n in range(5):
            server_availability.set_signature_style(tx, f"s{n}.example", "rfc9421")
            tx.run("UPDATE hosts SET seen_at = :at WHERE host = :host", at=now_ms() + n, host=f"s{n}.example")
        server_availability.record_failure(tx, LAKE, "timed out")
        server_availability.record_success(tx, [LAKE])

    await node.db.write(fill)

    assert await node.db.write(server_availability.clean_up, now_ms()) == 3
    names = [LAKE, *(f"s{n}.example" for n in range(5))]
    assert sorted(await node.db.read(server_availability.by_hosts, names)) == [
        "s2.example",
        "s3.example",
        "s4.example",
    ]
