"""Duplicates of received activities are dropped, whatever batch they come in."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.database import Database, Writer
from node.federation import seen_activities
from node.ids import now_ms
from node.node import Node

URI = "https://far.example/activities/"


def mark(tx: Writer, prepared: list[str], marked: list[str]) -> list[bool]:
    with seen_activities.unseen_activities(tx, prepared) as unseen:
        return [unseen.mark_seen(uri) for uri in marked]


async def test_an_activity_is_new_once(node: Node) -> None:
    assert await node.db.write(mark, [URI], [URI, URI]) == [True, False]
    assert await node.db.write(mark, [URI], [URI]) == [False]


async def test_an_activity_that_was_prepared_but_not_marked_stays_new(node: Node) -> None:
    assert await node.db.write(mark, [URI + "1", URI + "2"], [URI + "1"]) == [True]

    assert await node.db.write(mark, [], [URI + "1", URI + "2"]) == [False, True]


async def test_an_activity_that_was_unmarked_is_new_again(node: Node) -> None:
    def unit(tx: Writer) -> None:
        with seen_activities.unseen_activities(tx, [URI]) as unseen:
            assert unseen.mark_seen(URI)
            unseen.unmark_seen(URI)

    await node.db.write(unit)

    assert await node.db.write(mark, [URI], [URI]) == [True]


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
        st.tuples(
            st.lists(numbers, max_size=200),
            st.lists(st.tuples(st.sampled_from(["mark", "mark", "unmark"]), numbers), max_size=20),
        ),
        max_size=5,
    )
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_sequence_of_batches_sees_each_activity_once(db: Database, batches: list[Any]) -> None:
    def play(tx: Writer) -> None:
        seen: set[int] = set()
        for prepared, steps in batches:
            with seen_activities.unseen_activities(tx, [f"{URI}{n}" for n in prepared]) as unseen:
                for step, n in steps:
                    if step == "mark":
                        assert unseen.mark_seen(f"{URI}{n}") == (n not in seen)
                        seen.add(n)
                    elif n in seen:
                        unseen.unmark_seen(f"{URI}{n}")
                        seen.discard(n)
            assert tx.value("SELECT COUNT(*) FROM seen_activities") == len(seen)
        raise RollBack

    with contextlib.suppress(RollBack):
        await db.write(play)
