from __future__ import annotations

from dataclasses import replace

from node.database import Database, Reader, Writer
from node.ids import now_ms
from node.models.account import Account
from node.models.post import Post
from node.posts import mentions, posts
from tests.support.posting import publish


def stored(tx: Reader, post: Post) -> dict[str, bool]:
    """Name → whether the mention is silent."""
    return {one.account.name: one.is_silent for one in mentions.by_post(tx, post)}


def edited(post: Post) -> Post:
    return replace(post, edited_at=now_ms())


async def test_named_and_silent_accounts_are_both_addressed(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        mentions.replace(tx, post, [bob], [mallory])
        assert stored(tx, post) == {"bob": False, "mallory": True}

    await db.write(unit)


async def test_an_account_named_and_addressed_is_named(db: Database, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        mentions.replace(tx, post, [bob], [bob])
        assert stored(tx, post) == {"bob": False}

    await db.write(unit)


async def test_the_author_is_never_addressed(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        mentions.replace(tx, post, [alice], [alice])
        assert stored(tx, post) == {}

    await db.write(unit)


async def test_an_edit_replaces_the_mentions(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "@bob look")
        mentions.replace(tx, edited(post), [mallory], [bob])
        assert stored(tx, post) == {"bob": True, "mallory": False}
        mentions.replace(tx, edited(post), [], [])
        assert stored(tx, post) == {}

    await db.write(unit)


async def test_a_mentioned_account_sees_a_direct_post_until_it_is_removed(
    db: Database, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "psst", visibility="direct")
        assert posts.visible_by_uri(tx, bob, post.uri) is None
        mentions.replace(tx, post, [], [bob])
        assert posts.visible_by_uri(tx, bob, post.uri) == post

    await db.write(unit)


async def test_ids_by_post_leave_out_silent_mentions(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        one, two = publish(tx, alice), publish(tx, alice)
        mentions.replace(tx, one, [bob], [mallory])
        mentions.replace(tx, two, [], [bob])
        assert mentions.account_ids_by_posts(tx, [one.id, two.id]) == {one.id: [bob.id]}

    await db.write(unit)


async def test_mentions_of_one_post_are_deleted_alone(db: Database, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        one, two = publish(tx, alice, "@bob 1"), publish(tx, alice, "@bob 2")
        mentions.delete_by_post(tx, one)
        assert mentions.by_posts(tx, [one.id, two.id]).keys() == {two.id}

    await db.write(unit)
