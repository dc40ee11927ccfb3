"""Interaction policies hold for local accounts, for remote ones, and for servers that do not support them."""

from __future__ import annotations

import json

import pytest

from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import PUBLIC, RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.errors import NotAllowed
from node.interactions import likes
from node.models.interaction_policy import EVERYONE, NOBODY, InteractionPolicy, InteractionRule, rule_for
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing


async def test_only_followers_comment_where_the_policy_says_so(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    await bob.follows(alice)
    await carol.follows(bob)
    await fediverse.settle()
    draft = Draft(caption="For those who follow me", policy=InteractionPolicy(comment=rule_for("followers")))
    post = await alice._do(publishing.publish, draft)
    await fediverse.settle()
    await bob.boosts(post)
    await fediverse.settle()

    await bob.comments(post, "I do")
    with pytest.raises(NotAllowed):
        await carol.comments(post, "I do not")
    await fediverse.settle()

    assert await alice.conversation(post) == ["I do"]


async def test_comments_can_be_closed_and_opened_later(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice._do(publishing.publish, Draft(caption="For a while"))
    await fediverse.settle()

    await alice._do(publishing.change_comment_rule, post, NOBODY)
    await fediverse.settle()
    with pytest.raises(NotAllowed):
        await bob.comments(post, "Too late")
    await alice._do(publishing.change_comment_rule, post, EVERYONE)
    await fediverse.settle()
    await bob.comments(post, "In time")
    await fediverse.settle()

    assert await alice.conversation(post) == ["In time"]
    seen = await bob.sees(post)
    assert seen is not None
    assert seen.post.edited_at is None


async def test_received_interactions_against_the_policy_are_ignored(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    closed = InteractionPolicy(like=NOBODY, comment=NOBODY, boost=NOBODY)
    post = await alice._do(publishing.publish, Draft(caption="Only look", policy=closed))
    for activity in (
        evil.activity("rita", "Like", post.uri),
        evil.activity("rita", "EmojiReact", post.uri, content="🎉"),
        evil.activity("rita", "Announce", post.uri, to=[PUBLIC]),
        create(evil, inReplyTo=post.uri),
    ):
        assert await evil.send(alice.node, "rita", activity) == 202
    await fediverse.settle()
    seen = await alice.sees(post)
    assert seen is not None
    assert (seen.post.likes_count, seen.post.boosts_count, seen.post.comments_count) == (0, 0, 0)
    assert await alice.notifications() == []


@pytest.mark.parametrize(
    ("properties", "rule"),
    [
        ({"commentsEnabled": False}, NOBODY),
        ({"capabilities": {"announce": PUBLIC, "like": PUBLIC, "reply": "[]"}}, NOBODY),
        ({"interactionPolicy": {"canReply": {"always": ["{author}"]}}}, rule_for("mentioned")),
        (
            {"interactionPolicy": {"canReply": {"automaticApproval": ["{author}/followers"]}}},
            rule_for("followers"),
        ),
    ],
)
async def test_the_policy_of_a_remote_post_holds_for_local_accounts(
    fediverse: Fediverse, evil: RemoteServer, properties: dict[str, object], rule: InteractionRule
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    base = f"{evil.base}/users/rita"
    note = evil.note("rita", 1, **json.loads(json.dumps(properties).replace("{author}", base)))
    await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC]))
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, note["id"])
    assert post is not None
    assert post.interaction_policy.comment == rule
    if rule == rule_for("followers"):
        await alice.comments(post, "I follow")
    else:
        with pytest.raises(NotAllowed):
            await alice.comments(post, "I do not follow")
    await alice._do(likes.like, post)
