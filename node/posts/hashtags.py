"""Hashtags: which posts have them, and how many accounts use them. Owns `hashtags`, `post_hashtags`, `hashtag_uses`.

`post_hashtags` joins every post with its hashtags. `hashtag_uses` has one row per hashtag, hour and author of
public posts, so that every count is of distinct authors, however often one of them posts. Names are NFKC
and case-folded (`formatting.normalize_hashtag`); `display` is the way a hashtag was first written.

Trends: every author counts once per hashtag, by their latest use, worth half as much every `HALF_LIFE_HOURS`. A
remote server counts for at most `MAX_AUTHORS_PER_SERVER` of its authors, and fewer than `MIN_TREND_AUTHORS`, so
counted, make no trend. The rank of a `TrendingHashtag` depends on nothing that is not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.database import Reader, Writer, build, columns
from node.ids import new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import is_active_and_unlimited
from node.text.formatting import clean_text, normalize_hashtag

HOUR_MS = 3_600_000
HALF_LIFE_HOURS = 12
TREND_HOURS = 72
MIN_TREND_AUTHORS = 3
MAX_AUTHORS_PER_SERVER = 5
_FULL_WEIGHT = 1 << 20  # one author now; shifted right once per half-life


@dataclass(frozen=True, slots=True)
class Hashtag:
    id: int
    name: str
    display: str
    created_at: int


@dataclass(frozen=True, slots=True)
class UsagePeriod:
    """Use of a hashtag from `start` (milliseconds) on: posts, distinct authors, local authors, servers."""

    start: int
    posts: int
    authors: int
    local_authors: int
    servers: int


@dataclass(frozen=True, slots=True)
class TrendingHashtag:
    """A trending hashtag. `score` is in authors: 1.0 is one account that used it within the half-life."""

    hashtag: Hashtag
    score: float
    authors: int
    local_authors: int
    servers: int
    posts: int


def tag_post(tx: Writer, post: Post, author: Account, names: Sequence[str]) -> None:
    """Joins a post with its hashtags and, if it is public, counts the use of each."""
    written: dict[str, str] = {}
    for display in names:
        if name := normalize_hashtag(clean_text(display, 200)):
            written.setdefault(name, clean_text(display, 200).lstrip("#＃"))
    if not written:
        return
    now = now_ms()
    tx.many(
        """INSERT INTO hashtags (id, name, display, created_at) VALUES (:id, :name, :display, :now)
           ON CONFLICT DO NOTHING""",
        [{"id": new_id(), "name": name, "display": display, "now": now} for name, display in written.items()],
    )
    tx.run(
        """INSERT INTO post_hashtags (hashtag_id, post_id)
           SELECT h.id, CAST(:post AS BIGINT) FROM hashtags h WHERE h.name IN (:names)
           ON CONFLICT DO NOTHING""",
        post=post.id,
        names=list(written),
    )
    if post.visibility == "public":
        tx.run(
            """INSERT INTO hashtag_uses (hashtag_id, hour, account_id, domain, is_local, posts)
               SELECT h.id, CAST(:hour AS BIGINT), CAST(:author AS BIGINT), CAST(:domain AS TEXT),
                      CAST(:is_local AS BOOLEAN), 1
               FROM hashtags h WHERE h.name IN (:names)
               ON CONFLICT (hashtag_id, hour, account_id) DO UPDATE SET posts = hashtag_uses.posts + 1""",
            hour=post.published_at // HOUR_MS,
            author=author.id,
            domain=author.domain,
            is_local=author.is_local,
            names=list(written),
        )


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Removes a post from its hashtags and from the count of their uses."""
    rows = tx.all("DELETE FROM post_hashtags WHERE post_id = :post RETURNING hashtag_id", post=post.id)
    if post.visibility != "public" or not rows:
        return
    where = {
        "ids": [row["hashtag_id"] for row in rows],
        "hour": post.published_at // HOUR_MS,
        "author": post.account_id,
    }
    tx.run(
        """UPDATE hashtag_uses SET posts = posts - 1
           WHERE hashtag_id IN (:ids) AND hour = :hour AND account_id = :author""",
        **where,
    )
    tx.run(
        """DELETE FROM hashtag_uses
           WHERE hashtag_id IN (:ids) AND hour = :hour AND account_id = :author AND posts <= 0""",
        **where,
    )


def retag_post(tx: Writer, post: Post, author: Account, names: Sequence[str]) -> None:
    """Joins an edited post with the hashtags it has now."""
    delete_by_post(tx, post)
    tag_post(tx, post, author, names)


def by_name(tx: Reader, name: str) -> Hashtag | None:
    """Returns a hashtag by any way of writing it."""
    row = tx.one(
        f"SELECT {columns(Hashtag)} FROM hashtags WHERE name = :name",  # noqa: S608
        name=normalize_hashtag(name),
    )
    return build(Hashtag, row) if row else None


def by_posts(tx: Reader, post_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """Returns (name, display) of the hashtags of posts by post id, in one query."""
    found: dict[int, list[tuple[str, str]]] = {}
    for row in tx.all(
        """SELECT ph.post_id, h.name, h.display FROM post_hashtags ph
           JOIN hashtags h ON h.id = ph.hashtag_id
           WHERE ph.post_id IN (:ids) ORDER BY ph.post_id, h.id""",
        ids=post_ids,
    ):
        found.setdefault(row["post_id"], []).append((row["name"], row["display"]))
    return found


def daily_usage(tx: Reader, name: str, days: int = 7, *, now: int | None = None) -> list[UsagePeriod]:
    """Returns the use per day (UTC), today first, days without any included."""
    return _usage(tx, name, 24, days, now)


def hourly_usage(tx: Reader, name: str, hours: int = 24, *, now: int | None = None) -> list[UsagePeriod]:
    """Returns the use per hour, the present one first."""
    return _usage(tx, name, 1, hours, now)


def _usage(tx: Reader, name: str, length: int, most: int, now: int | None) -> list[UsagePeriod]:
    last = (now or now_ms()) // HOUR_MS // length
    rows = tx.all(
        """SELECT u.hour / :length AS period, SUM(u.posts) AS posts,
                  COUNT(DISTINCT u.account_id) AS authors,
                  COUNT(DISTINCT u.account_id) FILTER (WHERE u.is_local) AS local_authors,
                  COUNT(DISTINCT u.domain) AS servers
           FROM hashtag_uses u JOIN hashtags h ON h.id = u.hashtag_id
           WHERE h.name = :name AND u.hour >= :since
           GROUP BY u.hour / :length""",
        name=normalize_hashtag(name),
        length=length,
        since=(last - most + 1) * length,
    )
    known = {row["period"]: row for row in rows}
    return [
        UsagePeriod(
            period * length * HOUR_MS,
            *(
                (int(row["posts"]), row["authors"], row["local_authors"], row["servers"])
                if (row := known.get(period))
                else (0, 0, 0, 0)
            ),
        )
        for period in range(last, last - most, -1)
    ]


def trending(
    tx: Reader, limit: int = 10, *, only_local: bool = False, now: int | None = None
) -> list[TrendingHashtag]:
    """Returns the trending hashtags, the strongest first, among local authors or all that are known."""
    hour = (now or now_ms()) // HOUR_MS
    rows = tx.all(
        f"""WITH authors AS (
                SELECT u.hashtag_id, u.domain, u.is_local, MAX(u.hour) AS hour, SUM(u.posts) AS posts
                FROM hashtag_uses u JOIN accounts a ON a.id = u.account_id
                WHERE u.hour > :since AND u.hour <= :now AND (u.is_local OR NOT :only_local)
                  AND {is_active_and_unlimited("a")}
                GROUP BY u.hashtag_id, u.account_id, u.domain, u.is_local),
            servers AS (
                SELECT hashtag_id, is_local, COUNT(*) AS authors, SUM(posts) AS posts,
                       SUM({_FULL_WEIGHT} >> CAST((:now - hour) / :half_life AS INTEGER)) AS worth
                FROM authors GROUP BY hashtag_id, domain, is_local),
            tags AS (
                SELECT hashtag_id, SUM(authors) AS authors, SUM(posts) AS posts, COUNT(*) AS servers,
                       COALESCE(SUM(authors) FILTER (WHERE is_local), 0) AS local_authors,
                       SUM(CASE WHEN is_local OR authors <= :most THEN authors ELSE :most END) AS counted,
                       SUM(CASE WHEN is_local OR worth <= :most * {_FULL_WEIGHT} THEN worth
                           ELSE :most * {_FULL_WEIGHT} END) AS worth
                FROM servers GROUP BY hashtag_id)
            SELECT {columns(Hashtag, "h")}, t.authors, t.posts, t.servers, t.local_authors, t.worth
            FROM tags t JOIN hashtags h ON h.id = t.hashtag_id
            WHERE t.counted >= :fewest ORDER BY t.worth DESC, h.id DESC LIMIT :limit""",  # noqa: S608
        since=hour - TREND_HOURS,
        now=hour,
        only_local=only_local,
        most=MAX_AUTHORS_PER_SERVER,
        half_life=HALF_LIFE_HOURS,
        fewest=MIN_TREND_AUTHORS,
        limit=limit,
    )
    return [
        TrendingHashtag(
            build(Hashtag, row),
            int(row["worth"]) / _FULL_WEIGHT,
            int(row["authors"]),
            int(row["local_authors"]),
            row["servers"],
            int(row["posts"]),
        )
        for row in rows
    ]


def suggest(tx: Reader, prefix: str, limit: int = 10, *, now: int | None = None) -> list[Hashtag]:
    """Returns hashtags that begin with a prefix, those used by the most authors this week first."""
    start = normalize_hashtag(prefix)
    if not start:
        return []
    rows = tx.all(
        f"""SELECT {columns(Hashtag, "h")} FROM hashtags h
            LEFT JOIN hashtag_uses u ON u.hashtag_id = h.id AND u.hour > :since
            WHERE h.name >= :start AND h.name < :end
              AND EXISTS (SELECT 1 FROM hashtag_uses known WHERE known.hashtag_id = h.id)
            GROUP BY {columns(Hashtag, "h")}
            ORDER BY COUNT(DISTINCT u.account_id) DESC, h.name LIMIT :limit""",  # noqa: S608
        start=start,
        end=start + "\U0010ffff",
        since=(now or now_ms()) // HOUR_MS - 7 * 24,
        limit=limit,
    )
    return [build(Hashtag, row) for row in rows]
