"""What a post says about itself: whether it is open, counted, a comment, and whether comments are on."""

from __future__ import annotations

import dataclasses

import pytest

from node.models import interaction_policy
from node.models.interaction_policy import NOBODY, InteractionPolicy, rule_for
from node.models.post import Post

DEFAULTS = {"str": "", "int": 0, "bool": False, "int | None": None}
EMPTY = Post(**{field.name: DEFAULTS[str(field.type)] for field in dataclasses.fields(Post)})


@pytest.mark.parametrize(
    ("visibility", "parent_uri", "is_open", "is_counted"),
    [
        ("public", "", True, True),
        ("unlisted", "", True, True),
        ("followers", "", False, False),
        ("direct", "", False, False),
        ("public", "https://b.example/1", True, False),
    ],
)
def test_open_posts_that_are_no_comments_are_counted(
    visibility: str, parent_uri: str, is_open: bool, is_counted: bool
) -> None:
    post = dataclasses.replace(EMPTY, visibility=visibility, parent_uri=parent_uri)

    assert (post.is_open, post.is_counted) == (is_open, is_counted)


def test_a_reply_to_a_post_that_is_not_stored_is_a_comment() -> None:
    assert dataclasses.replace(EMPTY, parent_id=None, parent_uri="https://b.example/1").is_comment
    assert not EMPTY.is_comment


@pytest.mark.parametrize(
    ("policy", "enabled"),
    [
        (InteractionPolicy(), True),
        (InteractionPolicy(comment=NOBODY), False),
        (InteractionPolicy(comment=rule_for("followers")), True),
        (InteractionPolicy(comment=rule_for(manual_approval=("everyone",))), True),
        (InteractionPolicy(like=NOBODY), True),
    ],
)
def test_comments_are_off_only_when_nobody_may_comment(policy: InteractionPolicy, enabled: bool) -> None:
    post = dataclasses.replace(EMPTY, policy=interaction_policy.dump(policy))

    assert post.comments_enabled is enabled
    assert post.interaction_policy == policy
