"""Like and EmojiReact of other servers: nothing is asked twice."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub import vocab
from activitypub.handlers import registry
from activitypub.handlers.received_activity import Heard
from node.database import Writer
from node.federation import seen_activities
from node.models import interaction_policy
from node.models.account import Account
from node.models.interaction_policy import InteractionPolicy
from node.models.post import Post
from node.node import Node
from tests.support.people import remote
from tests.support.posting import follow, publish
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
            like=interaction_policy.only("followers"), boost=interaction_policy.only("followers")
        )
        return rita, publish(tx, alice, policy=restricted)

    def performed(tx: Writer, by: Account, post: Post) -> None:
        doc = {"id": f"{by.uri}#1", "actor": by.uri, "object": post.uri, **activity}
        with seen_activities.first_heard(tx, []) as unheard:
            registry.perform(tx, Heard(vocab.activity(doc), by, unheard))

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
