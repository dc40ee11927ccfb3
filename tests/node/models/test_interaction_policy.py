"""What may be done with a post: the rules, written once more in plain words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.models import interaction_policy
from node.models.interaction_policy import (
    CIRCLES,
    DEEDS,
    EVERYONE,
    NOBODY,
    Deed,
    Facts,
    InteractionPolicy,
    Rule,
    only,
)

RULES = st.builds(Rule, st.frozensets(st.sampled_from(CIRCLES)), st.frozensets(st.sampled_from(CIRCLES)))
POLICIES = st.builds(InteractionPolicy, RULES, RULES, RULES, RULES)
FACTS = st.builds(Facts, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans())

STRANGER = Facts(sees=True)
FOLLOWER = Facts(sees=True, follows=True)
FOLLOWED = Facts(sees=True, followed=True)
MENTIONED = Facts(sees=True, mentioned=True)
AUTHOR = Facts(sees=True, is_author=True)


def test_usually_everyone_may_do_everything_but_quote() -> None:
    answers = {deed: interaction_policy.may(InteractionPolicy(), deed, STRANGER) for deed in DEEDS}
    assert answers == {"like": "yes", "comment": "yes", "boost": "yes", "quote": "no"}


@pytest.mark.parametrize(
    ("rule", "stranger", "follower", "followed", "mentioned"),
    [
        (EVERYONE, "yes", "yes", "yes", "yes"),
        (NOBODY, "no", "no", "no", "no"),
        (only("followers"), "no", "yes", "no", "no"),
        (only("followed"), "no", "no", "yes", "no"),
        (only("mentioned"), "no", "no", "no", "yes"),
        (only("followers", "followed"), "no", "yes", "yes", "no"),
        (only(asking=("everyone",)), "ask", "ask", "ask", "ask"),
        (only("followers", asking=("everyone",)), "ask", "yes", "ask", "ask"),
        (only("everyone", asking=("followers",)), "yes", "ask", "yes", "yes"),
        (only("everyone", asking=("mentioned",)), "yes", "yes", "yes", "ask"),
    ],
)
def test_the_nearest_circle_decides(
    rule: Rule, stranger: str, follower: str, followed: str, mentioned: str
) -> None:
    policy = InteractionPolicy(boost=rule)
    people = (STRANGER, FOLLOWER, FOLLOWED, MENTIONED)
    answers = tuple(interaction_policy.may(policy, "boost", who) for who in people)
    assert answers == (stranger, follower, followed, mentioned)


def test_whoever_is_mentioned_may_answer_unless_comments_are_off() -> None:
    assert interaction_policy.may(InteractionPolicy(comment=only("followers")), "comment", MENTIONED) == "yes"
    assert (
        interaction_policy.may(InteractionPolicy(comment=only(asking=("everyone",))), "comment", MENTIONED)
        == "yes"
    )
    assert interaction_policy.may(InteractionPolicy(comment=NOBODY), "comment", MENTIONED) == "no"


@given(POLICIES, st.sampled_from(DEEDS))
def test_the_author_always_may(policy: InteractionPolicy, deed: Deed) -> None:
    assert interaction_policy.may(policy, deed, AUTHOR) == "yes"


@given(POLICIES, st.sampled_from(DEEDS), FACTS)
def test_a_policy_never_lets_in_who_may_not_see_the_post(
    policy: InteractionPolicy, deed: Deed, who: Facts
) -> None:
    if not who.sees:
        assert interaction_policy.may(policy, deed, who) == "no"


@given(POLICIES, st.sampled_from(("followers", "direct")), FACTS)
def test_a_private_post_is_passed_on_by_its_author_alone(
    policy: InteractionPolicy, visibility: str, who: Facts
) -> None:
    narrow = interaction_policy.narrowed(policy, visibility)
    for deed in ("boost", "quote"):
        assert interaction_policy.may(narrow, deed, who) == ("yes" if who.sees and who.is_author else "no")
    assert (narrow.like, narrow.comment) == (policy.like, policy.comment)


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
def test_an_open_post_keeps_its_policy(visibility: str) -> None:
    policy = InteractionPolicy(quote=EVERYONE)
    assert interaction_policy.narrowed(policy, visibility) == policy


@given(POLICIES)
def test_a_policy_survives_the_column(policy: InteractionPolicy) -> None:
    assert interaction_policy.load(interaction_policy.dump(policy)) == policy


def test_the_usual_policy_takes_no_room() -> None:
    assert interaction_policy.dump(InteractionPolicy()) == ""
    assert interaction_policy.dump(InteractionPolicy(comment=NOBODY)) == '{"comment":{}}'
    assert interaction_policy.load("") == InteractionPolicy()


def test_a_rule_has_a_word() -> None:
    assert (EVERYONE.word, NOBODY.word, only("followers").word) == ("everyone", "nobody", "followers")
    assert only("followers", "mentioned").word == "mixed"
    assert only("followers", asking=("everyone",)).word == "mixed"
    assert only("followers", asking=("followers",)) == only("followers")
