"""Old conversations of remote accounts: deleted as a whole when nobody here has a part in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.admin import reports
from node.database import Database, Reader, Writer
from node.ids import now_ms
from node.interactions import bookmarks, boosts, likes, pins
from node.maintenance import clean_up, old_conversations
from node.models.account import Account
from node.models.post import Post
from node.posts import posts
from tests.support.people import remote
from tests.support.posting import follow, picture, publish, receive_post

DAYS = 180
OLD = now_ms() - 400 * clean_up.DAY_MS
LATER = now_ms() + 200 * clean_up.DAY_MS
"""When posts that arrived today are old."""


async def clean(db: Database, now: int = LATER) -> None:
    await clean_up.delete_outdated(db, now, keep_remote_posts_days=DAYS)


def remaining(tx: Reader) -> set[int]:
    return {row["id"] for row in tx.all("SELECT id FROM posts")}


def conversation(tx: Writer, length: int = 3) -> list[Post]:
    """A remote post and comments on each other, by two remote accounts."""
    authors = [remote(tx), remote(tx, "rob", "other.example")]
    made: list[Post] = []
    for number in range(length):
        parent = made[-1].uri if made else ""
        made.append(
            receive_post(
                tx, authors[number % 2], parent_uri=parent, published_at=OLD + number, photos=[picture()]
            )
        )
    return made


async def test_an_old_conversation_is_deleted_with_all_that_hangs_on_it(db: Database) -> None:
    def given(tx: Writer) -> None:
        first, *_ = conversation(tx)
        receive_post(tx, remote(tx), html="<p>#lake</p>", hashtags=["lake"], published_at=OLD)
        likes.like(tx, remote(tx, "rob", "other.example"), first, uri="https://other.example/likes/1")

    await db.write(given)

    await clean(db)

    tables = ("posts", "photos", "likes", "post_hashtags", "hashtags", "accounts WHERE NOT is_local")
    counts = {
        table: await db.read(lambda tx, t=table: tx.value(f"SELECT COUNT(*) FROM {t}")) for table in tables
    }
    assert counts == dict.fromkeys(tables, 0)


async def test_what_was_received_lately_stays_however_old_it_is(db: Database) -> None:
    made = await db.write(conversation)

    await clean(db, now_ms())

    assert await db.read(remaining) == {post.id for post in made}


async def test_one_recent_comment_keeps_the_whole_conversation(db: Database) -> None:
    def given(tx: Writer) -> list[Post]:
        made = conversation(tx)
        tx.run("UPDATE posts SET created_at = :old WHERE id <> :last", old=OLD, last=made[-1].id)
        return made

    made = await db.write(given)

    await clean(db, now_ms())

    assert await db.read(remaining) == {post.id for post in made}


def _comment(tx: Writer, alice: Account, post: Post) -> None:
    publish(tx, alice, "Where is it?", parent_id=post.id)


def _mention(tx: Writer, alice: Account, post: Post) -> None:
    receive_post(tx, remote(tx), parent_uri=post.uri, mentions=[alice], published_at=OLD)


def _report(tx: Writer, alice: Account, post: Post) -> None:
    author = remote(tx) if post.account_id == remote(tx).id else remote(tx, "rob", "other.example")
    reports.report(tx, alice, author, post_ids=[post.id])


def _follow_and_pin(tx: Writer, alice: Account, post: Post) -> None:
    author = remote(tx) if post.account_id == remote(tx).id else remote(tx, "rob", "other.example")
    follow(tx, alice, author)
    tx.run("DELETE FROM feed")
    pins.replace_remote_pins(tx, author, [post])


def _quote(tx: Writer, alice: Account, post: Post) -> None:
    quoting = publish(tx, alice)
    tx.run(
        "INSERT INTO quotes (post_id, target_uri, target_id) VALUES (:post, :uri, :target)",
        post=quoting.id,
        uri=post.uri,
        target=post.id,
    )


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize(
    "take_part",
    [
        pytest.param(lambda tx, alice, post: likes.like(tx, alice, post), id="like"),
        pytest.param(lambda tx, alice, post: boosts.boost(tx, alice, post), id="boost"),
        pytest.param(lambda tx, alice, post: bookmarks.add(tx, alice, post), id="bookmark"),
        pytest.param(_comment, id="comment"),
        pytest.param(_mention, id="mention"),
        pytest.param(_report, id="report"),
        pytest.param(_follow_and_pin, id="pin"),
        pytest.param(_quote, id="quote"),
    ],
)
async def test_whoever_takes_part_keeps_the_whole_conversation(
    db: Database, alice: Account, take_part: Callable[[Writer, Account, Post], None], position: int
) -> None:
    def given(tx: Writer) -> set[int]:
        made = conversation(tx)
        take_part(tx, alice, made[position])
        return {post.id for post in made}

    made = await db.write(given)

    await clean(db)

    assert await db.read(remaining) >= made


async def test_posts_in_a_home_feed_stay(db: Database, alice: Account) -> None:
    def given(tx: Writer) -> set[int]:
        rita = remote(tx)
        follow(tx, alice, rita)
        return {receive_post(tx, rita, published_at=OLD).id}

    made = await db.write(given)

    await clean(db)

    assert await db.read(remaining) == made


async def test_a_conversation_that_a_local_account_began_stays(db: Database, alice: Account) -> None:
    def given(tx: Writer) -> set[int]:
        post = publish(tx, alice)
        comment = receive_post(tx, remote(tx), parent_uri=post.uri, published_at=OLD)
        return {post.id, comment.id}

    made = await db.write(given)

    await clean(db)

    assert await db.read(remaining) == made


async def test_conversations_longer_than_a_batch_are_deleted_too(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_conversations, "MAX_COMMENTS_PER_BATCH", 5)
    monkeypatch.setattr(old_conversations, "DELETED_PER_BATCH", 2)
    monkeypatch.setattr(old_conversations, "POSTS_READ_PER_BATCH", 3)

    def given(tx: Writer) -> None:
        for length in (1, 12, 2, 7):
            conversation(tx, length)

    await db.write(given)

    await clean(db)

    assert await db.read(remaining) == set()


async def test_nothing_is_deleted_if_the_admin_keeps_all(db: Database) -> None:
    made = await db.write(conversation)

    await clean_up.delete_outdated(db, LATER, keep_remote_posts_days=0)

    assert await db.read(remaining) == {post.id for post in made}


async def test_the_rows_of_deleted_posts_go_once_nothing_is_below_them(db: Database, alice: Account) -> None:
    def given(tx: Writer) -> set[int]:
        lonely, commented = publish(tx, alice), publish(tx, alice)
        comment = publish(tx, alice, "me", parent_id=commented.id)
        for post in (lonely, commented):
            posts.mark_deleted(tx, post.id)
        return {commented.id, comment.id}

    kept = await db.write(given)

    await clean(db)

    assert await db.read(remaining) == kept
