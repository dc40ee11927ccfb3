"""Scopes: what covers what, and that narrowing them never adds anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.auth.oauth import scopes
from node.auth.oauth.scopes import SCOPES, allows, narrow, parse_scopes, parts_of, without_admin
from node.errors import Invalid

some_scopes = st.frozensets(st.sampled_from(sorted(SCOPES)), max_size=8)
some_texts = st.frozensets(st.one_of(st.sampled_from(sorted(SCOPES)), st.text(max_size=12)), max_size=8)


@given(some_texts, some_scopes)
def test_narrowed_scopes_are_in_both(asked: frozenset[str], limit: frozenset[str]) -> None:
    found = narrow(asked, limit)
    assert found <= SCOPES
    assert parts_of(found) == parts_of(asked) & parts_of(limit)


@given(some_scopes, some_scopes, some_scopes)
def test_narrowing_twice_is_narrowing_once(
    asked: frozenset[str], one: frozenset[str], other: frozenset[str]
) -> None:
    assert parts_of(narrow(narrow(asked, one), other)) == parts_of(narrow(narrow(asked, other), one))
    assert narrow(narrow(asked, one), one) == narrow(asked, one)
    assert narrow(asked, asked) == asked


@given(some_scopes, st.sampled_from(sorted(SCOPES)))
def test_what_is_covered_is_covered_in_all_its_parts(granted: frozenset[str], needed: str) -> None:
    assert allows(granted, needed) is all(allows(granted, part) for part in parts_of([needed]))
    assert not allows(granted, needed + ":more")


@given(some_scopes)
def test_without_admin_nothing_of_moderators_is_left(granted: frozenset[str]) -> None:
    left = without_admin(granted)
    assert left <= granted
    assert not any(part.startswith("admin") for part in parts_of(left))
    assert parts_of(left) == {part for part in parts_of(granted) if not part.startswith("admin")}


@pytest.mark.parametrize(
    ("asked", "limit", "found"),
    [
        ("read", "read:statuses", "read:statuses"),
        ("read:statuses", "read", "read:statuses"),
        ("read write follow push", "read write follow push", "read write follow push"),
        ("follow", "read write", "follow"),
        ("read", "follow", "read:blocks read:follows read:mutes"),
        ("write", "read", ""),
        ("read everything", "read", "read"),
        ("admin:read", "read write", ""),
    ],
)
def test_scopes_meet_in_what_both_have(asked: str, limit: str, found: str) -> None:
    assert narrow(asked.split(), limit.split()) == frozenset(found.split())


def test_scopes_are_separated_as_apps_write_them() -> None:
    assert parse_scopes("read+write  read:collection") == {"read", "write", "read:collections"}
    for wrong in ("", "everything", "read admin", "READ"):
        with pytest.raises(Invalid):
            parse_scopes(wrong)
    assert scopes.DEFAULT in SCOPES
