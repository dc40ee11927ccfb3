from __future__ import annotations

from typing import Any

import pytest

from node.database import Writer
from node.errors import NotAllowed, NotFound
from node.interactions import blocks, bookmarks, boosts, follows, likes
from node.models.account import Account
from node.models.interaction_policy import EVERYONE, NOBODY, AudienceGroup, InteractionPolicy, rule_for
from node.models.post import Post
from node.node import Node
from node.posts import permissions, posts
from tests.support.people import lock, notifications_of, remote
from tests.support.posting import follow, publish


def now(tx: Writer, post: Post) -> Post:
    current = posts.by_id(tx, post.id)
    assert current is not None
    return current


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_every_action_on_a_post_that_may_not_be_seen_finds_none(
    node: Node, alice: Account, visibility: str
) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post = publish(tx, alice, visibility=visibility)
        actions: list[Any] = [likes.like, boosts.boost, bookmarks.add]
        for action in actions:
            with pytest.raises(NotFound):
                action(tx, rita, post)
        assert now(tx, post) == post
        assert notifications_of(tx, alice) == []

    await node.db.write(unit)


@pytest.mark.parametrize(
    ("group", "relation", "allowed"),
    [
        ("followers", "follows", True),
        ("followers", "is followed", False),
        ("followed", "is followed", True),
        ("followed", "follows", False),
        ("mentioned", "is mentioned", True),
        ("mentioned", "follows", False),
        ("everyone", "none", True),
    ],
)
async def test_the_relation_to_the_author_decides(
    node: Node, alice: Account, bob: Account, group: AudienceGroup, relation: str, allowed: bool
) -> None:
    def unit(tx: Writer) -> None:
        if relation == "follows":
            follow(tx, bob, alice)
        if relation == "is followed":
            follow(tx, alice, bob)
        caption = "@bob look" if relation == "is mentioned" else "look"
        post = publish(tx, alice, caption, policy=InteractionPolicy(like=rule_for(group)))

        assert permissions.decide(tx, bob, post, "like") == ("yes" if allowed else "no")

    await node.db.write(unit)


async def test_a_follow_that_is_still_pending_gives_nothing(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        follows.follow(tx, bob, lock(tx, alice))
        post = publish(tx, alice, policy=InteractionPolicy(like=rule_for("followers")))

        assert permissions.decide(tx, bob, post, "like") == "no"

    await node.db.write(unit)


async def test_the_author_may_do_what_nobody_else_may(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, policy=InteractionPolicy(NOBODY, NOBODY, NOBODY, NOBODY))

        assert [permissions.decide(tx, who, post, "like") for who in (alice, bob)] == ["yes", "no"]
        permissions.check(tx, alice, post, "comment")

    await node.db.write(unit)


async def test_a_post_for_followers_is_boosted_and_quoted_by_its_author_alone(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, bob, alice)
        policy = InteractionPolicy(boost=EVERYONE, quote=EVERYONE)
        post = publish(tx, alice, visibility="followers", policy=policy)

        assert permissions.decide(tx, bob, post, "like") == "yes"
        for interaction in ("boost", "quote"):
            assert permissions.decide(tx, bob, post, interaction) == "no"
            assert permissions.decide(tx, alice, post, interaction) == "yes"

    await node.db.write(unit)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (InteractionPolicy(comment=NOBODY), "Comments on this post are turned off"),
        (InteractionPolicy(comment=rule_for("followers")), "limited who can comment"),
        (InteractionPolicy(comment=rule_for(manual_approval=("everyone",))), "has to approve this first"),
    ],
)
async def test_a_refusal_says_why(
    node: Node, alice: Account, bob: Account, policy: InteractionPolicy, reason: str
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, policy=policy)
        with pytest.raises(NotAllowed, match=reason):
            permissions.check(tx, bob, post, "comment")

    await node.db.write(unit)


async def test_what_the_caller_has_checked_is_not_checked_again(
    node: Node, alice: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        blocks.block(tx, alice, mallory)

        assert permissions.decide(tx, mallory, post, "like") == "no"
        assert permissions.decide(tx, mallory, post, "like", visibility_checked=True) == "yes"
        permissions.check_sees(tx, mallory, post, visibility_checked=True)
        with pytest.raises(NotFound):
            permissions.check_sees(tx, mallory, post)

    await node.db.write(unit)
