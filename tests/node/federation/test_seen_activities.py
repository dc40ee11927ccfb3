"""Duplicates of received activities are dropped, whatever batch they come in."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.database import Database, Writer
from node.federation import seen_activities
from node.federation.seen_activities import SeenRequest
from node.ids import now_ms
from node.node import Node

URI = "https://far.example/activities/"


def mark(tx: Writer, prepared: list[str], marked: list[str]) -> list[bool]:
    """Returns for each of `marked` whether it was new."""
    found = []
    with seen_activities.unseen_activities(tx, dict.fromkeys(prepared, SeenRequest())) as unseen:
        for uri in marked:
            found.append(not unseen.is_duplicate(uri))
            unseen.mark_seen(uri)
    return found


def _is_new_again(tx: Writer, signed_at: int, content: int = 1) -> bool:
    request = SeenRequest(signed_at, content)
    with seen_activities.unseen_activities(tx, {URI: request}) as unseen:
        if unseen.is_duplicate(URI, request, is_repeatable=True):
            return False
        unseen.mark_seen(URI, request)
        return True


async def test_an_activity_is_new_once(node: Node) -> None:
    assert await node.db.write(mark, [URI], [URI, URI]) == [True, False]
    assert await node.db.write(mark, [URI], [URI]) == [False]


async def test_an_activity_that_was_prepared_but_not_marked_stays_new(node: Node) -> None:
    assert await node.db.write(mark, [URI + "1", URI + "2"], [URI + "1"]) == [True]

    assert await node.db.write(mark, [], [URI + "1", URI + "2"]) == [False, True]


async def test_a_repeatable_id_counts_again_if_it_was_signed_later(node: Node) -> None:
    assert await node.db.write(_is_new_again, 1000)
    assert await node.db.write(_is_new_again, 1001)
    assert not await node.db.write(_is_new_again, 1000)
    assert await node.db.write(_is_new_again, 1002)


async def test_what_was_signed_in_the_same_second_counts_once_for_each_content(node: Node) -> None:
    for content in (1, 2, 3):
        assert await node.db.write(_is_new_again, 1000, content)
        for replayed in range(1, content + 1):
            assert not await node.db.write(_is_new_again, 1000, replayed)
    assert await node.db.write(_is_new_again, 1001, 1)
    assert not await node.db.write(_is_new_again, 1000, 4)


@pytest.mark.parametrize("is_prepared", [True, False])
@pytest.mark.parametrize(("signed_at", "counts"), [(999, False), (1000, True), (1001, True)])
async def test_what_was_signed_before_what_superseded_it_is_a_duplicate_and_outdated(
    node: Node, is_prepared: bool, signed_at: int, counts: bool
) -> None:
    def unit(tx: Writer) -> None:
        request = SeenRequest(signed_at, 1)
        with seen_activities.unseen_activities(tx, {URI: request} if is_prepared else {}) as unseen:
            assert not unseen.is_outdated(URI, 0)
            unseen.supersede(URI, 1000)
            assert unseen.is_outdated(URI, signed_at) is not counts
            assert unseen.is_duplicate(URI, request, is_repeatable=True) is not counts

    await node.db.write(unit)
    assert await node.db.write(_is_new_again, signed_at) is counts


async def test_nothing_is_superseded_by_what_was_signed_before(node: Node) -> None:
    assert await node.db.write(_is_new_again, 1000)

    def unit(tx: Writer) -> None:
        with seen_activities.unseen_activities(tx, {}) as unseen:
            for signed_at in (999, 1000):
                unseen.supersede(URI, signed_at)
            assert unseen.is_outdated(URI, 999)
            assert unseen.is_duplicate(URI, SeenRequest(1000, 1), is_repeatable=True)

    await node.db.write(unit)
    assert await node.db.write(_is_new_again, 1001)


async def test_a_unit_of_work_that_fails_marks_nothing(node: Node) -> None:
    def unit(tx: Writer) -> None:
        mark(tx, [URI], [URI])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await node.db.write(unit)

    assert await node.db.write(mark, [URI], [URI]) == [True]


async def test_seen_activities_are_forgotten_after_120_days(node: Node) -> None:
    await node.db.write(mark, [URI], [URI])

    assert await node.db.write(seen_activities.clean_up, now_ms() + seen_activities.RETENTION_MS - 1000) == 0
    assert await node.db.write(seen_activities.clean_up, now_ms() + seen_activities.RETENTION_MS + 1000) == 1


class RollBack(Exception):
    """Undoes a sequence, so that each begins on an empty table."""


numbers = st.integers(0, 150)


@given(
    batches=st.lists(
        st.tuples(st.dictionaries(numbers, st.integers(0, 3), max_size=200), st.lists(numbers, max_size=20)),
        max_size=5,
    )
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_sequence_of_batches_sees_each_activity_once(db: Database, batches: list[Any]) -> None:
    def play(tx: Writer) -> None:
        seen: set[int] = set()
        for prepared, steps in batches:
            requests = {f"{URI}{n}": SeenRequest(seconds) for n, seconds in prepared.items()}
            with seen_activities.unseen_activities(tx, requests) as unseen:
                for n in steps:
                    assert unseen.is_duplicate(f"{URI}{n}") == (n in seen)
                    unseen.mark_seen(f"{URI}{n}", SeenRequest(1))
                    seen.add(n)
            assert tx.value("SELECT COUNT(*) FROM seen_activities") == len(seen)
        raise RollBack

    with contextlib.suppress(RollBack):
        await db.write(play)
