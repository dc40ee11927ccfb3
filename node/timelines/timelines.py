"""Timelines: pages of entries (post ids), newest first. Which of them a viewer may see is decided here, in SQL.

Every page is read by id along an index and ends after `limit` rows, so its cost does not grow with the
table. What somebody has muted is left out of every list but a profile and one's own collections.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from node.database import Reader
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import boost_visible_to, eyes, no_limit, no_mute, visible_to
from node.paging import Page
from node.text.formatting import normal_tag

__all__ = ["Entry", "Page", "conversation"]

MOST_ANCESTORS = 200
MOST_DESCENDANTS = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a page. `id` is what the page is ordered and paged by; `boost_by` is who boosted it, if so."""

    id: int
    post_id: int
    boost_by: int | None = None


def _entries(tx: Reader, page: Page, sql: str, **values: Any) -> list[Entry]:
    rows = tx.all(sql, **values, **page.values)
    return page.ordered([Entry(row["id"], row["post_id"], row["boost_by"]) for row in rows])


def home(tx: Reader, who: Account, page: Page, *, include_comments: bool = True) -> list[Entry]:
    """What those somebody follows have posted and boosted."""
    return _entries(tx, page, home_sql(page, include_comments=include_comments), viewer=eyes(who))


def home_sql(page: Page, *, include_comments: bool = True) -> str:
    """The query of `home`, for those who read more of its posts in the same one (`glances`)."""
    return f"""SELECT f.id, f.post_id, CASE WHEN f.is_boost THEN f.by_id END AS boost_by
        FROM feed f JOIN posts p ON p.id = f.post_id
        WHERE f.account_id = :viewer AND {visible_to("p")} AND {no_mute("p.account_id")}
          AND (NOT f.is_boost OR EXISTS (SELECT 1 FROM accounts ba WHERE ba.id = f.by_id
              AND ba.suspended_at IS NULL AND ba.deleted_at IS NULL))
          {"" if include_comments else "AND p.parent_uri = ''"} {page.clause("f.id")}"""  # noqa: S608


def public(
    tx: Reader, viewer: Account | None, page: Page, *, only_local: bool = False, only_photos: bool = False
) -> list[Entry]:
    """Public posts, without comments: by everyone known here, or by people of ours."""
    return _public(tx, viewer, page, "AND p.is_local = TRUE" if only_local else "", only_photos)


def elsewhere(tx: Reader, viewer: Account | None, page: Page, *, only_photos: bool = False) -> list[Entry]:
    """Public posts by people of other servers."""
    return _public(tx, viewer, page, "AND p.is_local = FALSE", only_photos)


def _public(tx: Reader, viewer: Account | None, page: Page, side: str, only_photos: bool) -> list[Entry]:
    # The side is compared, not named alone, so that SQLite finds the index that begins with it.
    return _entries(
        tx,
        page,
        f"""SELECT p.id, p.id AS post_id, NULL AS boost_by FROM posts p
            WHERE p.visibility = 'public' AND p.deleted_at IS NULL AND p.parent_uri = '' {side}
              {"AND p.photos_count > 0" if only_photos else ""} AND {visible_to("p")}
              AND {no_mute("p.account_id")} AND {no_limit("p.account_id")} {page.clause("p.id")}""",  # noqa: S608
        viewer=eyes(viewer),
    )


def profile(
    tx: Reader,
    viewer: Account | None,
    account: Account,
    page: Page,
    *,
    only_photos: bool = False,
    include_comments: bool = False,
    include_boosts: bool = False,
) -> list[Entry]:
    """What somebody has posted, and boosted if asked for, as far as the viewer may see it."""
    own = f"""SELECT p.id AS id, p.id AS post_id, CAST(NULL AS BIGINT) AS boost_by FROM posts p
        WHERE p.account_id = :account AND {visible_to("p")}
          {"AND p.photos_count > 0" if only_photos else ""}
          {"" if include_comments else "AND p.parent_uri = ''"} {page.clause("p.id")}"""  # noqa: S608
    if not include_boosts:
        return _entries(tx, page, own, account=account.id, viewer=eyes(viewer))
    boosted = f"""SELECT b.id AS id, b.post_id AS post_id, b.account_id AS boost_by
        FROM boosts b JOIN posts p ON p.id = b.post_id
        WHERE b.account_id = :account AND {boost_visible_to("b")} AND {visible_to("p")}
          {"AND p.photos_count > 0" if only_photos else ""} {page.clause("b.id")}"""  # noqa: S608
    return _entries(
        tx,
        page,
        f"""SELECT id, post_id, boost_by FROM (
                SELECT id, post_id, boost_by FROM ({own}) AS own
                UNION ALL SELECT id, post_id, boost_by FROM ({boosted}) AS boosted) AS both_kinds
            WHERE TRUE {page.clause("id")}""",  # noqa: S608
        account=account.id,
        viewer=eyes(viewer),
    )


def hashtag(
    tx: Reader,
    viewer: Account | None,
    name: str,
    page: Page,
    *,
    only_local: bool = False,
    only_photos: bool = False,
) -> list[Entry]:
    """Public posts that bear a tag."""
    return _entries(
        tx,
        page,
        f"""SELECT p.id, p.id AS post_id, NULL AS boost_by
            FROM post_hashtags t JOIN posts p ON p.id = t.post_id
            WHERE t.hashtag_id = (SELECT h.id FROM hashtags h WHERE h.name = :name)
              AND p.visibility = 'public' {"AND p.is_local" if only_local else ""}
              {"AND p.photos_count > 0" if only_photos else ""} AND {visible_to("p")}
              AND {no_mute("p.account_id")} AND {no_limit("p.account_id")} {page.clause("t.post_id")}""",  # noqa: S608
        name=normal_tag(name),
        viewer=eyes(viewer),
    )


def bookmarks(tx: Reader, who: Account, page: Page) -> list[Entry]:
    """What somebody keeps, the latest kept first."""
    return _own_collection(tx, "bookmarks", who, page)


def likes(tx: Reader, who: Account, page: Page) -> list[Entry]:
    """What somebody likes, the latest liked first."""
    return _own_collection(tx, "likes", who, page)


def _own_collection(tx: Reader, table: str, who: Account, page: Page) -> list[Entry]:
    return _entries(
        tx,
        page,
        f"""SELECT c.id, c.post_id, NULL AS boost_by FROM {table} c JOIN posts p ON p.id = c.post_id
            WHERE c.account_id = :viewer AND {visible_to("p")} {page.clause("c.id")}""",  # noqa: S608
        viewer=eyes(who),
    )


def conversation(tx: Reader, viewer: Account | None, post: Post) -> tuple[list[int], list[int]]:
    """Ids of what a post answers, from the first on, and of all below it, in order of time.

    The way leads through what is deleted or not for the viewer, but that itself is left out. What people of a
    limited server have said below is shown to those who follow them, to whom it answers, and under their own.
    """
    above = tx.all(
        f"""WITH RECURSIVE above (id, parent_id, depth) AS (
                SELECT p.id, p.parent_id, 0 FROM posts p WHERE p.id = :post
                UNION ALL SELECT p.id, p.parent_id, a.depth + 1
                FROM above a JOIN posts p ON p.id = a.parent_id WHERE a.depth < :most)
            SELECT DISTINCT a.id, a.depth FROM above a JOIN posts p ON p.id = a.id
            WHERE a.depth > 0 AND {visible_to("p")} ORDER BY a.depth DESC""",  # noqa: S608
        post=post.id,
        most=MOST_ANCESTORS,
        viewer=eyes(viewer),
    )
    below = tx.all(
        f"""WITH RECURSIVE below (id) AS (
                SELECT p.id FROM posts p WHERE p.parent_id = :post
                UNION SELECT p.id FROM below b JOIN posts p ON p.parent_id = b.id)
            SELECT p.id FROM below b JOIN posts p ON p.id = b.id
            WHERE p.id <> :post AND {visible_to("p")} AND {no_mute("p.account_id")}
              AND (:owner IN (:viewer, p.account_id) OR {no_limit("p.account_id")})
            ORDER BY p.id LIMIT :most""",  # noqa: S608
        post=post.id,
        owner=post.account_id,
        most=MOST_DESCENDANTS,
        viewer=eyes(viewer),
    )
    ancestors = dict.fromkeys(row["id"] for row in above if row["id"] != post.id)
    return list(ancestors), [row["id"] for row in below]
