"""What may be done with a post: the rules, written once more in plain words."""

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

STRANGER = RequesterFacts(can_see=True)
FOLLOWER = RequesterFacts(can_see=True, is_follower=True)
FOLLOWED = RequesterFacts(can_see=True, is_followed=True)
MENTIONED = RequesterFacts(can_see=True, is_mentioned=True)
AUTHOR = RequesterFacts(can_see=True, is_author=True)


def test_usually_everyone_may_do_everything_but_quote() -> None:
    answers = {deed: interaction_policy.decide(InteractionPolicy(), deed, STRANGER) for deed in INTERACTIONS}
    assert answers == {"like": "yes", "comment": "yes", "boost": "yes", "quote": "no"}


@pytest.mark.parametrize(
    ("rule", "stranger", "follower", "followed", "mentioned"),
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
def test_the_nearest_circle_decides(
    rule: InteractionRule, stranger: str, follower: str, followed: str, mentioned: str
) -> None:
    policy = InteractionPolicy(boost=rule)
    people = (STRANGER, FOLLOWER, FOLLOWED, MENTIONED)
    answers = tuple(interaction_policy.decide(policy, "boost", who) for who in people)
    assert answers == (stranger, follower, followed, mentioned)


def test_whoever_is_mentioned_may_answer_unless_comments_are_off() -> None:
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
def test_the_author_always_may(policy: InteractionPolicy, deed: Interaction) -> None:
    assert interaction_policy.decide(policy, deed, AUTHOR) == "yes"


@given(POLICIES, st.sampled_from(INTERACTIONS), FACTS)
def test_a_policy_never_lets_in_who_may_not_see_the_post(
    policy: InteractionPolicy, deed: Interaction, who: RequesterFacts
) -> None:
    if not who.can_see:
        assert interaction_policy.decide(policy, deed, who) == "no"


@given(POLICIES, st.sampled_from(("followers", "direct")), FACTS)
def test_a_private_post_is_passed_on_by_its_author_alone(
    policy: InteractionPolicy, visibility: str, who: RequesterFacts
) -> None:
    narrow = interaction_policy.restrict_to_visibility(policy, visibility)
    for deed in ("boost", "quote"):
        assert interaction_policy.decide(narrow, deed, who) == (
            "yes" if who.can_see and who.is_author else "no"
        )
    assert (narrow.like, narrow.comment) == (policy.like, policy.comment)


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
def test_an_open_post_keeps_its_policy(visibility: str) -> None:
    policy = InteractionPolicy(quote=EVERYONE)
    assert interaction_policy.restrict_to_visibility(policy, visibility) == policy


@given(POLICIES)
def test_a_policy_survives_the_column(policy: InteractionPolicy) -> None:
    assert interaction_policy.load(interaction_policy.dump(policy)) == policy


def test_the_usual_policy_takes_no_room() -> None:
    assert interaction_policy.dump(InteractionPolicy()) == ""
    assert interaction_policy.dump(InteractionPolicy(comment=NOBODY)) == '{"comment":{}}'
    assert interaction_policy.load("") == InteractionPolicy()


def test_a_rule_has_a_word() -> None:
    assert (EVERYONE.summary, NOBODY.summary, rule_for("followers").summary) == (
        "everyone",
        "nobody",
        "followers",
    )
    assert rule_for("followers", "mentioned").summary == "mixed"
    assert rule_for("followers", manual_approval=("everyone",)).summary == "mixed"
    assert rule_for("followers", manual_approval=("followers",)) == rule_for("followers")
