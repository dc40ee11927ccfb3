from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.database import Reader, Writer
from node.errors import NotFound
from node.interactions import blocks, emoji_reactions, likes
from node.models.account import Account
from node.models.post import Post
from node.models.remote_actor import RemoteEmoji
from node.node import Node
from node.posts import posts
from tests.support.people import notifications_of, remote
from tests.support.posting import publish


def react(tx: Writer, account: Account, post: Post, emoji: str, number: int = 1) -> str:
    """React with an emoji, under an id of its own."""
    uri = f"{account.uri}/reactions/{post.id}/{number}"
    emoji_reactions.react(tx, account, post, uri, name=emoji, content=emoji)
    return uri


def counts(tx: Reader, post: Post, viewer: Account | None = None) -> list[tuple[str, int]]:
    return [(one.content, one.count) for one in emoji_reactions.counts_by_post(tx, viewer, post)]


def likes_count(tx: Reader, post: Post) -> int:
    current = posts.by_id(tx, post.id)
    assert current is not None
    return current.likes_count


async def test_a_reaction_is_also_a_like(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        uri = react(tx, rita, post, "🔥")

        assert counts(tx, post) == [("🔥", 1)]
        assert likes_count(tx, post) == 1
        assert notifications_of(tx, alice) == [("like", rita.id)]
        assert likes.by_uri(tx, uri) is not None
        assert [one.uri for one in emoji_reactions.by_account_and_post(tx, rita, post)] == [uri]

    await node.db.write(unit)


async def test_several_reactions_of_an_account_are_one_like(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, sam, post = remote(tx), remote(tx, "sam"), publish(tx, alice)
        react(tx, rita, post, "🔥", 1)
        react(tx, rita, post, "🔥", 2)
        react(tx, rita, post, "🌊", 3)
        react(tx, sam, post, "🌊")

        assert counts(tx, post) == [("🌊", 2), ("🔥", 1)]
        assert likes_count(tx, post) == 2

    await node.db.write(unit)


async def test_the_like_goes_with_the_last_reaction(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        first, second = react(tx, rita, post, "🔥", 1), react(tx, rita, post, "🌊", 2)

        assert emoji_reactions.unreact_by_uri(tx, rita, first)
        assert (counts(tx, post), likes_count(tx, post)) == ([("🌊", 1)], 1)
        assert emoji_reactions.unreact_by_uri(tx, rita, second)
        assert (counts(tx, post), likes_count(tx, post)) == ([], 0)
        assert not emoji_reactions.unreact_by_uri(tx, rita, second)

    await node.db.write(unit)


async def test_a_like_given_apart_stays_without_its_reactions(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        likes.like(tx, rita, post, uri="https://far.example/likes/1")

        assert emoji_reactions.unreact_by_uri(tx, rita, react(tx, rita, post, "🔥"))

        assert (counts(tx, post), likes_count(tx, post)) == ([], 1)

    await node.db.write(unit)


async def test_nobody_removes_the_reaction_of_another(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, sam, post = remote(tx), remote(tx, "sam"), publish(tx, alice)
        uri = react(tx, rita, post, "🔥")

        assert not emoji_reactions.unreact_by_uri(tx, sam, uri)
        assert counts(tx, post) == [("🔥", 1)]

    await node.db.write(unit)


async def test_an_account_gives_a_post_so_many_emoji_and_no_more(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        for number in range(emoji_reactions.MAX_PER_ACCOUNT + 3):
            react(tx, rita, post, f"emoji {number}", number)

        assert len(counts(tx, post)) == emoji_reactions.MAX_PER_ACCOUNT
        assert likes_count(tx, post) == 1

    await node.db.write(unit)


async def test_a_post_that_may_not_be_seen_gets_no_reaction(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice, visibility="followers")
        with pytest.raises(NotFound):
            react(tx, rita, post, "🔥")
        assert counts(tx, post, alice) == []

    await node.db.write(unit)


async def test_reactions_by_blocked_and_suspended_accounts_are_not_counted(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        for name in ("rita", "sam"):
            react(tx, remote(tx, name), post, "🔥")
        blocks.block(tx, bob, remote(tx, "rita"))
        assert (counts(tx, post, bob), counts(tx, post)) == ([("🔥", 1)], [("🔥", 2)])
        tx.run("UPDATE accounts SET suspended_at = 1 WHERE name = 'sam'")
        assert (counts(tx, post, bob), counts(tx, post)) == ([], [("🔥", 1)])

    await node.db.write(unit)


async def test_a_custom_emoji_is_recorded_with_its_picture(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        emoji = RemoteEmoji("blobcat", "https://far.example/blobcat.png")
        emoji_reactions.react(
            tx, rita, post, "https://far.example/r/1", name="k", content=":blobcat:", remote_emoji=emoji
        )

        [shown] = emoji_reactions.counts_by_post(tx, None, post)
        assert (shown.content, "blobcat" in shown.emoji) == (":blobcat:", True)
        assert tx.value("SELECT url FROM emoji WHERE shortcode = 'blobcat'") == emoji.url
        by_account = emoji_reactions.by_posts_and_accounts(tx, [post.id], [rita.id, alice.id])
        assert {key: [one.content for one in found] for key, found in by_account.items()} == {
            (post.id, rita.id): [":blobcat:"]
        }

    await node.db.write(unit)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(["react", "unreact", "unreact all"]), st.integers(0, 3)), max_size=12)
)
async def test_after_any_sequence_reactions_and_like_agree(
    node: Node, alice: Account, steps: list[tuple[str, int]]
) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        given_emoji: set[int] = set()
        for step, number in steps:
            if step == "react":
                react(tx, rita, post, f"emoji {number}", number)
                given_emoji.add(number)
            elif step == "unreact":
                emoji_reactions.unreact_by_uri(tx, rita, f"{rita.uri}/reactions/{post.id}/{number}")
                given_emoji.discard(number)
            else:
                for reaction in emoji_reactions.by_account_and_post(tx, rita, post):
                    emoji_reactions.unreact_by_uri(tx, rita, reaction.uri)
                likes.unlike(tx, rita, post)
                given_emoji.clear()
            assert len(counts(tx, post)) == len(given_emoji)
            assert likes_count(tx, post) == bool(given_emoji)

    await node.db.write(unit)
