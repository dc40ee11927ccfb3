from __future__ import annotations

from collections.abc import Callable

import pytest

from node.accounts import accounts
from node.attachments import photos
from node.database import Writer
from node.errors import NotFound
from node.interactions import bookmarks, boosts, likes
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from node.timelines import timelines
from tests.support.people import remote, said, told, verbs
from tests.support.posting import follow, publish

PAGE = Page()


def counted(tx: Writer, who: Account) -> int:
    return accounts.get(tx, who.id).posts_count


async def test_a_deleted_post_leaves_a_tombstone_and_nothing_else(
    node: Node,
    alice: Account,
    bob: Account,
    photo: Callable[..., bytes],
    settle: Callable[[], object],
) -> None:
    picture = await photos.upload(node, alice, photo())
    [path, *_] = [node.storage.path(kept.key) for kept in picture.files.values()]
    assert path is not None

    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, bob, alice)
        post = publish(tx, alice, "Secret plan #fog", photo_ids=[picture.id])
        for person in (bob, rita):
            likes.like(tx, person, post, uri=f"like:{person.id}")
        boosts.boost(tx, bob, post)
        bookmarks.add(tx, bob, post)
        publishing.edit(tx, alice, post, Draft(caption="Secret #fog", photo_ids=[picture.id]))
        post_deletion.delete(tx, alice, post)
        posts_left = posts.by_id(tx, post.id)

        assert posts_left is not None
        assert posts_left.deleted_at is not None
        assert (posts_left.caption, posts_left.source, posts_left.likes_count) == ("", "", 0)
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
        assert told(tx, alice) == [("follow", bob.id)]
        assert counted(tx, alice) == 0
        verb, uri, extra = said(tx, alice)[-1]
        assert (verb, uri) == ("Delete", post.uri)
        assert (extra["former"], extra["visibility"], extra["interested"]) == ("Note", "public", [rita.id])
        with pytest.raises(NotFound):
            posts.visible_by_id(tx, alice, post.id)
        with pytest.raises(NotFound):
            post_deletion.delete(tx, alice, post)

    assert path.exists()
    await node.db.write(unit)
    await node_jobs(node)
    assert not path.exists()


async def node_jobs(node: Node) -> None:
    """Run the jobs that delete files."""
    from node.attachments import stored_files
    from node.ids import now_ms
    from node.jobs import queue

    for job in await node.db.write(queue.claim, "delete_files", 100, now_ms()):
        await stored_files.delete_files(node, job)


async def test_a_person_who_leaves_takes_their_posts_along(node: Node, alice: Account, bob: Account) -> None:
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
        assert "Delete" not in verbs(tx, alice)

    await node.db.write(unit)
