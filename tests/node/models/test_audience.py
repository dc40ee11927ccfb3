"""Visibility levels have an order, and a text that is none of them is the narrowest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.models.audience import OPEN_VISIBILITIES, VISIBILITIES, narrower, rank

LEVELS = st.sampled_from(VISIBILITIES) | st.text(max_size=9)


def test_levels_are_ordered_from_the_widest_to_the_narrowest() -> None:
    assert [rank(level) for level in ("public", "unlisted", "followers", "direct")] == [0, 1, 2, 3]


def test_only_public_and_unlisted_are_open() -> None:
    assert {level for level in VISIBILITIES if level in OPEN_VISIBILITIES} == {"public", "unlisted"}


@pytest.mark.parametrize("text", ["", "Public", "private", "everyone"])
def test_an_unknown_visibility_is_narrower_than_all(text: str) -> None:
    assert rank(text) > max(map(rank, VISIBILITIES))
    assert narrower("direct", text) == text


@given(LEVELS, LEVELS)
def test_the_narrower_of_two_never_widens_either(one: str, other: str) -> None:
    result = narrower(one, other)

    assert result in (one, other)
    assert rank(result) == max(rank(one), rank(other)) == rank(narrower(other, one))
