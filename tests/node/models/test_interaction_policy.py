"""Interaction policies: who may like, comment on, boost and quote a post."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.models import interaction_policy
from node.models.interaction_policy import (
    AUDIENCE_GROUPS,
    EVERYONE,
    INTERACTIONS,
    NOBODY,
    Interaction,
    InteractionPolicy,
    InteractionRule,
    RequesterFacts,
    rule_for,
)

RULES = st.builds(
    InteractionRule,
    st.frozensets(st.sampled_from(AUDIENCE_GROUPS)),
    st.frozensets(st.sampled_from(AUDIENCE_GROUPS)),
)
POLICIES = st.builds(InteractionPolicy, RULES, RULES, RULES, RULES)
FACTS = st.builds(RequesterFacts, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans())

ANYONE = RequesterFacts(can_see=True)
FOLLOWER = RequesterFacts(can_see=True, is_follower=True)
FOLLOWED = RequesterFacts(can_see=True, is_followed=True)
MENTIONED = RequesterFacts(can_see=True, is_mentioned=True)
AUTHOR = RequesterFacts(can_see=True, is_author=True)


def test_by_default_everyone_may_do_everything_but_quote() -> None:
    decisions = {
        interaction: interaction_policy.decide(InteractionPolicy(), interaction, ANYONE)
        for interaction in INTERACTIONS
    }
    assert decisions == {"like": "yes", "comment": "yes", "boost": "yes", "quote": "no"}


@pytest.mark.parametrize(
    ("rule", "anyone", "follower", "followed", "mentioned"),
    [
        (EVERYONE, "yes", "yes", "yes", "yes"),
        (NOBODY, "no", "no", "no", "no"),
        (rule_for("followers"), "no", "yes", "no", "no"),
        (rule_for("followed"), "no", "no", "yes", "no"),
        (rule_for("mentioned"), "no", "no", "no", "yes"),
        (rule_for("followers", "followed"), "no", "yes", "yes", "no"),
        (rule_for(manual_approval=("everyone",)), "ask", "ask", "ask", "ask"),
        (rule_for("followers", manual_approval=("everyone",)), "ask", "yes", "ask", "ask"),
        (rule_for("everyone", manual_approval=("followers",)), "yes", "ask", "yes", "yes"),
        (rule_for("everyone", manual_approval=("mentioned",)), "yes", "yes", "yes", "ask"),
    ],
)
def test_the_narrowest_group_decides(
    rule: InteractionRule, anyone: str, follower: str, followed: str, mentioned: str
) -> None:
    policy = InteractionPolicy(boost=rule)
    requesters = (ANYONE, FOLLOWER, FOLLOWED, MENTIONED)
    decisions = tuple(interaction_policy.decide(policy, "boost", requester) for requester in requesters)
    assert decisions == (anyone, follower, followed, mentioned)


def test_a_mentioned_account_may_reply_unless_comments_are_off() -> None:
    assert (
        interaction_policy.decide(InteractionPolicy(comment=rule_for("followers")), "comment", MENTIONED)
        == "yes"
    )
    assert (
        interaction_policy.decide(
            InteractionPolicy(comment=rule_for(manual_approval=("everyone",))), "comment", MENTIONED
        )
        == "yes"
    )
    assert interaction_policy.decide(InteractionPolicy(comment=NOBODY), "comment", MENTIONED) == "no"


@given(POLICIES, st.sampled_from(INTERACTIONS))
def test_the_author_always_may(policy: InteractionPolicy, interaction: Interaction) -> None:
    assert interaction_policy.decide(policy, interaction, AUTHOR) == "yes"


@given(POLICIES, st.sampled_from(INTERACTIONS), FACTS)
def test_a_policy_never_allows_what_visibility_forbids(
    policy: InteractionPolicy, interaction: Interaction, requester: RequesterFacts
) -> None:
    if not requester.can_see:
        assert interaction_policy.decide(policy, interaction, requester) == "no"


@given(POLICIES, st.sampled_from(("followers", "direct")), FACTS)
def test_only_its_author_boosts_or_quotes_a_private_post(
    policy: InteractionPolicy, visibility: str, requester: RequesterFacts
) -> None:
    narrow = interaction_policy.restrict_to_visibility(policy, visibility)
    for interaction in ("boost", "quote"):
        assert interaction_policy.decide(narrow, interaction, requester) == (
            "yes" if requester.can_see and requester.is_author else "no"
        )
    assert (narrow.like, narrow.comment) == (policy.like, policy.comment)


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
def test_an_open_post_keeps_its_policy(visibility: str) -> None:
    policy = InteractionPolicy(quote=EVERYONE)
    assert interaction_policy.restrict_to_visibility(policy, visibility) == policy


@given(POLICIES)
def test_a_policy_is_parsed_as_it_was_serialized(policy: InteractionPolicy) -> None:
    assert interaction_policy.load(interaction_policy.dump(policy)) == policy


def test_the_default_policy_is_stored_as_an_empty_text() -> None:
    assert interaction_policy.dump(InteractionPolicy()) == ""
    assert interaction_policy.dump(InteractionPolicy(comment=NOBODY)) == '{"comment":{}}'
    assert interaction_policy.load("") == InteractionPolicy()


def test_a_rule_is_summarized_in_one_word() -> None:
    assert (EVERYONE.summary, NOBODY.summary, rule_for("followers").summary) == (
        "everyone",
        "nobody",
        "followers",
    )
    assert rule_for("followers", "mentioned").summary == "mixed"
    assert rule_for("followers", manual_approval=("everyone",)).summary == "mixed"
    assert rule_for("followers", manual_approval=("followers",)) == rule_for("followers")
