"""Undo: an actor takes back its own activities, by id or by description."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from activitypub.handlers.received_activity import Ignored
from activitypub.vocab import PUBLIC
from node.accounts import relationships
from node.database import Writer
from node.interactions import boosts, likes
from node.models.account import Account
from node.node import Node
from node.posts import posts
from tests.support.people import remote
from tests.support.posting import follow, publish, receive_post
from tests.support.received import handle, jobs


def _likes(tx: Writer, uri: str) -> int:
    post = posts.by_uri(tx, uri)
    assert post is not None
    return post.likes_count


@pytest.mark.parametrize("described", ["by id", "by type and object", "whole"])
async def test_a_like_is_undone(node: Node, alice: Account, described: str) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        handle(tx, rita, "Like", post.uri, id=f"{rita.uri}#like")
        whole: dict[str, Any] = {
            "id": f"{rita.uri}#like",
            "type": "Like",
            "actor": rita.uri,
            "object": post.uri,
        }
        ways = {
            "by id": whole["id"],
            "by type and object": {"type": "Like", "object": post.uri},
            "whole": whole,
        }
        handle(tx, rita, "Undo", ways[described])
        assert _likes(tx, post.uri) == 0

    await node.db.write(unit)


async def test_nobody_undoes_the_activity_of_another(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, omar, post = remote(tx), remote(tx, "omar"), publish(tx, alice)
        likes.like(tx, rita, post, f"{rita.uri}#like")
        with pytest.raises(Ignored):
            handle(tx, omar, "Undo", {"type": "Like", "actor": rita.uri, "object": post.uri})
        handle(tx, omar, "Undo", f"{rita.uri}#like")
        assert _likes(tx, post.uri) == 1

    await node.db.write(unit)


async def test_an_activity_undone_before_it_arrives_is_ignored(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        handle(tx, rita, "Undo", {"type": "Like", "id": f"{rita.uri}#like", "object": "https://x.example/1"})
        with pytest.raises(Ignored, match="duplicate"):
            handle(tx, rita, "Like", post.uri, id=f"{rita.uri}#like")
        assert _likes(tx, post.uri) == 0

    await node.db.write(unit)


async def test_the_type_limits_what_is_undone(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        handle(tx, rita, "Like", post.uri, id=f"{rita.uri}#like")
        handle(tx, rita, "Announce", post.uri, id=f"{rita.uri}#boost", to=[PUBLIC])
        handle(tx, rita, "Undo", {"type": "Announce", "object": post.uri})
        assert boosts.by_account_and_post(tx, rita, post) is None
        assert _likes(tx, post.uri) == 1

    await node.db.write(unit)


async def test_an_undone_boost_of_a_remote_post_checks_that_the_post_still_exists(
    node: Node, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar", "third.example")
        follow(tx, alice, rita)
        post = receive_post(tx, omar)
        handle(tx, rita, "Announce", post.uri, id=f"{rita.uri}#boost", to=[PUBLIC])
        handle(tx, rita, "Undo", f"{rita.uri}#boost")
        assert jobs(tx, "check_post") == [{"id": post.id, "uri": post.uri}]

    await node.db.write(unit)


async def test_a_follow_and_a_block_are_undone_by_description(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        handle(tx, rita, "Follow", alice.uri, id=f"{rita.uri}#follow")
        handle(tx, rita, "Undo", {"type": "Follow", "object": alice.uri})
        assert relationships.follow_between(tx, rita, alice) is None
        handle(tx, rita, "Block", alice.uri, id=f"{rita.uri}#block")
        handle(tx, rita, "Undo", {"type": "Block", "object": alice.uri})
        assert not relationships.has_blocked(tx, rita, alice)

    await node.db.write(unit)


LATE = {
    "an Undo of another id than the one that stands": [("Follow", "#1", 100), ("Undo", "#2", 130), ("Follow", "#2", 120)],
    "an Undo that comes twice": [("Undo", "#1", 100), ("Undo", "#1", 100), ("Follow", "#1", 100)],
    "two ids, and the Undo of the first": [
        ("Follow", "#1", 100), ("Follow", "#2", 101), ("Undo", "#1", 110), ("Follow", "#1", 100), ("Follow", "#2", 101),
    ],
}  # fmt: skip


@pytest.mark.parametrize("received", LATE.values(), ids=LATE)
async def test_a_follow_that_is_older_than_its_undo_never_stands_again(
    node: Node, alice: Account, received: list[tuple[str, str, int]]
) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        for number, (kind, id_, signed_at) in enumerate(received):
            follow_ = {"id": rita.uri + id_, "type": "Follow", "actor": rita.uri, "object": alice.uri}
            with contextlib.suppress(Ignored):
                if kind == "Follow":
                    handle(tx, rita, kind, alice.uri, id=rita.uri + id_, signed_at=signed_at)
                else:
                    handle(tx, rita, kind, follow_, id=f"{rita.uri}#undo{number}", signed_at=signed_at)
        assert relationships.follow_between(tx, rita, alice) is None

    await node.db.write(unit)
