"""Policies in the words of GoToSocial and Pixelfed, read, written, and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub.vocab import PUBLIC, interaction_policies
from activitypub.vocab.interaction_policies import Circles
from node.models.interaction_policy import CIRCLES, EVERYONE, NOBODY, InteractionPolicy, Rule, only

FIXTURES = Path(__file__).parents[3].parent / "shared" / "fixtures"
ALICE, BOB, CAROL = (f"https://a.test/users/{name}" for name in ("alice", "bob", "carol"))
KNOWN = Circles(ALICE, f"{ALICE}/followers", f"{ALICE}/following", frozenset({BOB, CAROL}))

RULES = st.builds(Rule, st.frozensets(st.sampled_from(CIRCLES)), st.frozensets(st.sampled_from(CIRCLES)))
POLICIES = st.builds(InteractionPolicy, RULES, RULES, RULES, RULES)


def _read(**doc: Any) -> InteractionPolicy:
    return interaction_policies.read(doc, KNOWN)


@given(POLICIES)
def test_what_is_written_is_read_back_as_the_same(policy: InteractionPolicy) -> None:
    document = json.loads(json.dumps(interaction_policies.write(policy, KNOWN)))
    assert interaction_policies.read(document, KNOWN) == policy


def test_nothing_said_means_the_usual() -> None:
    usual = InteractionPolicy(EVERYONE, EVERYONE, EVERYONE, NOBODY)
    for nothing in (
        {},
        {"interactionPolicy": None},
        {"interactionPolicy": {}},
        {"interactionPolicy": {"canLike": None, "canReply": {}, "canQuote": {}}},
        {"interactionPolicy": {"canLike": {"automaticApproval": [], "manualApproval": []}}},
        {"interactionPolicy": "https://a.test/policy"},
        {"interactionPolicy": {"canLike": 7, "canAnnounce": ["x"], "canQuote": {"automaticApproval": {}}}},
        {"capabilities": {"acceptsChatMessages": True}},
        {"capabilities": None, "commentsEnabled": "yes"},
    ):
        assert _read(**nothing) == usual


def test_the_usual_policy_is_written_in_both_dialects() -> None:
    assert interaction_policies.write(InteractionPolicy(), KNOWN) == {
        "commentsEnabled": True,
        "capabilities": {"announce": PUBLIC, "like": PUBLIC, "reply": PUBLIC},
        "interactionPolicy": {
            "canLike": {"automaticApproval": [PUBLIC]},
            "canReply": {"automaticApproval": [PUBLIC]},
            "canAnnounce": {"automaticApproval": [PUBLIC]},
            "canQuote": {"automaticApproval": [ALICE]},
        },
    }


def test_comments_that_are_off_are_off_in_both_dialects() -> None:
    document = interaction_policies.write(InteractionPolicy(comment=NOBODY), KNOWN)
    assert document["commentsEnabled"] is False
    assert document["capabilities"]["reply"] == []
    assert document["interactionPolicy"]["canReply"] == {"automaticApproval": [ALICE]}


def test_who_must_ask_is_written() -> None:
    document = interaction_policies.write(
        InteractionPolicy(quote=only("followers", asking=("everyone",))), KNOWN
    )
    assert document["interactionPolicy"]["canQuote"] == {
        "automaticApproval": [ALICE, f"{ALICE}/followers"],
        "manualApproval": [PUBLIC],
    }


@pytest.mark.parametrize("name", ["automaticApproval", "always"])
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (PUBLIC, EVERYONE),
        ("as:Public", EVERYONE),
        ([PUBLIC], EVERYONE),
        ({"@list": [PUBLIC]}, EVERYONE),
        (ALICE, NOBODY),
        ([ALICE, f"{ALICE}/followers"], only("followers")),
        ({"id": f"{ALICE}/following"}, only("followed")),
        ("https://A.Test:443/users/alice/followers", only("followers")),
        ([BOB, CAROL], only("mentioned")),
        ([BOB], NOBODY),
        (["https://elsewhere.test/users/dora", "https://elsewhere.test/users/dora/followers"], NOBODY),
        ([PUBLIC, f"{ALICE}/followers"], only("everyone", "followers")),
    ],
)
def test_each_form_of_an_approval_is_read(name: str, value: Any, rule: Rule) -> None:
    assert _read(interactionPolicy={"canAnnounce": {name: value}}).boost == rule


def test_approval_by_hand_is_read() -> None:
    for once, asked in (("automaticApproval", "manualApproval"), ("always", "approvalRequired")):
        policy = _read(interactionPolicy={"canQuote": {once: f"{ALICE}/followers", asked: [PUBLIC]}})
        assert policy.quote == only("followers", asking=("everyone",))
        assert _read(interactionPolicy={"canQuote": {asked: PUBLIC}}).quote == only(asking=("everyone",))


def test_gotosocial_always_lets_the_mentioned_answer() -> None:
    nobody = {"canReply": {"automaticApproval": [ALICE]}}
    assert _read(interactionPolicy=nobody).comment == only("mentioned")
    assert _read(interactionPolicy=nobody, commentsEnabled=False).comment == NOBODY


@pytest.mark.parametrize("nobody", [[], "[]", None, "", "nonsense", 7, {}])
def test_pixelfeds_ways_to_say_nobody(nobody: Any) -> None:
    policy = _read(capabilities={"announce": PUBLIC, "like": nobody, "reply": nobody})
    assert policy == InteractionPolicy(like=NOBODY, comment=NOBODY)


def test_pixelfeds_comments_switch_wins() -> None:
    everyone = {"canReply": {"automaticApproval": [PUBLIC]}}
    policy = _read(commentsEnabled=False, capabilities={"reply": PUBLIC}, interactionPolicy=everyone)
    assert policy.comment == NOBODY
    assert _read(commentsEnabled=True, capabilities={"reply": []}).comment == NOBODY


def test_gotosocials_words_count_where_both_speak() -> None:
    policy = _read(
        capabilities=[{"announce": PUBLIC, "like": []}],
        interactionPolicy={"canAnnounce": {"automaticApproval": f"{ALICE}/followers"}},
    )
    assert policy.boost == only("followers")
    assert policy.like == NOBODY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.sampled_from([PUBLIC, ALICE, "[]"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["canLike", "canReply", "always", "automaticApproval", "like", "reply", "id", "@list"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(JSON, JSON, JSON)
def test_anything_at_all_is_some_policy(capabilities: Any, comments: Any, policy: Any) -> None:
    found = _read(capabilities=capabilities, commentsEnabled=comments, interactionPolicy=policy)
    assert isinstance(found, InteractionPolicy)


def _fixture(pattern: str) -> dict[str, Any]:
    path = next(iter(FIXTURES.glob(pattern)), None)
    if path is None:
        pytest.skip("the fixtures are not beside the project")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


@pytest.mark.parametrize("line", [35, 203])
def test_gotosocials_own_examples(line: int) -> None:
    zork = "http://localhost:8080/users/the_mighty_zork"
    document = _fixture(f"gotosocial/*extractpolicy_test.go__L{line}.json")
    mentioned = frozenset(f"https://gts.superseriousbusiness.org/users/{n}" for n in ("dumpsterqueer", "f0x"))
    policy = interaction_policies.read(
        document, Circles(zork, f"{zork}/followers", f"{zork}/following", mentioned)
    )
    assert policy == InteractionPolicy(
        like=EVERYONE,
        comment=only("followers", "mentioned", asking=("everyone",)),
        boost=only(asking=("everyone",)),
        quote=NOBODY,
    )


def test_a_post_as_gotosocial_sends_it() -> None:
    post = _fixture("wire-gotosocial/Create-Note-1.json")
    post = post.get("body", post)
    post = post.get("object", post)
    assert interaction_policies.read(post, Circles(post["attributedTo"])) == InteractionPolicy()


def test_a_post_as_wordpress_sends_it() -> None:
    post = _fixture("wordpress/lemmy__crates_apub_apub_assets_wordpress_objects_page.json")
    assert interaction_policies.read(post, Circles(post["attributedTo"])) == InteractionPolicy(quote=EVERYONE)


def test_a_post_as_pixelfed_sends_it() -> None:
    post = _fixture("pixelfed/pixelfed__tests_Unit_ActivityPub_NoteAttachmentTest.php__L20.json")
    assert interaction_policies.read(post, Circles(post["attributedTo"])) == InteractionPolicy(comment=NOBODY)


def test_the_example_of_fep_044f() -> None:
    post = _fixture("fep/fep__fep_044f_fep-044f.md__L134.json")
    author = post["attributedTo"]
    assert interaction_policies.read(post, Circles(author, f"{author}/followers")).quote == only("followers")
