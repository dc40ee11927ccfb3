"""Text that a database cannot store is found wherever it is, and nothing else is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import Invalid
from node.text import storable


@given(st.text())
def test_exactly_what_utf_8_and_postgresql_refuse_is_unstorable(text: str) -> None:
    try:
        fits = b"\0" not in text.encode()
    except UnicodeEncodeError:
        fits = False

    assert storable.is_storable(text) == fits


@pytest.mark.parametrize(
    "value",
    ["a\0", "\ud800", ["a", "\0"], {"a": "\0"}, {"\0": "a"}, {"a": [{"b": ("c", "\udfff")}]}, [[[["\0"]]]]],
)
def test_what_cannot_be_stored_is_refused_at_any_depth(value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        storable.check(value, "caption")

    assert (refused.value.status, refused.value.field) == (422, "caption")


@pytest.mark.parametrize("value", ["", "a", "\U0001f600", 1, None, b"\0", {"a": [1, 2.5, True, {"b": "ü"}]}])
def test_anything_else_is_accepted(value: Any) -> None:
    storable.check(value)


def test_a_value_nested_without_end_is_refused() -> None:
    value: Any = "a"
    for _ in range(storable.MAX_DEPTH + 1):
        value = [value]

    with pytest.raises(Invalid):
        storable.check(value)
