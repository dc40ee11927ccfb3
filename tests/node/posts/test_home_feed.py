"""Home feeds: what comes in, what stays out, what is taken back."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.accounts import relationships
from node.database import Writer
from node.interactions import blocks, boosts, follows
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import may_see
from node.node import Node
from node.paging import Page
from node.posts import home_feed, posts
from node.publishing import post_deletion
from node.timelines import timelines
from tests.support.people import lock, remote
from tests.support.posting import arrives, follow, publish

WHOLE = Page(limit=80)
DEEDS = [
    *("post", "post", "followers", "follow", "follow", "unfollow", "block", "unblock", "mute", "unmute"),
    *("boost", "boost", "unboost", "delete", "comment"),
]


def home(tx: Writer, who: Account) -> list[int]:
    return [entry.post_id for entry in timelines.home(tx, who, WHOLE)]


async def test_direct_posts_are_in_no_feed(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, bob, alice)
        publish(tx, alice, "@bob psst", visibility="direct")
        assert (home(tx, alice), home(tx, bob)) == ([], [])

    await node.db.write(unit)


async def test_a_pending_follow_brings_nothing(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        locked = lock(tx, alice)
        asked = follows.follow(tx, bob, locked)
        post = publish(tx, locked)
        assert home(tx, bob) == []
        follows.accept(tx, asked)
        assert home(tx, bob) == [post.id]

    await node.db.write(unit)


async def test_a_comment_comes_to_those_whom_it_concerns(
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


async def test_unfollowing_keeps_what_somebody_still_followed_has_posted(
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


async def test_a_new_follow_brings_the_latest_posts_and_boosts(
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
        post = arrives(tx, rita)
        home_feed.delete_by_post(tx, post)
        counting = Counting(tx)
        home_feed.add_post(counting, post)  # type: ignore[arg-type]
        assert counting.statements == 1
        assert home(tx, alice) == [post.id]

    await node.db.write(unit)


async def test_whatever_happens_home_holds_what_it_should(node: Node, pairs: dict[str, object]) -> None:
    """Random deeds by four people: nothing unseen is in a feed, and nothing by the followed is missing."""
    person = st.integers(0, 3)
    deeds = st.lists(
        st.tuples(
            st.sampled_from(DEEDS),
            person,
            person,
            st.integers(0, 5),
        ),
        max_size=40,
    )

    def unit(tx: Writer) -> None:
        from tests.support.worlds import local_person

        @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(deeds)
        def run(done: list[tuple[str, int, int, int]]) -> None:
            tx.run("SAVEPOINT world")
            try:
                people = [local_person(tx, f"p{n}") for n in range(3)] + [remote(tx, "p3")]
                Story(tx, people).tell(done)
            finally:
                tx.run("ROLLBACK TO SAVEPOINT world")

        run()

    await node.db.write(unit)


class Story:
    """Deeds, one after the other, and what must be true after each."""

    def __init__(self, tx: Writer, people: list[Account]) -> None:
        self.tx, self.people = tx, people
        self.said: list[int] = []

    def tell(self, deeds: list[tuple[str, int, int, int]]) -> None:
        for deed, one, other, number in deeds:
            who, whom = self.people[one], self.people[other]
            post = posts.by_id(self.tx, self.said[number % len(self.said)]) if self.said else None
            self.do(deed, who, whom, post)
            self.check()

    def do(self, deed: str, who: Account, whom: Account, post: Post | None) -> None:
        tx = self.tx
        if deed in ("post", "followers"):
            visibility = "public" if deed == "post" else deed
            made = (
                publish(tx, who, visibility=visibility)
                if who.is_local
                else arrives(tx, who, visibility=visibility)
            )
            self.said.append(made.id)
        elif deed in ("boost", "unboost", "delete", "comment"):
            if post is None or not may_see(tx, who, post):
                return
            if deed == "delete" and post.account_id == who.id:
                post_deletion.remove_locally(tx, post)
            elif deed == "boost" and boosts.can_boost(who, post):
                boosts.boost(tx, who, post)
            elif deed == "unboost":
                boosts.unboost(tx, who, post)
            elif deed == "comment" and who.is_local:
                publish(tx, who, "hm", parent_id=post.id)
        elif who.id != whom.id:
            if deed == "follow":
                if not relationships.is_block_between(tx, who, whom):
                    follow(tx, who, whom)
            else:
                owner = follows if deed == "unfollow" else blocks
                getattr(owner, deed)(tx, who, whom)

    def check(self) -> None:
        tx = self.tx
        for viewer in self.people[:3]:
            seen = home(tx, viewer)
            assert len(seen) == len(set(seen))
            for post_id in seen:
                post = posts.by_id(tx, post_id)
                assert post is not None
                assert may_see(tx, viewer, post)
            for post_id in self.said:
                post = posts.by_id(tx, post_id)
                assert post is not None
                author = next(person for person in self.people if person.id == post.account_id)
                made = relationships.follow_between(tx, viewer, author)
                if post.deleted_at is not None:
                    assert post_id not in seen
                elif author.id == viewer.id or (
                    made is not None and made.is_accepted and not relationships.has_muted(tx, viewer, author)
                ):
                    assert post_id in seen
