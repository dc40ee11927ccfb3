"""Post summaries: versions that change with what is shown, visibility, and the same pages as timelines."""

from __future__ import annotations

import pytest

from node.accounts import accounts
from node.database import Writer
from node.interactions import boosts, likes
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing
from node.timelines import post_summaries, timelines
from node.timelines.post_summaries import PostSummary
from node.timelines.timelines import TimelineEntry
from tests.support import people
from tests.support.people import remote
from tests.support.posting import follow, publish, receive_post


def summary(tx: Writer, viewer: Account | None, post: Post) -> PostSummary:
    [found] = post_summaries.by_entries(tx, viewer, [TimelineEntry(post.id, post.id)])
    return found


async def test_versions_in_sql_are_those_computed_from_rows(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        comment = publish(tx, bob, "hm", parent_id=post.id)
        edited = publishing.edit(tx, alice, publish(tx, alice, "1"), Draft(caption="2"))
        for one in (post, comment, edited, receive_post(tx, remote(tx))):
            current, author = posts.by_id(tx, one.id), accounts.get(tx, one.account_id)
            assert current is not None
            found = summary(tx, None, one)

            assert found.version == post_summaries.post_version(current)
            assert found.author_version == post_summaries.account_version(author)
            assert post_summaries.account_versions(tx, [author.id]) == {author.id: found.author_version}

    await node.db.write(unit)


async def test_an_edit_changes_the_version_and_a_like_does_not(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "1")
        before = summary(tx, bob, post)

        likes.like(tx, bob, post)
        liked = summary(tx, bob, post)
        assert (liked.version, liked.author_version) == (before.version, before.author_version)
        assert (before.likes, liked.likes, liked.viewer_marks.liked) == (0, 1, True)

        publishing.edit(tx, alice, post, Draft(caption="2"))
        assert summary(tx, bob, post).version != before.version

    await node.db.write(unit)


async def test_the_author_version_changes_with_profile_and_counts(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        versions = [summary(tx, None, post).author_version]
        follow(tx, bob, alice)
        versions.append(summary(tx, None, post).author_version)
        publish(tx, alice, "another")
        versions.append(summary(tx, None, post).author_version)
        tx.run("UPDATE accounts SET updated_at = updated_at - 9 WHERE id = :id", id=alice.id)
        people.profile(tx, alice, display_name="Alice L.")
        versions.append(summary(tx, None, post).author_version)

        assert len(set(versions)) == len(versions)

    await node.db.write(unit)


async def test_counts_are_those_of_the_post(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        likes.like(tx, bob, post)
        likes.like(tx, alice, post)
        boosts.boost(tx, bob, post)
        for number in range(3):
            publish(tx, bob, f"{number}", parent_id=post.id)

        found = summary(tx, None, post)
        assert (found.likes, found.boosts, found.comments) == (2, 1, 3)

    await node.db.write(unit)


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_posts_that_the_viewer_may_not_see_are_left_out(
    node: Node, alice: Account, bob: Account, visibility: str
) -> None:
    def unit(tx: Writer) -> None:
        hidden = publish(tx, alice, visibility=visibility)
        shown = publish(tx, alice)
        entries = [TimelineEntry(9, hidden.id, bob.id), TimelineEntry(shown.id, shown.id)]

        for viewer in (bob, None):
            found = post_summaries.by_entries(tx, viewer, entries)
            assert [one.post_id for one in found] == [shown.id]
        assert len(post_summaries.by_entries(tx, alice, entries)) == 2

    await node.db.write(unit)


async def test_entries_keep_their_order_and_boosts(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        one, two = publish(tx, alice, "1"), publish(tx, alice, "2")
        entries = [
            TimelineEntry(900, two.id, bob.id),
            TimelineEntry(one.id, one.id),
            TimelineEntry(two.id, two.id),
        ]

        found = post_summaries.by_entries(tx, None, [*entries, TimelineEntry(5, 12345)])

        assert [one.entry for one in found] == entries
        assert post_summaries.by_entries(tx, None, []) == []

    await node.db.write(unit)


@pytest.mark.parametrize("include_comments", [True, False])
async def test_home_has_the_same_entries_as_the_timeline(
    node: Node, alice: Account, bob: Account, include_comments: bool
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, alice, bob)
        made = [publish(tx, bob, f"{number}") for number in range(6)]
        publish(tx, alice, "hm", parent_id=made[0].id)
        boosts.boost(tx, bob, receive_post(tx, remote(tx)))
        likes.like(tx, alice, made[1])
        for page in (
            Page(),
            Page(limit=3),
            Page(max_id=made[3].id),
            Page(min_id=made[1].id, limit=2),
            Page(since_id=made[2].id),
        ):
            entries = timelines.home(tx, alice, page, include_comments=include_comments)
            assert entries

            found = post_summaries.home(tx, alice, page, include_comments=include_comments)

            assert found == post_summaries.by_entries(tx, alice, entries)

    await node.db.write(unit)
