"""Home feeds: what comes in, what stays out, what is taken back."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.accounts import relationships
from node.database import Reader, Writer
from node.ids import now_ms
from node.interactions import blocks, boosts, follows
from node.maintenance import clean_up
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import may_see
from node.node import Node
from node.paging import Page
from node.posts import home_feed, posts
from node.publishing import post_deletion
from node.timelines import timelines
from tests.support.people import lock, remote
from tests.support.posting import follow, publish, receive_post

WHOLE = Page(limit=80)
ACTIONS = [
    *("post", "post", "followers", "follow", "follow", "unfollow", "block", "unblock", "mute", "unmute"),
    *("boost", "boost", "unboost", "delete", "comment"),
]


def home(tx: Reader, actor: Account) -> list[int]:
    return [entry.post_id for entry in timelines.home(tx, actor, WHOLE)]


async def test_direct_posts_are_in_no_feed(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, bob, alice)
        publish(tx, alice, "@bob psst", visibility="direct")
        assert (home(tx, alice), home(tx, bob)) == ([], [])

    await node.db.write(unit)


async def test_the_oldest_entries_of_a_long_feed_are_deleted(
    node: Node, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_feed, "MAX_ENTRIES", 3)

    def given(tx: Writer) -> list[int]:
        publish(tx, bob)
        return [publish(tx, alice).id for _ in range(5)]

    written = await node.db.write(given)

    await clean_up.delete_outdated(node.db, now_ms(), keep_remote_posts_days=180)

    assert await node.db.read(home, alice) == written[:1:-1]
    assert len(await node.db.read(home, bob)) == 1


async def test_a_pending_follow_puts_nothing_into_the_feed(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        locked = lock(tx, alice)
        request = follows.follow(tx, bob, locked)
        post = publish(tx, locked)
        assert home(tx, bob) == []
        follows.accept(tx, request)
        assert home(tx, bob) == [post.id]

    await node.db.write(unit)


async def test_a_comment_is_in_the_feeds_of_those_it_concerns(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, mallory, bob)
        post = publish(tx, alice)
        comment = publish(tx, bob, "hm", parent_id=post.id)
        own = publish(tx, bob, "photo")
        more = publish(tx, bob, "and more", parent_id=own.id)
        assert home(tx, mallory) == [more.id, own.id]
        follow(tx, alice, bob)
        assert comment.id in home(tx, alice)
        follow(tx, mallory, alice)
        second = publish(tx, bob, "hm", parent_id=post.id)
        assert second.id in home(tx, mallory)

    await node.db.write(unit)


async def test_mutes_and_blocks_keep_posts_out_and_take_them_out(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        for followed in (alice, mallory):
            follow(tx, bob, followed)
        kept, muted = publish(tx, alice), publish(tx, mallory)
        blocks.mute(tx, bob, mallory)
        later = publish(tx, mallory)
        boosts.boost(tx, alice, muted)
        assert home(tx, bob) == [kept.id]
        assert tx.value("SELECT COUNT(*) FROM feed WHERE account_id = :bob", bob=bob.id) == 1
        blocks.unmute(tx, bob, mallory)
        assert set(home(tx, bob)) == {kept.id, muted.id, later.id}
        blocks.block(tx, mallory, bob)
        assert home(tx, bob) == [kept.id]

    await node.db.write(unit)


async def test_unfollowing_keeps_the_posts_of_authors_still_followed(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, bob, mallory)
        post, other = publish(tx, alice), publish(tx, mallory)
        boosts.boost(tx, mallory, post)
        follow(tx, bob, alice)
        assert len(home(tx, bob)) == 2
        follows.unfollow(tx, bob, mallory)
        assert home(tx, bob) == [post.id]
        assert other.id not in home(tx, bob)

    await node.db.write(unit)


async def test_a_new_follow_adds_the_latest_posts_and_boosts(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        many = [publish(tx, alice, f"{n}") for n in range(home_feed.MAX_BACKFILLED + 5)]
        boosted = publish(tx, mallory)
        boosts.boost(tx, alice, boosted)
        publish(tx, alice, "@mallory", visibility="direct")
        follow(tx, bob, alice)
        latest = [post.id for post in many[-home_feed.MAX_BACKFILLED + 1 :]]
        assert home(tx, bob)[0] == boosted.id
        assert set(home(tx, bob)) - set(latest) <= {boosted.id, many[-home_feed.MAX_BACKFILLED].id}
        assert set(latest) <= set(home(tx, bob))

    await node.db.write(unit)


async def test_a_post_for_ten_thousand_is_one_statement(node: Node, alice: Account) -> None:
    class Counting:
        """A writer that counts the statements that pass through it."""

        def __init__(self, tx: Writer) -> None:
            self.tx, self.statements = tx, 0

        def run(self, sql: str, /, **values: object) -> int:
            self.statements += 1
            return self.tx.run(sql, **values)

        def __getattr__(self, name: str) -> object:
            return getattr(self.tx, name)

    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        post = receive_post(tx, rita)
        home_feed.delete_by_post(tx, post)
        counting = Counting(tx)
        home_feed.add_post(counting, post)  # type: ignore[arg-type]
        assert counting.statements == 1
        assert home(tx, alice) == [post.id]

    await node.db.write(unit)


async def test_after_any_sequence_the_feed_is_complete_and_visible(
    node: Node, pairs: dict[str, object]
) -> None:
    """Random actions by four accounts: a feed holds no post its reader may not see, and misses none by the followed."""
    person = st.integers(0, 3)
    actions = st.lists(
        st.tuples(
            st.sampled_from(ACTIONS),
            person,
            person,
            st.integers(0, 5),
        ),
        max_size=40,
    )

    def unit(tx: Writer) -> None:
        from tests.support.worlds import local_person

        @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(actions)
        def run(done: list[tuple[str, int, int, int]]) -> None:
            tx.run("SAVEPOINT world")
            try:
                accounts = [local_person(tx, f"p{n}") for n in range(3)] + [remote(tx, "p3")]
                Story(tx, accounts).run(done)
            finally:
                tx.run("ROLLBACK TO SAVEPOINT world")

        run()

    await node.db.write(unit)


class Story:
    """Actions, one after the other, and what must be true after each."""

    def __init__(self, tx: Writer, accounts: list[Account]) -> None:
        self.tx, self.accounts = tx, accounts
        self.post_ids: list[int] = []

    def run(self, actions: list[tuple[str, int, int, int]]) -> None:
        for action, one, other, number in actions:
            actor, target = self.accounts[one], self.accounts[other]
            post = posts.by_id(self.tx, self.post_ids[number % len(self.post_ids)]) if self.post_ids else None
            self.do(action, actor, target, post)
            self.check()

    def do(self, action: str, actor: Account, target: Account, post: Post | None) -> None:
        tx = self.tx
        if action in ("post", "followers"):
            visibility = "public" if action == "post" else action
            made = (
                publish(tx, actor, visibility=visibility)
                if actor.is_local
                else receive_post(tx, actor, visibility=visibility)
            )
            self.post_ids.append(made.id)
        elif action in ("boost", "unboost", "delete", "comment"):
            if post is None or not may_see(tx, actor, post):
                return
            if action == "delete" and post.account_id == actor.id:
                post_deletion.remove_locally(tx, post)
            elif action == "boost" and boosts.can_boost(actor, post):
                boosts.boost(tx, actor, post)
            elif action == "unboost":
                boosts.unboost(tx, actor, post)
            elif action == "comment" and actor.is_local:
                publish(tx, actor, "hm", parent_id=post.id)
        elif actor.id != target.id:
            if action == "follow":
                if not relationships.is_block_between(tx, actor, target):
                    follow(tx, actor, target)
            else:
                owner = follows if action == "unfollow" else blocks
                getattr(owner, action)(tx, actor, target)

    def check(self) -> None:
        tx = self.tx
        for viewer in self.accounts[:3]:
            seen = home(tx, viewer)
            assert len(seen) == len(set(seen))
            for post_id in seen:
                post = posts.by_id(tx, post_id)
                assert post is not None
                assert may_see(tx, viewer, post)
            for post_id in self.post_ids:
                post = posts.by_id(tx, post_id)
                assert post is not None
                author = next(person for person in self.accounts if person.id == post.account_id)
                made = relationships.follow_between(tx, viewer, author)
                if post.deleted_at is not None:
                    assert post_id not in seen
                elif author.id == viewer.id or (
                    made is not None and made.is_accepted and not relationships.has_muted(tx, viewer, author)
                ):
                    assert post_id in seen
