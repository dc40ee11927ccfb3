from __future__ import annotations

import pytest

from node.accounts import accounts
from node.database import Writer
from node.errors import NotAllowed
from node.ids import now_ms
from node.interactions import boosts, follows
from node.models.account import Account
from node.models.interaction_policy import NOBODY, InteractionPolicy
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.timelines import post_views, timelines
from tests.support.people import activities_of, notifications_of, remote
from tests.support.posting import follow, publish, receive_post

PAGE = Page()


def now(tx: Writer, post: Post) -> Post:
    current = posts.by_id(tx, post.id)
    assert current is not None
    return current


async def test_a_boost_reaches_the_followers_of_the_booster(
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
        assert notifications_of(tx, alice) == [("boost", bob.id)]
        assert [one.account.id for one in boosts.boosters(tx, post, None, PAGE)] == [bob.id]
        shown = timelines.profile(tx, None, bob, PAGE, include_boosts=True)
        assert [(one.id, one.boost_by) for one in shown] == [(boosted.id, bob.id)]

        boosts.unboost(tx, bob, post)

        assert timelines.home(tx, mallory, PAGE) == []
        assert now(tx, post).boosts_count == 0
        assert notifications_of(tx, alice) == []
        assert [verb for verb, _, _ in activities_of(tx, bob)] == ["Announce", "Undo"]

    await node.db.write(unit)


async def test_a_boost_does_not_repeat_a_post_in_the_feed(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, mallory, alice)
        follow(tx, mallory, bob)
        post = publish(tx, alice)
        boosts.boost(tx, bob, post)
        assert [entry.boost_by for entry in timelines.home(tx, mallory, PAGE)] == [None]

    await node.db.write(unit)


async def test_a_removed_boost_leaves_the_post_to_followers_of_its_author(
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


async def test_a_follower_who_hides_boosts_gets_none(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        follows.follow(tx, mallory, bob, shows_boosts=False)
        boosts.boost(tx, bob, publish(tx, alice))
        assert timelines.home(tx, mallory, PAGE) == []

    await node.db.write(unit)


async def test_only_the_author_boosts_a_post_for_followers_and_nobody_a_direct_one(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, bob, alice)
        post = publish(tx, alice, visibility="followers")
        with pytest.raises(NotAllowed):
            boosts.boost(tx, bob, post)
        assert boosts.boost(tx, alice, post).visibility == "followers"
        direct = publish(tx, alice, "@bob psst", visibility="direct")
        for account in (alice, bob):
            with pytest.raises(NotAllowed):
                boosts.boost(tx, account, direct)

    await node.db.write(unit)


async def test_boosts_by_suspended_accounts_are_hidden(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam")
        follow(tx, alice, sam)
        boosts.boost(
            tx, sam, receive_post(tx, rita), uri="https://far.example/boosts/1", created_at=1_700_000_000_000
        )
        assert len(timelines.home(tx, alice, PAGE)) == 1
        tx.run("UPDATE accounts SET suspended_at = 1 WHERE id = :id", id=sam.id)
        assert timelines.home(tx, alice, PAGE) == []
        sam = accounts.get(tx, sam.id)
        assert timelines.profile(tx, None, sam, PAGE, include_boosts=True) == []

    await node.db.write(unit)


async def test_a_boost_id_in_use_is_refused(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        one, two = publish(tx, alice), publish(tx, alice)
        boosts.boost(tx, rita, one, uri="https://far.example/boosts/1")
        with pytest.raises(NotAllowed):
            boosts.boost(tx, rita, two, uri="https://far.example/boosts/1")
        assert now(tx, two).boosts_count == 0

    await node.db.write(unit)


async def test_a_remote_boost_keeps_its_time_but_none_in_the_future(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        one, two = publish(tx, alice), publish(tx, alice)
        old = boosts.boost(tx, rita, one, uri="https://far.example/1", created_at=1_700_000_000_000)
        future = boosts.boost(tx, rita, two, uri="https://far.example/2", created_at=2**52)
        assert old.created_at == 1_700_000_000_000
        assert old.id < one.id
        assert future.created_at <= now_ms()

    await node.db.write(unit)


async def test_boosts_of_one_moment_get_different_ids(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        made = [
            boosts.boost(
                tx, rita, publish(tx, alice), uri=f"https://far.example/{n}", created_at=1_700_000_000_000
            )
            for n in range(20)
        ]
        assert len({one.id for one in made}) == 20

    await node.db.write(unit)


async def test_a_boost_for_followers_is_seen_by_them_alone(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, mallory, bob)
        post = publish(tx, alice)
        boosted = boosts.boost(tx, bob, post, visibility="followers")

        assert boosts.visible_by_id(tx, mallory, boosted.id) == boosted
        assert boosts.visible_by_id(tx, None, boosted.id) is None
        assert boosts.boosters(tx, post, None, PAGE) == []
        assert (boosts.by_id(tx, boosted.id), boosts.by_uri(tx, boosted.uri)) == (boosted, boosted)
        assert boosts.labels(tx, [boosted.id, post.id]) == {boosted.id: (boosted.uri, "followers")}

    await node.db.write(unit)


async def test_what_is_offered_as_a_boost_is_also_allowed(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, bob, alice)
        for visibility in ("public", "unlisted", "followers", "direct"):
            for policy in (InteractionPolicy(), InteractionPolicy(boost=NOBODY)):
                post = publish(tx, alice, "@bob", visibility=visibility, policy=policy)
                for account in (alice, bob):
                    if boosts.can_boost(account, post):
                        boosts.boost(tx, account, post)
                    else:
                        with pytest.raises(NotAllowed):
                            boosts.boost(tx, account, post)

    await node.db.write(unit)


async def test_the_boosts_of_a_deleted_account_no_longer_count(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, mallory, bob)
        post = publish(tx, alice)
        boosts.boost(tx, bob, post)

        boosts.delete_by_account(tx, bob)

        assert now(tx, post).boosts_count == 0
        assert timelines.home(tx, mallory, PAGE) == []

    await node.db.write(unit)
