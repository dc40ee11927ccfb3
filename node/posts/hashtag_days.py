"""How many posts and people use a hashtag each day. Owns `hashtag_days`.

`hashtag_uses` has a row for every hour and author; of a loud hashtag that is too many to count for a page. `hashtags`
adds to the days in the unit of work that adds to the uses, and takes away from them. Days are in UTC, and only the last
`KEPT_DAYS` are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.database import Reader, Writer
from node.ids import now_ms
from node.models.account import Account
from node.models.post import Post
from node.text.formatting import normalize_hashtag

DAY_MS = 24 * 3_600_000
KEPT_DAYS = 30

# What the author has used the hashtag for on that day. `hashtag_uses` counts in hours.
_USES_SQL = """FROM hashtag_uses u WHERE u.account_id = :author AND u.hashtag_id = {hashtag}
    AND u.hour >= 24 * :day AND u.hour < 24 * :day + 24"""
_STILL_USES_SQL = f"EXISTS (SELECT 1 {_USES_SQL.format(hashtag='hashtag_days.hashtag_id')})"


@dataclass(frozen=True, slots=True)
class DayUsage:
    """Use of a hashtag on the day that begins at `start` (milliseconds): posts, distinct authors, local authors."""

    start: int
    posts: int
    authors: int
    local_authors: int


def add(tx: Writer, post: Post, author: Account, names: Sequence[str]) -> None:
    """Counts a public post for its hashtags, given as normalized names, once its use is in `hashtag_uses`."""
    day = post.published_at // DAY_MS
    if day <= now_ms() // DAY_MS - KEPT_DAYS:
        return
    tx.run(
        f"""INSERT INTO hashtag_days (hashtag_id, day, posts, authors, local_authors)
            SELECT id, CAST(:day AS BIGINT), 1, is_new, CASE WHEN :is_local THEN is_new ELSE 0 END
            FROM (SELECT h.id, CASE WHEN (SELECT SUM(u.posts) {_USES_SQL.format(hashtag="h.id")}) = 1
                                    THEN 1 ELSE 0 END AS is_new
                  FROM hashtags h WHERE h.name IN (:names)) AS used
            WHERE TRUE
            ON CONFLICT (hashtag_id, day) DO UPDATE SET posts = hashtag_days.posts + 1,
                authors = hashtag_days.authors + excluded.authors,
                local_authors = hashtag_days.local_authors + excluded.local_authors""",  # noqa: S608
        day=day,
        author=author.id,
        is_local=author.is_local,
        names=names,
    )


def subtract(tx: Writer, post: Post, hashtag_ids: Sequence[int]) -> None:
    """Takes a public post off the days of its hashtags, after its use has left `hashtag_uses`."""
    tx.run(
        f"""UPDATE hashtag_days SET posts = posts - 1,
                authors = authors - CASE WHEN {_STILL_USES_SQL} THEN 0 ELSE 1 END,
                local_authors = local_authors - CASE WHEN NOT :is_local
                    OR {_STILL_USES_SQL} THEN 0 ELSE 1 END
            WHERE hashtag_id IN (:ids) AND day = :day""",  # noqa: S608
        ids=hashtag_ids,
        day=post.published_at // DAY_MS,
        author=post.account_id,
        is_local=post.is_local,
    )


def usage(tx: Reader, name: str, days: int = 7, *, now: int | None = None) -> list[DayUsage]:
    """Returns the use of a hashtag on each of the last days, today first, days without any included."""
    today = (now or now_ms()) // DAY_MS
    rows = tx.all(
        """SELECT d.day, d.posts, d.authors, d.local_authors
           FROM hashtag_days d JOIN hashtags h ON h.id = d.hashtag_id
           WHERE h.name = :name AND d.day > :before""",
        name=normalize_hashtag(name),
        before=today - days,
    )
    known = {row["day"]: (row["posts"], row["authors"], row["local_authors"]) for row in rows}
    return [DayUsage(day * DAY_MS, *known.get(day, (0, 0, 0))) for day in range(today, today - days, -1)]


def clean_up(tx: Writer, now: int) -> int:
    """Deletes days that are no longer kept, some thousand at a time, and returns how many."""
    return tx.run(
        """DELETE FROM hashtag_days WHERE (hashtag_id, day) IN (
               SELECT hashtag_id, day FROM hashtag_days WHERE day <= :before ORDER BY day LIMIT 5000)""",
        before=now // DAY_MS - KEPT_DAYS,
    )
