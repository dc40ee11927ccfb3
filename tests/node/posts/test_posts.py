from __future__ import annotations

from dataclasses import replace

import pytest

from node.database import Database, Reader, Writer
from node.errors import NotAllowed, NotFound
from node.ids import new_id
from node.interactions import blocks
from node.models.account import Account
from node.models.post import Post
from node.posts import posts
from tests.support.people import remote
from tests.support.posting import follow, publish, receive_post


def now(tx: Reader, post: Post) -> Post:
    found = posts.by_id(tx, post.id)
    assert found is not None
    return found


async def test_a_row_is_read_as_it_was_written(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = replace(publish(tx, alice), id=new_id(), uri="https://a.test/1", likes_count=3, language="de")
        assert posts.insert(tx, post)
        assert posts.by_id(tx, post.id) == post
        assert posts.by_uri(tx, post.uri) == post
        assert posts.by_ids(tx, [post.id, 1]) == {post.id: post}

    await db.write(unit)


async def test_an_id_or_a_uri_in_use_is_not_inserted(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        assert not posts.insert(tx, replace(post, uri="https://a.test/other"))
        assert not posts.insert(tx, replace(post, id=new_id()))

    await db.write(unit)


async def test_a_page_url_finds_a_post_only_where_it_is_not_the_id(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        local = publish(tx, alice)
        far = receive_post(tx, remote(tx), url="https://far.example/@rita/1")
        assert posts.by_url(tx, "https://far.example/@rita/1") == far
        assert posts.by_url(tx, local.url) is None

    await db.write(unit)


async def test_who_may_not_see_a_post_does_not_find_it(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, bob, alice)
        post = publish(tx, alice, visibility="followers")
        assert posts.visible_by_id(tx, bob, post.id) == post
        assert posts.visible_by_uri(tx, alice, post.uri) == post
        for stranger in (mallory, None):
            with pytest.raises(NotFound):
                posts.visible_by_id(tx, stranger, post.id)
            assert posts.visible_by_uri(tx, stranger, post.uri) is None
        blocks.block(tx, alice, bob)
        with pytest.raises(NotFound):
            posts.visible_by_id(tx, bob, post.id)

    await db.write(unit)


async def test_counts_are_added_up_but_not_on_a_deleted_post(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        posts.adjust_counts(tx, post.id, likes=2, boosts=1)
        posts.adjust_counts(tx, post.id, likes=-1, comments=4)
        counted = now(tx, post)
        assert (counted.likes_count, counted.boosts_count, counted.comments_count) == (1, 1, 4)
        posts.mark_deleted(tx, post.id)
        posts.adjust_counts(tx, post.id, likes=1, comments=-1)
        assert (now(tx, post).likes_count, now(tx, post).comments_count) == (0, 4)

    await db.write(unit)


async def test_a_deleted_row_is_emptied_and_keeps_its_place(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "Secret", warning="wet", language="en")
        posts.mark_deleted(tx, post.id)
        gone = now(tx, post)
        assert (gone.caption, gone.source, gone.warning, gone.language, gone.is_sensitive) == (
            "",
            "",
            "",
            "",
            False,
        )
        assert (gone.uri, gone.root_id, gone.account_id) == (post.uri, post.root_id, alice.id)
        assert gone.deleted_at is not None

    await db.write(unit)


async def test_only_the_author_has_a_post_as_their_own_until_it_is_deleted(
    db: Database, alice: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        posts.adjust_counts(tx, post.id, likes=1)
        assert posts.own_post(tx, alice, post).likes_count == 1
        with pytest.raises(NotAllowed):
            posts.own_post(tx, mallory, post)
        posts.mark_deleted(tx, post.id)
        with pytest.raises(NotFound):
            posts.own_post(tx, alice, post)

    await db.write(unit)


async def test_comments_before_their_parent_join_it_with_all_below_them(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        early = receive_post(tx, rita, parent_uri="https://far.example/late")
        below = receive_post(tx, rita, parent_uri=early.uri)
        private = receive_post(tx, rita, parent_uri="https://far.example/late", visibility="followers")
        post = replace(publish(tx, alice), id=new_id(), uri="https://far.example/late")
        post = replace(post, root_id=post.id)
        assert posts.insert(tx, post)

        joined = posts.attach_orphaned_comments(tx, post)

        assert {one.id for one in joined} == {early.id, private.id}
        assert (now(tx, early).parent_id, now(tx, early).root_id) == (post.id, post.id)
        assert (now(tx, below).parent_id, now(tx, below).root_id) == (early.id, post.id)
        assert now(tx, post).comments_count == 1
        assert posts.attach_orphaned_comments(tx, post) == []

    await db.write(unit)
