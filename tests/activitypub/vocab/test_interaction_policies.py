"""Interaction policies in the formats of GoToSocial and Pixelfed: parsed, rendered, and parsed back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub.vocab import PUBLIC, interaction_policies
from activitypub.vocab.interaction_policies import AudienceUris
from node.models.interaction_policy import (
    AUDIENCE_GROUPS,
    EVERYONE,
    NOBODY,
    InteractionPolicy,
    InteractionRule,
    rule_for,
)

FIXTURES = Path(__file__).parents[3].parent / "shared" / "fixtures"
ALICE, BOB, CAROL = (f"https://a.test/users/{name}" for name in ("alice", "bob", "carol"))
KNOWN = AudienceUris(ALICE, f"{ALICE}/followers", f"{ALICE}/following", frozenset({BOB, CAROL}))

RULES = st.builds(
    InteractionRule,
    st.frozensets(st.sampled_from(AUDIENCE_GROUPS)),
    st.frozensets(st.sampled_from(AUDIENCE_GROUPS)),
)
POLICIES = st.builds(InteractionPolicy, RULES, RULES, RULES, RULES)


def _read(**doc: Any) -> InteractionPolicy:
    return interaction_policies.parse(doc, KNOWN)


@given(POLICIES)
def test_a_rendered_policy_parses_back_to_the_same(policy: InteractionPolicy) -> None:
    document = json.loads(json.dumps(interaction_policies.render(policy, KNOWN)))
    assert interaction_policies.parse(document, KNOWN) == policy


def test_a_missing_policy_is_the_default() -> None:
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


def test_the_default_policy_is_rendered_in_both_formats() -> None:
    assert interaction_policies.render(InteractionPolicy(), KNOWN) == {
        "commentsEnabled": True,
        "capabilities": {"announce": PUBLIC, "like": PUBLIC, "reply": PUBLIC},
        "interactionPolicy": {
            "canLike": {"automaticApproval": [PUBLIC]},
            "canReply": {"automaticApproval": [PUBLIC]},
            "canAnnounce": {"automaticApproval": [PUBLIC]},
            "canQuote": {"automaticApproval": [ALICE]},
        },
    }


def test_disabled_comments_are_off_in_both_formats() -> None:
    document = interaction_policies.render(InteractionPolicy(comment=NOBODY), KNOWN)
    assert document["commentsEnabled"] is False
    assert document["capabilities"]["reply"] == []
    assert document["interactionPolicy"]["canReply"] == {"automaticApproval": [ALICE]}


def test_manual_approval_is_rendered() -> None:
    document = interaction_policies.render(
        InteractionPolicy(quote=rule_for("followers", manual_approval=("everyone",))), KNOWN
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
        ([ALICE, f"{ALICE}/followers"], rule_for("followers")),
        ({"id": f"{ALICE}/following"}, rule_for("followed")),
        ("https://A.Test:443/users/alice/followers", rule_for("followers")),
        ([BOB, CAROL], rule_for("mentioned")),
        ([BOB], NOBODY),
        (["https://remote.test/users/dora", "https://remote.test/users/dora/followers"], NOBODY),
        ([PUBLIC, f"{ALICE}/followers"], rule_for("everyone", "followers")),
    ],
)
def test_each_form_of_an_approval_is_read(name: str, value: Any, rule: InteractionRule) -> None:
    assert _read(interactionPolicy={"canAnnounce": {name: value}}).boost == rule


def test_manual_approval_is_parsed() -> None:
    for automatic, manual in (("automaticApproval", "manualApproval"), ("always", "approvalRequired")):
        policy = _read(interactionPolicy={"canQuote": {automatic: f"{ALICE}/followers", manual: [PUBLIC]}})
        assert policy.quote == rule_for("followers", manual_approval=("everyone",))
        assert _read(interactionPolicy={"canQuote": {manual: PUBLIC}}).quote == rule_for(
            manual_approval=("everyone",)
        )


def test_mentioned_accounts_may_always_reply_on_gotosocial() -> None:
    nobody = {"canReply": {"automaticApproval": [ALICE]}}
    assert _read(interactionPolicy=nobody).comment == rule_for("mentioned")
    assert _read(interactionPolicy=nobody, commentsEnabled=False).comment == NOBODY
    assert _read(commentsEnabled="false").comment == NOBODY
    assert _read(commentsEnabled={"@value": "false"}).comment == NOBODY


@pytest.mark.parametrize("nobody", [[], "[]", None, "", "nonsense", 7, {}])
def test_every_form_of_nobody_in_pixelfed_is_parsed(nobody: Any) -> None:
    policy = _read(capabilities={"announce": PUBLIC, "like": nobody, "reply": nobody})
    assert policy == InteractionPolicy(like=NOBODY, comment=NOBODY)


def test_pixelfeds_comments_switch_wins() -> None:
    everyone = {"canReply": {"automaticApproval": [PUBLIC]}}
    policy = _read(commentsEnabled=False, capabilities={"reply": PUBLIC}, interactionPolicy=everyone)
    assert policy.comment == NOBODY
    assert _read(commentsEnabled=True, capabilities={"reply": []}).comment == NOBODY


def test_gotosocials_format_wins_over_pixelfeds() -> None:
    policy = _read(
        capabilities=[{"announce": PUBLIC, "like": []}],
        interactionPolicy={"canAnnounce": {"automaticApproval": f"{ALICE}/followers"}},
    )
    assert policy.boost == rule_for("followers")
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
def test_any_json_gives_a_policy(capabilities: Any, comments: Any, policy: Any) -> None:
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
    policy = interaction_policies.parse(
        document, AudienceUris(zork, f"{zork}/followers", f"{zork}/following", mentioned)
    )
    assert policy == InteractionPolicy(
        like=EVERYONE,
        comment=rule_for("followers", "mentioned", manual_approval=("everyone",)),
        boost=rule_for(manual_approval=("everyone",)),
        quote=NOBODY,
    )


def test_a_post_as_gotosocial_sends_it() -> None:
    post = _fixture("wire-gotosocial/Create-Note-1.json")
    post = post.get("body", post)
    post = post.get("object", post)
    assert interaction_policies.parse(post, AudienceUris(post["attributedTo"])) == InteractionPolicy()


def test_a_post_as_wordpress_sends_it() -> None:
    post = _fixture("wordpress/lemmy__crates_apub_apub_assets_wordpress_objects_page.json")
    assert interaction_policies.parse(post, AudienceUris(post["attributedTo"])) == InteractionPolicy(
        quote=EVERYONE
    )


def test_a_post_as_pixelfed_sends_it() -> None:
    post = _fixture("pixelfed/pixelfed__tests_Unit_ActivityPub_NoteAttachmentTest.php__L20.json")
    assert interaction_policies.parse(post, AudienceUris(post["attributedTo"])) == InteractionPolicy(
        comment=NOBODY
    )


def test_the_example_of_fep_044f() -> None:
    post = _fixture("fep/fep__fep_044f_fep-044f.md__L134.json")
    author = post["attributedTo"]
    assert interaction_policies.parse(post, AudienceUris(author, f"{author}/followers")).quote == rule_for(
        "followers"
    )
