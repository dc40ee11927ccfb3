"""Hashtags: which posts have them, and how many accounts use them. Owns `hashtags`, `post_hashtags`, `hashtag_uses`.

`post_hashtags` joins every post with its hashtags. `hashtag_uses` has one row per hashtag, hour and author of
public posts, so that every count is of distinct authors, however often one of them posts. Names are NFKC
and case-folded (`formatting.normalize_hashtag`); `display` is the way most people write a hashtag: each post that
writes it so adds a vote, any other takes one away, and where none is left, the next spelling takes its place.

Trends: of the latest `MAX_TREND_USES`, every author counts once per hashtag, by their latest use, worth half as much
every `HALF_LIFE_HOURS`. A remote server counts for at most `MAX_AUTHORS_PER_SERVER` of its authors, and fewer than
`MIN_TREND_AUTHORS`, so counted, make no trend. The rank of a `TrendingHashtag` depends on nothing that is not in it.
Of what is published within an hour, trends have the first `MAX_ACCOUNT_USES` of an account and the first
`MAX_SERVER_USES` of a remote server (`in_trends`), so that nobody fills what is read; all other counts have the rest too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from node.database import Reader, Writer, build, columns
from node.errors import NotFound
from node.ids import new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import is_active_and_unlimited
from node.posts import hashtag_days
from node.text.formatting import clean_text, cut_hashtag, normalize_hashtag

HOUR_MS = 3_600_000
MAX_DISPLAY_VOTES = 20
HALF_LIFE_HOURS = 12
TREND_HOURS = 72
MIN_TREND_AUTHORS = 3
MAX_AUTHORS_PER_SERVER = 5
USES_RETENTION_HOURS = 365 * 24
UNUSED_RETENTION_MS = 7 * 24 * HOUR_MS
MAX_TREND_USES = 20_000
MAX_ACCOUNT_USES = 30
MAX_SERVER_USES = 200
MAX_SUGGESTIONS_WEIGHED = 200
_FULL_WEIGHT = 1 << 20  # one author now; shifted right once per half-life


@dataclass(frozen=True, slots=True)
class Hashtag:
    id: int
    name: str
    display: str
    created_at: int


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
            written.setdefault(name, cut_hashtag(clean_text(display, 200)))
    if not written:
        return
    now = now_ms()
    tx.many(
        """INSERT INTO hashtags (id, name, display, created_at) VALUES (:id, :name, :display, :now)
           ON CONFLICT (name) DO UPDATE SET
               display = CASE WHEN hashtags.display_votes < 1 THEN excluded.display ELSE hashtags.display END,
               display_votes = CASE WHEN hashtags.display_votes < 1 OR hashtags.display = excluded.display
                   THEN hashtags.display_votes + 1 ELSE hashtags.display_votes - 1 END
           WHERE hashtags.display <> excluded.display OR hashtags.display_votes < :most""",
        [
            {"id": new_id(), "name": name, "display": display, "now": now, "most": MAX_DISPLAY_VOTES}
            for name, display in written.items()
        ],
    )
    tx.run(
        """INSERT INTO post_hashtags (hashtag_id, post_id, is_public, is_local, has_photos)
           SELECT h.id, CAST(:post AS BIGINT), CAST(:is_public AS BOOLEAN), CAST(:is_local AS BOOLEAN),
                  CAST(:has_photos AS BOOLEAN)
           FROM hashtags h WHERE h.name IN (:names)
           ON CONFLICT DO NOTHING""",
        post=post.id,
        is_public=post.visibility == "public",
        is_local=post.is_local,
        has_photos=post.photos_count > 0,
        names=list(written),
    )
    if post.visibility == "public":
        hour = post.published_at // HOUR_MS
        tx.run(
            """INSERT INTO hashtag_uses (hashtag_id, hour, account_id, domain, is_local, posts, in_trends)
               SELECT h.id, CAST(:hour AS BIGINT), CAST(:author AS BIGINT), CAST(:domain AS TEXT),
                      CAST(:is_local AS BOOLEAN), 1, COALESCE(h.name IN (:trending), FALSE)
               FROM hashtags h WHERE h.name IN (:names)
               ON CONFLICT (hashtag_id, hour, account_id) DO UPDATE SET posts = hashtag_uses.posts + 1""",
            hour=hour,
            author=author.id,
            domain=author.domain,
            is_local=author.is_local,
            names=list(written),
            trending=list(written)[: max(0, _room_in_trends(tx, author, hour))],
        )
        hashtag_days.add(tx, post, author, list(written))


def _room_in_trends(tx: Reader, author: Account, hour: int) -> int:
    """Returns how many more uses of an hour by this author are for trends; none below 1."""
    counted = "SELECT COUNT(*) FROM hashtag_uses WHERE in_trends AND hour = :hour AND domain = :domain"
    where = {"hour": hour, "domain": author.domain}
    room: int = MAX_ACCOUNT_USES - tx.value(f"{counted} AND account_id = :author", author=author.id, **where)
    return room if author.is_local else min(room, MAX_SERVER_USES - tx.value(counted, **where))


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Removes a post from its hashtags and from the count of their uses."""
    rows = tx.all("DELETE FROM post_hashtags WHERE post_id = :post RETURNING hashtag_id", post=post.id)
    if post.visibility != "public" or not rows:
        return
    where: dict[str, Any] = {
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
    hashtag_days.subtract(tx, post, where["ids"])


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


def get_or_create(tx: Writer, name: str) -> Hashtag:
    """Returns a hashtag by any way of writing it, also one that no post has yet. Raises NotFound for what is none."""
    display = cut_hashtag(clean_text(name, 200))
    normal = normalize_hashtag(display)
    if not normal:
        raise NotFound
    tx.run(
        """INSERT INTO hashtags (id, name, display, created_at) VALUES (:id, :name, :display, :now)
           ON CONFLICT DO NOTHING""",
        id=new_id(),
        name=normal,
        display=display,
        now=now_ms(),
    )
    found = by_name(tx, normal)
    assert found is not None
    return found


def ids_by_name(tx: Reader, names: Sequence[str]) -> dict[str, int]:
    """Returns the ids of hashtags by the names as they are given, however they are written; unknown ones are left out."""
    normal = {name: normalize_hashtag(name) for name in names}
    rows = tx.all("SELECT id, name FROM hashtags WHERE name IN (:names)", names=sorted(set(normal.values())))
    ids = {row["name"]: row["id"] for row in rows}
    return {name: ids[written] for name, written in normal.items() if written in ids}


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


def trending(
    tx: Reader, limit: int = 10, *, only_local: bool = False, now: int | None = None
) -> list[TrendingHashtag]:
    """Returns the trending hashtags, the strongest first, among local authors or all that are known."""
    hour = (now or now_ms()) // HOUR_MS
    rows = tx.all(
        f"""WITH authors AS (
                SELECT u.hashtag_id, u.domain, u.is_local, MAX(u.hour) AS hour, SUM(u.posts) AS posts
                FROM (SELECT * FROM hashtag_uses WHERE in_trends AND hour > :since AND hour <= :now
                      ORDER BY hour DESC LIMIT {MAX_TREND_USES}) AS u JOIN accounts a ON a.id = u.account_id
                WHERE (u.is_local OR NOT :only_local) AND {is_active_and_unlimited("a")}
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
    """Returns hashtags that begin with a prefix, those used by the most authors this week first.

    Only the first `MAX_SUGGESTIONS_WEIGHED` by name are compared.
    """
    start = normalize_hashtag(prefix)
    if not start:
        return []
    rows = tx.all(
        f"""SELECT {columns(Hashtag, "h")} FROM (
                SELECT * FROM hashtags WHERE name >= :start AND name < :end ORDER BY name LIMIT :most) AS h
            WHERE EXISTS (SELECT 1 FROM hashtag_uses known WHERE known.hashtag_id = h.id)
            ORDER BY (SELECT COALESCE(SUM(d.authors), 0) FROM hashtag_days d
                      WHERE d.hashtag_id = h.id AND d.day > :since) DESC, h.name LIMIT :limit""",  # noqa: S608
        start=start,
        end=start + "\U0010ffff",
        most=MAX_SUGGESTIONS_WEIGHED,
        since=(now or now_ms()) // hashtag_days.DAY_MS - 7,
        limit=limit,
    )
    return [build(Hashtag, row) for row in rows]


def clean_up_uses(tx: Writer, now: int) -> int:
    """Deletes a batch of the uses that are older than a year, and returns how many."""
    return tx.run(
        """DELETE FROM hashtag_uses WHERE (hashtag_id, hour, account_id) IN (
               SELECT hashtag_id, hour, account_id FROM hashtag_uses WHERE hour < :before ORDER BY hour LIMIT 500)""",
        before=now // HOUR_MS - USES_RETENTION_HOURS,
    )


def clean_up(tx: Writer, now: int, after: int | None) -> int | None:
    """Deletes hashtags that no post has and nobody follows, a week after they were first used; returns where to go on, None at the end."""
    rows = tx.all(
        """SELECT h.id, h.created_at < :before
               AND NOT EXISTS (SELECT 1 FROM post_hashtags ph WHERE ph.hashtag_id = h.id)
               AND NOT EXISTS (SELECT 1 FROM hashtag_uses u WHERE u.hashtag_id = h.id)
               AND NOT EXISTS (SELECT 1 FROM followed_hashtags f WHERE f.hashtag_id = h.id) AS is_unused
           FROM hashtags h WHERE h.id > :after ORDER BY h.id LIMIT 500""",
        before=now - UNUSED_RETENTION_MS,
        after=after or 0,
    )
    tx.run("DELETE FROM hashtags WHERE id IN (:ids)", ids=[row["id"] for row in rows if row["is_unused"]])
    return rows[-1]["id"] if rows else None
