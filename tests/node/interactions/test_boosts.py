"""Likes, boosts and bookmarks: the same deed from every door, once, and undone without a trace."""

from __future__ import annotations

import pytest

from node.accounts import accounts
from node.database import Writer
from node.errors import NotAllowed
from node.interactions import boosts, follows
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.timelines import post_views, timelines
from tests.support.people import remote, said, told
from tests.support.posting import arrives, follow, publish

PAGE = Page()


def now(tx: Writer, post: Post) -> Post:
    current = posts.by_id(tx, post.id)
    assert current is not None
    return current


async def test_a_boost_reaches_the_followers_of_who_boosts(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, mallory, bob)
        post = publish(tx, alice)
        boosted = boosts.boost(tx, bob, post)
        assert boosts.boost(tx, bob, post) == boosted

        [entry] = timelines.home(tx, mallory, PAGE)
        assert (entry.id, entry.post_id, entry.boost_by) == (boosted.id, post.id, bob.id)
        [view] = post_views.by_entries(tx, mallory, [entry])
        assert view.boosted_by is not None
        assert (view.boosted_by.id, view.entry_id, view.author.id) == (bob.id, boosted.id, alice.id)
        assert now(tx, post).boosts_count == 1
        assert told(tx, alice) == [("boost", bob.id)]
        assert [one.account.id for one in boosts.boosters(tx, post, None, PAGE)] == [bob.id]
        shown = timelines.profile(tx, None, bob, PAGE, include_boosts=True)
        assert [(one.id, one.boost_by) for one in shown] == [(boosted.id, bob.id)]

        boosts.unboost(tx, bob, post)

        assert timelines.home(tx, mallory, PAGE) == []
        assert now(tx, post).boosts_count == 0
        assert told(tx, alice) == []
        assert [verb for verb, _, _ in said(tx, bob)] == ["Announce", "Undo"]

    await node.db.write(unit)


async def test_a_boost_does_not_show_what_is_in_the_feed_already(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, mallory, alice)
        follow(tx, mallory, bob)
        post = publish(tx, alice)
        boosts.boost(tx, bob, post)
        assert [entry.boost_by for entry in timelines.home(tx, mallory, PAGE)] == [None]

    await node.db.write(unit)


async def test_a_boost_taken_back_leaves_the_post_to_those_who_follow_its_author(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, mallory, bob)
        post = publish(tx, alice)
        boosts.boost(tx, bob, post)
        follow(tx, mallory, alice)
        boosts.unboost(tx, bob, post)
        assert [entry.post_id for entry in timelines.home(tx, mallory, PAGE)] == [post.id]

    await node.db.write(unit)


async def test_whoever_wants_no_boosts_of_somebody_gets_none(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        follows.follow(tx, mallory, bob, shows_boosts=False)
        boosts.boost(tx, bob, publish(tx, alice))
        assert timelines.home(tx, mallory, PAGE) == []

    await node.db.write(unit)


async def test_only_what_is_for_everyone_is_boosted_or_by_its_author(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, bob, alice)
        post = publish(tx, alice, visibility="followers")
        with pytest.raises(NotAllowed):
            boosts.boost(tx, bob, post)
        assert boosts.boost(tx, alice, post).visibility == "followers"
        direct = publish(tx, alice, "@bob psst", visibility="direct")
        for person in (alice, bob):
            with pytest.raises(NotAllowed):
                boosts.boost(tx, person, direct)

    await node.db.write(unit)


async def test_boosts_by_the_suspended_are_hidden(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam")
        follow(tx, alice, sam)
        boosts.boost(
            tx, sam, arrives(tx, rita), uri="https://far.example/boosts/1", created_at=1_700_000_000_000
        )
        assert len(timelines.home(tx, alice, PAGE)) == 1
        tx.run("UPDATE accounts SET suspended_at = 1 WHERE id = :id", id=sam.id)
        assert timelines.home(tx, alice, PAGE) == []
        sam = accounts.get(tx, sam.id)
        assert timelines.profile(tx, None, sam, PAGE, include_boosts=True) == []

    await node.db.write(unit)
