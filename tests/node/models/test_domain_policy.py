"""The policy of a server: what a strength includes, and that two policies combine to the stricter one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.models.domain_policy import STRENGTHS, DomainPolicy

POLICIES = st.builds(DomainPolicy, st.sampled_from(STRENGTHS), st.booleans(), st.booleans())


@pytest.mark.parametrize(
    ("strength", "is_limited", "is_suspended"),
    [("none", False, False), ("limit", True, False), ("suspend", True, True)],
)
def test_a_suspended_server_is_limited_as_well(strength: str, is_limited: bool, is_suspended: bool) -> None:
    policy = DomainPolicy(strength)

    assert (policy.is_limited, policy.is_suspended) == (is_limited, is_suspended)


def test_each_effect_is_combined_by_itself() -> None:
    combined = DomainPolicy("limit", rejects_media=True).combined_with(
        DomainPolicy("suspend", rejects_reports=True)
    )

    assert combined == DomainPolicy("suspend", rejects_media=True, rejects_reports=True)


@given(POLICIES, POLICIES)
def test_combining_never_loosens_either(one: DomainPolicy, other: DomainPolicy) -> None:
    combined = one.combined_with(other)

    for policy in (one, other):
        assert combined.is_suspended >= policy.is_suspended
        assert combined.is_limited >= policy.is_limited
        assert combined.rejects_media >= policy.rejects_media
        assert combined.rejects_reports >= policy.rejects_reports


@given(POLICIES, POLICIES, POLICIES)
def test_the_order_of_combining_does_not_matter(
    one: DomainPolicy, other: DomainPolicy, third: DomainPolicy
) -> None:
    assert one.combined_with(other) == other.combined_with(one)
    assert one.combined_with(other).combined_with(third) == one.combined_with(other.combined_with(third))
    assert one.combined_with(one) == one.combined_with(DomainPolicy()) == one
