"""The fetch budget: limits on documents and on hosts, each permanent for its cause."""

from __future__ import annotations

import pytest

from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget, permanent_failure
from activitypub.uris import Malformed


def test_a_budget_allows_exactly_so_many_documents() -> None:
    budget = FetchBudget(documents=3, hosts=1)
    for number in range(3):
        budget.spend(f"https://b.example/{number}")

    with pytest.raises(Unfetchable):
        budget.spend("https://b.example/3")


def test_a_budget_allows_exactly_so_many_hosts() -> None:
    budget = FetchBudget(documents=20, hosts=2)
    for host in ("b.example", "c.example", "B.EXAMPLE", "b.example:443"):
        budget.spend(f"https://{host}/1")

    with pytest.raises(Unfetchable):
        budget.spend("https://d.example/1")


def test_another_port_is_another_host() -> None:
    budget = FetchBudget(hosts=1)
    budget.spend("https://b.example/1")

    with pytest.raises(Unfetchable):
        budget.spend("https://b.example:8443/1")


def test_a_spent_budget_is_a_permanent_failure() -> None:
    with pytest.raises(Unfetchable) as failed:
        FetchBudget(documents=0).spend("https://b.example/1")

    assert (failed.value.temporary, failed.value.gone, failed.value.response_status) == (False, False, None)


def test_a_malformed_uri_spends_no_host() -> None:
    budget = FetchBudget(hosts=1)
    with pytest.raises(Malformed):
        budget.spend("mailto:bob@b.example")

    budget.spend("https://b.example/1")


def test_a_permanent_failure_keeps_its_reason_for_the_log() -> None:
    error = permanent_failure("https://b.example/1", "not a post")

    assert error.reason == "not a post"
    assert error.detail == "https://b.example/1: not a post"
