"""Use of hashtags by day: always what counting all uses would give."""

from __future__ import annotations

import random

from node.database import Reader, Writer
from node.ids import now_ms
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import hashtag_days
from node.posts.drafts import Draft
from node.posts.hashtag_days import DAY_MS, KEPT_DAYS
from node.publishing import post_deletion, publishing, remote_posts
from tests.support.people import remote
from tests.support.posting import build_remote_post, publish, receive_post

TODAY = now_ms() // DAY_MS
NOW = now_ms()


def counted(tx: Reader) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Posts, authors and local authors by hashtag and day, counted from all uses."""
    rows = tx.all(
        """SELECT hashtag_id, hour / 24 AS day, SUM(posts) AS posts, COUNT(DISTINCT account_id) AS authors,
                  COUNT(DISTINCT CASE WHEN is_local THEN account_id END) AS local_authors
           FROM hashtag_uses GROUP BY hashtag_id, hour / 24"""
    )
    return {
        (row["hashtag_id"], row["day"]): (int(row["posts"]), row["authors"], row["local_authors"])
        for row in rows
    }


def kept(tx: Reader) -> dict[tuple[int, int], tuple[int, int, int]]:
    rows = tx.all("SELECT hashtag_id, day, posts, authors, local_authors FROM hashtag_days WHERE posts > 0")
    return {
        (row["hashtag_id"], row["day"]): (row["posts"], row["authors"], row["local_authors"]) for row in rows
    }


async def test_days_agree_with_uses_whatever_is_posted_edited_and_deleted(
    node: Node, alice: Account, bob: Account
) -> None:
    chance = random.Random(11)
    tags = ["fog", "sea", "ice"]

    def some_tags() -> list[str]:
        return chance.sample(tags, chance.randint(0, 3))

    def unit(tx: Writer) -> None:
        people = [remote(tx, "rita"), remote(tx, "sam", "other.example")]
        posts: list[tuple[Account, Post]] = []
        for _ in range(60):
            author = chance.choice([alice, bob, *people])
            visibility = chance.choice(["public", "public", "unlisted"])
            if author.is_local:
                caption = "Morning " + " ".join(f"#{tag}" for tag in some_tags())
                posts.append((author, publish(tx, author, caption, visibility=visibility)))
            else:
                at = NOW - chance.randint(0, 3 * 24) * 3_600_000
                post = receive_post(tx, author, hashtags=some_tags(), published_at=at, visibility=visibility)
                posts.append((author, post))
            if chance.random() < 0.3:
                author, post = posts.pop(chance.randrange(len(posts)))
                post_deletion.remove_locally(tx, post)
            if chance.random() < 0.3:
                author, post = chance.choice(posts)
                if author.is_local:
                    publishing.edit(tx, author, post, Draft(caption=f"Later #{chance.choice(tags)}"))
                else:
                    changed = build_remote_post(
                        author,
                        uri=post.uri,
                        hashtags=some_tags(),
                        html=f"<p>{chance.random()}</p>",
                        edited_at=now_ms(),
                    )
                    remote_posts.receive_update(tx, changed)
            assert kept(tx) == counted(tx)

    await node.db.write(unit)


async def test_old_posts_are_not_counted_and_old_days_are_forgotten(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        receive_post(tx, rita, hashtags=["fog"], published_at=NOW - (KEPT_DAYS + 1) * DAY_MS)
        assert kept(tx) == {}
        receive_post(tx, rita, hashtags=["fog"], published_at=NOW - DAY_MS)
        tx.run("UPDATE hashtag_days SET day = day - :days", days=KEPT_DAYS)
        receive_post(tx, rita, hashtags=["fog"], published_at=NOW)
        assert hashtag_days.clean_up(tx, NOW) == 1
        assert [day for _, day in kept(tx)] == [TODAY]

    await node.db.write(unit)


async def test_usage_is_of_the_last_days_today_first(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        publish(tx, alice, "#Fog")
        receive_post(tx, remote(tx), hashtags=["fog"], published_at=NOW - 2 * DAY_MS)

        days = hashtag_days.usage(tx, "FOG", 3)

        assert [day.start for day in days] == [(TODAY - n) * DAY_MS for n in range(3)]
        assert [(day.posts, day.authors, day.local_authors) for day in days] == [
            (1, 1, 1),
            (0, 0, 0),
            (1, 1, 0),
        ]
        assert hashtag_days.usage(tx, "nothing", 1)[0].posts == 0

    await node.db.write(unit)
