"""Like and EmojiReact: likes with and without an emoji, and no statement twice."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.handlers.received_activity import Ignored
from node.database import Writer
from node.interactions import emoji_reactions
from node.interactions.emoji_reactions import ReactionCount
from node.models import interaction_policy
from node.models.account import Account
from node.models.interaction_policy import InteractionPolicy
from node.models.post import Post
from node.node import Node
from tests.support.people import remote
from tests.support.posting import follow, publish
from tests.support.received import handle
from tests.support.statements import Recording


@pytest.mark.parametrize(
    "activity",
    [
        {"type": "Like"},
        {"type": "Like", "content": "🔥"},
        {"type": "EmojiReact", "content": "🔥"},
        {"type": "Announce", "to": "https://www.w3.org/ns/activitystreams#Public"},
    ],
    ids=["like", "like with an emoji", "reaction", "boost"],
)
async def test_a_post_is_looked_up_once_for_an_activity(
    node: Node, alice: Account, activity: dict[str, Any]
) -> None:
    def given(tx: Writer) -> tuple[Account, Post]:
        rita = remote(tx)
        follow(tx, rita, alice)
        restricted = InteractionPolicy(
            like=interaction_policy.rule_for("followers"), boost=interaction_policy.rule_for("followers")
        )
        return rita, publish(tx, alice, policy=restricted)

    def performed(tx: Writer, actor: Account, post: Post) -> None:
        properties = {name: value for name, value in activity.items() if name != "type"}
        handle(tx, actor, activity["type"], post.uri, id=f"{actor.uri}#1", **properties)

    rita, post = await node.db.write(given)
    db = Recording(node.db)
    await db.write(performed, rita, post)

    assert db.visibility_checks() == 1
    assert not db.repeated()
    counted = "boosts_count" if activity["type"] == "Announce" else "likes_count"
    assert (
        await node.db.read(lambda tx: tx.value(f"SELECT {counted} FROM posts WHERE id = :id", id=post.id))
        == 1
    )


@pytest.mark.parametrize("kind", ["Like", "EmojiReact"])
async def test_an_emoji_makes_a_reaction_of_it(node: Node, alice: Account, kind: str) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        handle(tx, rita, kind, post.uri, id=f"{rita.uri}#1", content="🔥")
        assert emoji_reactions.counts_by_post(tx, alice, post) == [ReactionCount("🔥", "", 1)]

    await node.db.write(unit)


@pytest.mark.parametrize(
    "properties", [{"id": "https://far.example/1"}, {"content": "🔥"}, {"content": "no emoji"}]
)
async def test_a_reaction_needs_an_emoji_and_an_id(
    node: Node, alice: Account, properties: dict[str, str]
) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        with pytest.raises(Ignored, match="emoji"):
            handle(tx, rita, "EmojiReact", post.uri, **properties)
        handle(tx, rita, "Like", post.uri, **properties)
        assert emoji_reactions.counts_by_post(tx, alice, post) == [], "a plain like"

    await node.db.write(unit)


async def test_a_custom_emoji_of_two_servers_is_counted_apart(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        for host in ("far.example", "third.example"):
            actor = remote(tx, domain=host)
            icon = {"type": "Image", "mediaType": "image/png", "url": f"https://{host}/blob.png"}
            tag = [{"type": "Emoji", "id": f"https://{host}/blob", "name": ":blob:", "icon": icon}]
            handle(tx, actor, "EmojiReact", post.uri, id=f"{actor.uri}#1", content=":blob:", tag=tag)
        assert [one.count for one in emoji_reactions.counts_by_post(tx, alice, post)] == [1, 1]

    await node.db.write(unit)


async def test_a_hidden_post_is_not_liked(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, visibility="followers")
        with pytest.raises(Ignored):
            handle(tx, remote(tx), "Like", post.uri)

    await node.db.write(unit)
