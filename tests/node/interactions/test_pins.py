"""Pins: a few of one's own open posts, first on the profile."""

from __future__ import annotations

import pytest

from node.accounts import accounts
from node.database import Database, Writer
from node.errors import Invalid, NotAllowed, NotFound
from node.interactions import pins
from node.models.account import Account
from node.publishing import post_deletion
from node.timelines import post_views
from tests.support.people import activities_of
from tests.support.posting import follow, publish, receive_post, rita


async def test_the_latest_pin_comes_first_and_is_sent(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        one, two = publish(tx, alice, "One"), publish(tx, alice, "Two")
        pins.pin(tx, alice, two)
        pins.pin(tx, alice, one)
        pins.pin(tx, alice, one)
        assert pins.post_ids(tx, None, alice) == [one.id, two.id]
        assert pins.post_uris(tx, alice) == [one.uri, two.uri]
        assert [verb for verb, _, _ in activities_of(tx, alice)] == ["Create", "Create", "Add", "Add"]
        assert [view.marks.pinned for view in post_views.by_entries(tx, alice, [one.id])] == [True]
        pins.unpin(tx, alice, two)
        pins.unpin(tx, alice, two)
        assert activities_of(tx, alice)[-1][:2] == ("Remove", two.uri)
        assert pins.post_ids(tx, None, alice) == [one.id]
        post_deletion.delete(tx, alice, one)
        assert tx.value("SELECT COUNT(*) FROM pins") == 0

    await db.write(unit)


async def test_no_more_than_five(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        for n in range(pins.MAX_PINS):
            pins.pin(tx, alice, publish(tx, alice, f"Post {n}"))
        with pytest.raises(Invalid):
            pins.pin(tx, alice, publish(tx, alice, "One too many"))

    await db.write(unit)


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_only_public_and_unlisted_posts_are_pinned(
    db: Database, alice: Account, visibility: str
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, visibility=visibility)
        with pytest.raises(Invalid):
            pins.pin(tx, alice, post)

    await db.write(unit)


async def test_nobody_pins_or_unpins_the_posts_of_others(db: Database, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post, secret = publish(tx, alice), publish(tx, alice, visibility="followers")
        with pytest.raises(NotAllowed):
            pins.pin(tx, bob, post)
        with pytest.raises(NotFound):
            pins.pin(tx, bob, secret)
        pins.pin(tx, alice, post)
        with pytest.raises(NotAllowed):
            pins.unpin(tx, bob, post)
        assert pins.is_pinned(tx, post)

    await db.write(unit)


async def test_the_pins_listed_by_a_server_replace_the_earlier_ones(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        author = rita(tx)
        follow(tx, alice, author)
        one, two, three = (receive_post(tx, author) for _ in range(3))
        stranger_post = publish(tx, alice)
        assert pins.receive_pin(tx, author, one)
        pins.replace_remote_pins(tx, author, [two, stranger_post, three])
        assert pins.post_ids(tx, None, author) == [two.id, three.id]
        assert not pins.receive_unpin(tx, accounts.get(tx, alice.id), two)
        assert pins.receive_unpin(tx, author, two)
        assert pins.post_ids(tx, None, author) == [three.id]

    await db.write(unit)
