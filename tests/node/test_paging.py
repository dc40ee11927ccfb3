"""Pages of a list, compared with the same list in plain Python."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.ids import MAX_ID
from node.paging import MAX_LIMIT, Page

IDS = list(range(1, 101))
BOUND = st.none() | st.integers(0, 110)


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE numbers (id INTEGER)")
    connection.executemany("INSERT INTO numbers VALUES (?)", [(id_,) for id_ in IDS])
    yield connection
    connection.close()


def read(table: sqlite3.Connection, page: Page) -> list[int]:
    rows = table.execute(f"SELECT id FROM numbers WHERE TRUE {page.clause('id')}", page.values).fetchall()
    return [row[0] for row in page.newest_first(rows)]


@given(BOUND, BOUND, BOUND, st.integers(-5, 200))
def test_a_page_is_the_part_of_the_list_between_its_bounds(
    table: sqlite3.Connection, max_id: int | None, since_id: int | None, min_id: int | None, limit: int
) -> None:
    within = [
        id_ for id_ in IDS if (not max_id or id_ < max_id) and id_ > (since_id or 0) and id_ > (min_id or 0)
    ]
    count = max(1, min(limit, MAX_LIMIT))
    expected = within[:count] if min_id else within[-count:]

    assert read(table, Page(max_id, since_id, min_id, limit)) == expected[::-1]


def test_walking_down_and_up_meets_every_row_once(table: sqlite3.Connection) -> None:
    down = read(table, Page(limit=7))
    while part := read(table, Page(max_id=down[-1], limit=7)):
        down += part
    up = read(table, Page(min_id=down[-1], limit=7))
    while part := read(table, Page(min_id=up[0], limit=7)):
        up = part + up

    assert down == IDS[::-1]
    assert up == IDS[:0:-1]


def test_without_bounds_it_is_the_newest_page(table: sqlite3.Connection) -> None:
    assert read(table, Page()) == IDS[:-21:-1]


@pytest.mark.parametrize(
    "page", [Page(max_id=2**70), Page(since_id=2**70), Page(min_id=2**70), Page(since_id=-1)]
)
def test_bounds_that_no_database_can_hold_are_cut(page: Page) -> None:
    assert all(0 <= value <= MAX_ID for value in page.values.values())
