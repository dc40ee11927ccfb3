"""Announce: boosts of local and remote posts."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub import vocab
from activitypub.handlers.received_activity import Ignored, NeedsFetch
from activitypub.vocab import PUBLIC
from node.database import Writer
from node.ids import now_ms
from node.interactions import boosts
from node.lifecycle import account_deletion
from node.models.account import Account
from node.node import Node
from node.posts import posts
from tests.support.people import remote
from tests.support.posting import follow, publish, receive_post
from tests.support.received import handle, note


@pytest.mark.parametrize(
    ("to", "visibility"),
    [
        ([PUBLIC], "public"),
        ("followers", "followers"),
        (["https://x.example/users/x"], "followers"),
        ([], "followers"),
    ],
)
async def test_a_boost_has_the_visibility_it_is_addressed_with(
    node: Node, alice: Account, to: Any, visibility: str
) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        handle(tx, rita, "Announce", post.uri, to=[rita.followers_uri] if to == "followers" else to)
        boost = boosts.by_account_and_post(tx, rita, post)
        assert boost is not None
        assert boost.visibility == visibility

    await node.db.write(unit)


async def test_a_boost_dated_in_the_future_is_made_now(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        handle(tx, rita, "Announce", post.uri, to=[PUBLIC], published="2099-01-01T00:00:00Z")
        boost = boosts.by_account_and_post(tx, rita, post)
        assert boost is not None
        assert boost.created_at <= now_ms()

    await node.db.write(unit)


async def test_a_post_for_followers_is_not_boosted(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, rita, alice)
        post = publish(tx, alice, visibility="followers")
        with pytest.raises(Ignored, match="not public"):
            handle(tx, rita, "Announce", post.uri, to=[PUBLIC])
        assert boosts.by_account_and_post(tx, rita, post) is None

    await node.db.write(unit)


async def test_an_unknown_post_is_fetched_only_for_a_followed_booster(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar", "third.example")
        uri = note(omar)["id"]
        with pytest.raises(Ignored, match="no local account"):
            handle(tx, rita, "Announce", note(omar), to=[PUBLIC])
        follow(tx, alice, rita)
        with pytest.raises(NeedsFetch) as raised:
            handle(tx, rita, "Announce", note(omar, content="<p>Forged</p>"), to=[PUBLIC])
        assert raised.value.uri == uri
        with pytest.raises(Ignored, match="cannot be fetched"):
            handle(tx, rita, "Announce", uri, to=[PUBLIC], fetched={uri: None})
        fetched = {uri: (vocab.parse_note(note(omar)), omar)}
        handle(tx, rita, "Announce", uri, to=[PUBLIC], fetched=fetched)
        post = posts.by_uri(tx, uri)
        assert post is not None
        assert boosts.by_account_and_post(tx, rita, post) is not None

    await node.db.write(unit)


async def test_a_post_of_a_deleted_account_is_not_boosted(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar", "third.example")
        follow(tx, alice, rita)
        post = receive_post(tx, omar)
        account_deletion.delete_account(tx, omar)
        with pytest.raises(Ignored):
            handle(tx, rita, "Announce", post.uri, to=[PUBLIC], fetched={post.uri: None})

    await node.db.write(unit)
