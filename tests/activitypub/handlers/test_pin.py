"""Add and Remove: only the actor's own featured collection and its own public posts."""

from __future__ import annotations

import contextlib

import pytest

from activitypub.handlers.received_activity import Ignored, NeedsFetch
from node.database import Writer
from node.interactions import pins
from node.models.account import Account
from node.node import Node
from tests.support.people import remote
from tests.support.posting import follow, receive_post
from tests.support.received import handle, note

FEATURED = "https://far.example/users/rita/featured"


async def test_a_post_is_pinned_and_unpinned(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx, featured_uri=FEATURED)
        post = receive_post(tx, rita)
        handle(tx, rita, "Add", post.uri, target=FEATURED)
        assert pins.is_pinned(tx, post)
        handle(tx, rita, "Remove", post.uri, target=FEATURED)
        assert not pins.is_pinned(tx, post)
        with pytest.raises(Ignored):
            handle(tx, rita, "Remove", post.uri, target=FEATURED)

    await node.db.write(unit)


async def test_pins_count_in_the_order_in_which_they_were_signed(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx, featured_uri=FEATURED)
        post = receive_post(tx, rita)
        requests = {
            ("Add", 1000): False,
            ("Remove", 1001): False,
            ("Add", 1003): True,
            ("Remove", 1002): True,
            ("Remove", 1005): False,
            ("Add", 1004): False,
            ("Add", 1006): True,
        }
        arriving = list(requests)
        # The first Remove overtakes its Add.
        arriving[:2] = reversed(arriving[:2])
        for kind, signed_at in arriving:
            with contextlib.suppress(Ignored):
                handle(tx, rita, kind, post.uri, target=FEATURED, signed_at=signed_at)
            assert pins.is_pinned(tx, post) is requests[kind, signed_at]

    await node.db.write(unit)


@pytest.mark.parametrize("kind", ["Add", "Remove"])
async def test_only_the_own_featured_collection_counts(node: Node, kind: str) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx, featured_uri=FEATURED), remote(tx, "omar")
        for actor in (rita, omar):
            target = FEATURED if actor.id == omar.id else "https://far.example/other"
            with pytest.raises(Ignored, match="featured collection"):
                handle(tx, actor, kind, receive_post(tx, actor).uri, target=target)

    await node.db.write(unit)


@pytest.mark.parametrize("case", ["of another account", "for followers"])
async def test_a_post_that_cannot_be_pinned(node: Node, case: str) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx, featured_uri=FEATURED)
        if case == "for followers":
            post = receive_post(tx, rita, visibility="followers")
        else:
            post = receive_post(tx, remote(tx, "omar"))
        with pytest.raises(Ignored):
            handle(tx, rita, "Add", post.uri, target=FEATURED)
        assert not pins.is_pinned(tx, post)

    await node.db.write(unit)


async def test_an_unknown_post_is_fetched_only_for_followers(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx, featured_uri=FEATURED)
        with pytest.raises(Ignored, match="no local account"):
            handle(tx, rita, "Add", note(rita)["id"], target=FEATURED)
        follow(tx, alice, rita)
        with pytest.raises(NeedsFetch):
            handle(tx, rita, "Add", note(rita)["id"], target=FEATURED)
        with pytest.raises(Ignored, match="another server"):
            handle(tx, rita, "Add", "https://x.example/1", target=FEATURED)
        handle(tx, rita, "Add", note(rita), target=FEATURED)
        assert pins.post_uris(tx, rita) == [note(rita)["id"]]

    await node.db.write(unit)
