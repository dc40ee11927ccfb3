from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from node.accounts import accounts
from node.attachments import photos
from node.database import Writer
from node.errors import NotAllowed, NotFound
from node.interactions import bookmarks, boosts, likes
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from node.timelines import timelines
from tests.support.people import activities_of, notifications_of, remote, verbs_of
from tests.support.posting import follow, publish, receive_post

PAGE = Page()


def counted(tx: Writer, author: Account) -> int:
    return accounts.get(tx, author.id).posts_count


async def test_a_deleted_post_leaves_a_tombstone_and_nothing_else(
    node: Node,
    alice: Account,
    bob: Account,
    photo: Callable[..., bytes],
    settle: Callable[[], Awaitable[int]],
) -> None:
    picture = await photos.upload(node, alice, photo())
    [path, *_] = [node.storage.path(kept.key) for kept in picture.files.values()]
    assert path is not None

    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, bob, alice)
        post = publish(tx, alice, "Secret plan #fog", photo_ids=[picture.id])
        for account in (bob, rita):
            likes.like(tx, account, post, uri=f"like:{account.id}")
        boosts.boost(tx, bob, post)
        bookmarks.add(tx, bob, post)
        publishing.edit(tx, alice, post, Draft(caption="Secret #fog", photo_ids=[picture.id]))
        post_deletion.delete(tx, alice, post)
        tombstone = posts.by_id(tx, post.id)

        assert tombstone is not None
        assert tombstone.deleted_at is not None
        assert (tombstone.caption, tombstone.source, tombstone.likes_count) == ("", "", 0)
        for table in (
            "photos",
            "photo_files",
            "likes",
            "boosts",
            "bookmarks",
            "feed",
            "mentions",
            "post_edits",
        ):
            assert tx.value(f"SELECT COUNT(*) FROM {table}") == 0, table
        for table in ("post_hashtags", "hashtag_uses"):
            assert tx.value(f"SELECT COUNT(*) FROM {table}") == 0, table
        assert notifications_of(tx, alice) == [("follow", bob.id)]
        assert counted(tx, alice) == 0
        verb, uri, extra = activities_of(tx, alice)[-1]
        assert (verb, uri) == ("Delete", post.uri)
        assert (extra["former"], extra["visibility"], extra["interested"]) == ("Note", "public", [rita.id])
        with pytest.raises(NotFound):
            posts.visible_by_id(tx, alice, post.id)
        with pytest.raises(NotFound):
            post_deletion.delete(tx, alice, post)

    assert path.exists()
    await node.db.write(unit)
    await settle()
    assert not path.exists()


async def test_deleting_posts_one_by_one_takes_their_counts_back(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, bob)
        own = [publish(tx, alice, "comment", parent_id=post.id), publish(tx, alice, "post")]
        likes.like(tx, alice, post)
        boosts.boost(tx, alice, post)
        for one in own:
            post_deletion.remove_locally(tx, one)
        likes.delete_by_account(tx, alice)
        boosts.delete_by_account(tx, alice)
        current = posts.by_id(tx, post.id)
        assert current is not None
        assert (current.likes_count, current.boosts_count, current.comments_count) == (0, 0, 0)
        assert timelines.profile(tx, None, alice, PAGE, include_comments=True, include_boosts=True) == []
        assert "Delete" not in verbs_of(tx, alice)

    await node.db.write(unit)


async def test_removing_a_post_twice_counts_once(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        comments = [publish(tx, bob, "x", parent_id=post.id) for _ in range(2)]
        post_deletion.remove_locally(tx, comments[0])
        again = posts.by_id(tx, comments[0].id)
        assert again is not None
        post_deletion.remove_locally(tx, again)

        current = posts.by_id(tx, post.id)
        assert current is not None
        assert (current.comments_count, counted(tx, alice)) == (1, 1)

    await node.db.write(unit)


async def test_only_the_author_deletes_and_only_the_author_sends_a_delete(
    node: Node, alice: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        with pytest.raises(NotAllowed):
            post_deletion.delete(tx, mallory, post)
        assert posts.visible_by_id(tx, None, post.id) == post

        post_deletion.remove_locally(tx, post)
        assert (verbs_of(tx, alice), verbs_of(tx, mallory)) == (["Create"], [])

    await node.db.write(unit)


async def test_a_delete_names_all_remote_accounts_that_have_the_post(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        liker, booster, commenter, named = (remote(tx, name) for name in ("rita", "sam", "tom", "una"))
        post = publish(tx, alice, "With @una@far.example")
        likes.like(tx, liker, post, uri="https://far.example/1")
        likes.like(tx, bob, post)
        boosts.boost(tx, booster, post, uri="https://far.example/2")
        receive_post(tx, commenter, parent_uri=post.uri)

        post_deletion.delete(tx, alice, post)

        _, _, extra = activities_of(tx, alice)[-1]
        assert sorted(extra["interested"]) == sorted([liker.id, booster.id, commenter.id])
        assert extra["mentions"] == [named.id]
        assert extra["deleted_at"] > post.published_at

    await node.db.write(unit)


async def test_a_private_comment_does_not_lower_a_count_it_never_raised(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        private = publish(tx, bob, "psst", parent_id=post.id, visibility="direct")
        post_deletion.delete(tx, bob, private)

        current = posts.by_id(tx, post.id)
        assert current is not None
        assert current.comments_count == 0

    await node.db.write(unit)
