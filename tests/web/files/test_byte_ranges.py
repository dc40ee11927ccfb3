"""Asking for parts of a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.files.byte_ranges import Unsatisfiable, parse


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=95-200", (95, 100)),
        ("Bytes=1-2", (1, 3)),
        ("seconds=1-2", None),
        # Several at once: the whole file.
        ("bytes=0-1, 5-6 ,-1", None),
        ("bytes=0-1,500-600", None),
        ("bytes=500-600,700-", None),
        ("bytes=" + ",".join(["0-0"] * 9), None),
    ],
)
def test_a_span_is_read_as_the_standard_says(asked: str, span: tuple[int, int] | None) -> None:
    assert parse(asked, 100) == span


@pytest.mark.parametrize(
    "asked", ["bytes=100-", "bytes=200-300", "bytes=5-4", "bytes=abc", "bytes=-", "bytes=", "bytes=-0"]
)
def test_what_is_not_in_the_file_cannot_be_had(asked: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse(asked, 100)


@given(st.text(alphabet="0123456789-, bytes=", max_size=40), st.integers(0, 1000))
def test_a_span_never_leaves_the_file(asked: str, size: int) -> None:
    try:
        span = parse(asked, size)
    except Unsatisfiable:
        return
    first, past = span or (0, size)
    assert 0 <= first <= past <= size
    assert span is None or first < past
