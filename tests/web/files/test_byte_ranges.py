"""Parsing the `Range` header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.files.byte_ranges import RangeNotSatisfiable, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=95-200", (95, 100)),
        ("Bytes=1-2", (1, 3)),
        ("seconds=1-2", None),
        # Several ranges: the whole file.
        ("bytes=0-1, 5-6 ,-1", None),
        ("bytes=0-1,500-600", None),
        ("bytes=500-600,700-", None),
        ("bytes=" + ",".join(["0-0"] * 9), None),
    ],
)
def test_a_range_is_read_as_the_standard_says(header: str, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, 100) == expected


@pytest.mark.parametrize(
    "header", ["bytes=100-", "bytes=200-300", "bytes=5-4", "bytes=abc", "bytes=-", "bytes=", "bytes=-0"]
)
def test_a_malformed_range_or_one_outside_the_file_is_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, 100)


@given(st.text(alphabet="0123456789-, bytes=", max_size=40), st.integers(0, 1000))
def test_a_range_never_leaves_the_file(header: str, size: int) -> None:
    try:
        found = parse_range(header, size)
    except RangeNotSatisfiable:
        return
    first, past = found or (0, size)
    assert 0 <= first <= past <= size
    assert found is None or first < past
