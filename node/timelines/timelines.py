"""Timelines: pages of entries (post ids), newest first, with visibility checked in the same SQL. Owns no table.

Pages, the client API and `post_summaries` call it. Every page is read by id along an index and ends after `limit`
rows, so its cost does not grow with the table. Posts of muted accounts are left out of every list but a profile and
the viewer's own likes and bookmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from node.database import Reader
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import boost_visible_to, no_limit, no_mute, viewer_value, visible_to
from node.paging import Page
from node.text.formatting import normalize_hashtag

MAX_ANCESTORS = 200
MAX_DESCENDANTS = 2_000


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One entry of a page. `id` is what the page is ordered by: that of the post or of the boost.

    `boost_by` is the id of the account that boosted the post, None for the post itself.
    """

    id: int
    post_id: int
    boost_by: int | None = None


def _entries(tx: Reader, page: Page, sql: str, **values: Any) -> list[TimelineEntry]:
    rows = tx.all(sql, **values, **page.values)
    return page.newest_first([TimelineEntry(row["id"], row["post_id"], row["boost_by"]) for row in rows])


def home(tx: Reader, account: Account, page: Page, *, include_comments: bool = True) -> list[TimelineEntry]:
    """Returns what an account and those it follows have posted and boosted."""
    return _entries(tx, page, home_sql(page, include_comments=include_comments), viewer=viewer_value(account))


def home_sql(page: Page, *, include_comments: bool = True) -> str:
    """Builds the query of `home`, which `post_summaries` extends to read more of the same posts."""
    return f"""SELECT f.id, f.post_id, CASE WHEN f.is_boost THEN f.by_id END AS boost_by
        FROM feed f JOIN posts p ON p.id = f.post_id
        WHERE f.account_id = :viewer AND {visible_to("p")} AND {no_mute("p.account_id")}
          AND (NOT f.is_boost OR EXISTS (SELECT 1 FROM accounts ba WHERE ba.id = f.by_id
              AND ba.suspended_at IS NULL AND ba.deleted_at IS NULL))
          {"" if include_comments else "AND p.parent_uri = ''"} {page.clause("f.id")}"""  # noqa: S608


def public(
    tx: Reader, viewer: Account | None, page: Page, *, only_local: bool = False, only_photos: bool = False
) -> list[TimelineEntry]:
    """Returns public posts, without comments: of all known accounts, or only of local ones."""
    return _public(tx, viewer, page, "AND p.is_local = TRUE" if only_local else "", only_photos)


def remote(
    tx: Reader, viewer: Account | None, page: Page, *, only_photos: bool = False
) -> list[TimelineEntry]:
    """Returns public posts of remote accounts, without comments."""
    return _public(tx, viewer, page, "AND p.is_local = FALSE", only_photos)


def _public(
    tx: Reader, viewer: Account | None, page: Page, origin: str, only_photos: bool
) -> list[TimelineEntry]:
    # `is_local` is compared, not named alone, so that SQLite finds the index that begins with it.
    return _entries(
        tx,
        page,
        f"""SELECT p.id, p.id AS post_id, NULL AS boost_by FROM posts p
            WHERE p.visibility = 'public' AND p.deleted_at IS NULL AND p.parent_uri = '' {origin}
              {"AND p.photos_count > 0" if only_photos else ""} AND {visible_to("p")}
              AND {no_mute("p.account_id")} AND {no_limit("p.account_id")} {page.clause("p.id")}""",  # noqa: S608
        viewer=viewer_value(viewer),
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
) -> list[TimelineEntry]:
    """Returns the posts of an account, with its boosts if `include_boosts`,
    as far as the viewer may see them.

    Without a viewer: as far as everybody may.
    """
    own = f"""SELECT p.id AS id, p.id AS post_id, CAST(NULL AS BIGINT) AS boost_by FROM posts p
        WHERE p.account_id = :account AND {visible_to("p")}
          {"AND p.photos_count > 0" if only_photos else ""}
          {"" if include_comments else "AND p.parent_uri = ''"} {page.clause("p.id")}"""  # noqa: S608
    if not include_boosts:
        return _entries(tx, page, own, account=account.id, viewer=viewer_value(viewer))
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
        viewer=viewer_value(viewer),
    )


def hashtag(
    tx: Reader,
    viewer: Account | None,
    name: str,
    page: Page,
    *,
    only_local: bool = False,
    only_photos: bool = False,
) -> list[TimelineEntry]:
    """Returns public posts with a hashtag, given with or without #; comments included."""
    return _entries(
        tx,
        page,
        f"""SELECT p.id, p.id AS post_id, NULL AS boost_by
            FROM post_hashtags t JOIN posts p ON p.id = t.post_id
            WHERE t.hashtag_id = (SELECT h.id FROM hashtags h WHERE h.name = :name)
              AND p.visibility = 'public' {"AND p.is_local" if only_local else ""}
              {"AND p.photos_count > 0" if only_photos else ""} AND {visible_to("p")}
              AND {no_mute("p.account_id")} AND {no_limit("p.account_id")} {page.clause("t.post_id")}""",  # noqa: S608
        name=normalize_hashtag(name),
        viewer=viewer_value(viewer),
    )


def bookmarks(tx: Reader, account: Account, page: Page) -> list[TimelineEntry]:
    """Returns the posts an account has bookmarked, the latest bookmark first."""
    return _own_collection(tx, "bookmarks", account, page)


def likes(tx: Reader, account: Account, page: Page) -> list[TimelineEntry]:
    """Returns the posts an account has liked, the latest like first."""
    return _own_collection(tx, "likes", account, page)


def _own_collection(tx: Reader, table: str, account: Account, page: Page) -> list[TimelineEntry]:
    return _entries(
        tx,
        page,
        f"""SELECT c.id, c.post_id, NULL AS boost_by FROM {table} c JOIN posts p ON p.id = c.post_id
            WHERE c.account_id = :viewer AND {visible_to("p")} {page.clause("c.id")}""",  # noqa: S608
        viewer=viewer_value(account),
    )


def thread(tx: Reader, viewer: Account | None, post: Post) -> tuple[list[int], list[int]]:
    """Returns the ids of the ancestors of a post, the first post first,
    and of all its descendants, oldest first.

    Deleted posts and those the viewer may not see are passed through, but left out themselves. Descendants by accounts
    of limited servers are shown only to their followers, to the author of `post`, and under a post of their own.
    """
    above = tx.all(
        f"""WITH RECURSIVE above (id, parent_id, depth) AS (
                SELECT p.id, p.parent_id, 0 FROM posts p WHERE p.id = :post
                UNION ALL SELECT p.id, p.parent_id, a.depth + 1
                FROM above a JOIN posts p ON p.id = a.parent_id WHERE a.depth < :limit)
            SELECT DISTINCT a.id, a.depth FROM above a JOIN posts p ON p.id = a.id
            WHERE a.depth > 0 AND {visible_to("p")} ORDER BY a.depth DESC""",  # noqa: S608
        post=post.id,
        limit=MAX_ANCESTORS,
        viewer=viewer_value(viewer),
    )
    below = tx.all(
        f"""WITH RECURSIVE below (id) AS (
                SELECT p.id FROM posts p WHERE p.parent_id = :post
                UNION SELECT p.id FROM below b JOIN posts p ON p.parent_id = b.id)
            SELECT p.id FROM below b JOIN posts p ON p.id = b.id
            WHERE p.id <> :post AND {visible_to("p")} AND {no_mute("p.account_id")}
              AND (:owner IN (:viewer, p.account_id) OR {no_limit("p.account_id")})
            ORDER BY p.id LIMIT :limit""",  # noqa: S608
        post=post.id,
        owner=post.account_id,
        limit=MAX_DESCENDANTS,
        viewer=viewer_value(viewer),
    )
    ancestors = dict.fromkeys(row["id"] for row in above if row["id"] != post.id)
    return list(ancestors), [row["id"] for row in below]
