"""What an account shows of itself: handles, label, counts and the lists that are kept as JSON."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.models.account import MAX_LABEL_LENGTH, Account
from node.models.remote_actor import RemoteActor

DEFAULTS = {"str": "", "int": 0, "bool": False, "int | None": None}
EMPTY = Account(**{field.name: DEFAULTS[str(field.type)] for field in dataclasses.fields(Account)})
BOB = dataclasses.replace(EMPTY, name="bob", domain="b.example")


def test_only_a_remote_account_needs_its_domain_in_its_handle() -> None:
    local = dataclasses.replace(BOB, is_local=True)

    assert (BOB.handle, BOB.full_handle) == ("bob@b.example", "bob@b.example")
    assert (local.handle, local.full_handle) == ("bob", "bob@b.example")


@pytest.mark.parametrize(
    ("display_name", "label"),
    [
        ("", "bob"),
        ("Bob", "Bob"),
        ("x" * MAX_LABEL_LENGTH, "x" * MAX_LABEL_LENGTH),
        ("x" * MAX_LABEL_LENGTH + "y", "x" * MAX_LABEL_LENGTH + "…"),
        ("x" * (MAX_LABEL_LENGTH - 1) + " yz", "x" * (MAX_LABEL_LENGTH - 1) + "…"),
    ],
)
def test_the_label_is_the_display_name_cut_to_fit(display_name: str, label: str) -> None:
    assert dataclasses.replace(BOB, display_name=display_name).label == label


COUNT = st.integers(0, 10**6)


@given(COUNT, st.none() | COUNT)
def test_the_displayed_count_is_the_larger_of_known_and_claimed(known: int, claimed: int | None) -> None:
    account = dataclasses.replace(BOB, followers_count=known, claimed_followers=claimed)

    assert account.displayed_counts == (0, max(known, claimed or 0), 0)


def test_profile_fields_have_a_rendered_and_a_typed_value() -> None:
    account = dataclasses.replace(BOB, fields=json.dumps([["Site", "<a>b</a>", "b"]]))

    assert account.profile_fields == [("Site", "<a>b</a>")]
    assert account.source_fields == [("Site", "b")]


def test_aliases_and_attribution_domains_are_lists() -> None:
    account = dataclasses.replace(
        BOB, also_known_as='["https://old.example/bob"]', attribution_domains='["blog.example"]'
    )

    assert account.aliases == ["https://old.example/bob"]
    assert account.attribution_domain_list == ["blog.example"]


@pytest.mark.parametrize(
    ("suspended_at", "deleted_at", "is_inactive"),
    [(None, None, False), (1, None, True), (None, 1, True), (0, None, True)],
)
def test_a_suspended_or_deleted_account_is_inactive(
    suspended_at: int | None, deleted_at: int | None, is_inactive: bool
) -> None:
    account = dataclasses.replace(BOB, suspended_at=suspended_at, deleted_at=deleted_at)

    assert account.is_inactive is is_inactive


def test_a_remote_actor_can_describe_every_public_column() -> None:
    decided_here = {"id", "is_local", "updated_at", "fetched_at", "suspended_at", "deleted_at", "is_limited"}
    decided_here |= {
        "is_without_media",
        "suspended_with_server",
        "suspended_there",
        "looked_at",
        "bio_source",
    }
    decided_here |= {"posts_count", "followers_count", "following_count", "last_posted_at"}
    decided_here |= {"claimed_posts", "claimed_followers", "claimed_following", "hides_follows"}
    decided_here |= {"avatar_file", "header_file", "attribution_domains"}
    columns = {field.name for field in dataclasses.fields(Account)}

    assert columns - decided_here == {field.name for field in dataclasses.fields(RemoteActor)} - {
        "is_suspended",
        "keys",
    }
