"""Timelines: pages of entries (post ids), newest first, with visibility checked in the same SQL. Owns no table.

Pages, the client API and `post_summaries` call it. Every page is read by id along an index of exactly the posts that it
is about, and ends after `limit` rows, or after a bounded number of rows that its viewer may not see (`bounded_pages`);
so its cost does not grow with the table. Posts of muted accounts are left out of every list but a profile and the
viewer's own likes and bookmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from node.accounts import relationships
from node.database import Reader
from node.database.bounded_pages import Walk, clause, merged, read
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import (
    boost_visible_to,
    may_see_posts_of,
    no_limit,
    no_mute,
    viewer_value,
    visible_to,
)
from node.paging import Found, Page
from node.posts import hashtags

MAX_ANCESTORS = 200
MAX_DESCENDANTS = 2_000
MAX_VISITED_DESCENDANTS = 4_000
MAX_MORE_HASHTAGS = 4
COMPARED_POSTS = 100  # of each hashtag, where a post must have several
MAX_PRIVATE_MENTIONS = 100  # more than a page


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One entry of a page. `id` is what the page is ordered by: that of the post or of the boost.

    `boost_by` is the id of the account that boosted the post, None for the post itself.
    """

    id: int
    post_id: int
    boost_by: int | None = None


Entries = Found[TimelineEntry]


def _entries(tx: Reader, page: Page, walks: Sequence[Walk], sql: str, **values: Any) -> Entries:
    found = read(tx, page, walks, sql, **values)
    return found.replaced_by([TimelineEntry(row["id"], row["post_id"], row["boost_by"]) for row in found])


HOME_WALK = Walk("f.id", "feed f WHERE f.account_id = :viewer")


def home(tx: Reader, account: Account, page: Page, *, include_comments: bool = True) -> Entries:
    """Returns what an account and those it follows have posted and boosted."""
    sql = home_sql(page, include_comments=include_comments)
    return _entries(tx, page, [HOME_WALK], sql, viewer=viewer_value(account))


def home_sql(page: Page, *, include_comments: bool = True) -> str:
    """Builds the query of `home`, which `post_summaries` extends to read more of the same posts."""
    return f"""SELECT f.id, f.post_id, CASE WHEN f.is_boost THEN f.by_id END AS boost_by
        FROM feed f JOIN posts p ON p.id = f.post_id
        WHERE f.account_id = :viewer AND {visible_to("p")} AND {no_mute("p.account_id")}
          AND (NOT f.is_boost OR EXISTS (SELECT 1 FROM accounts ba WHERE ba.id = f.by_id
              AND ba.suspended_at IS NULL AND ba.deleted_at IS NULL))
          {"" if include_comments else "AND p.parent_uri = ''"} {clause(page, "f.id")}"""  # noqa: S608


def public(
    tx: Reader, viewer: Account | None, page: Page, *, only_local: bool = False, only_photos: bool = False
) -> Entries:
    """Returns public posts, without comments: of all known accounts, or only of local ones."""
    return _public(tx, viewer, page, "AND p.is_local = TRUE" if only_local else "", only_photos)


def remote(tx: Reader, viewer: Account | None, page: Page, *, only_photos: bool = False) -> Entries:
    """Returns public posts of remote accounts, without comments."""
    return _public(tx, viewer, page, "AND p.is_local = FALSE", only_photos)


def _public(tx: Reader, viewer: Account | None, page: Page, origin: str, only_photos: bool) -> Entries:
    # `is_local` is compared, not named alone, so that SQLite finds the index that begins with it.
    rows = f"""posts p WHERE p.visibility = 'public' AND p.deleted_at IS NULL AND p.parent_uri = '' {origin}
        {"AND p.photos_count > 0" if only_photos else ""}"""
    return _entries(
        tx,
        page,
        [Walk("p.id", rows)],
        f"""SELECT p.id, p.id AS post_id, NULL AS boost_by FROM {rows} AND {no_limit("p.account_id")}
              AND {visible_to("p")} AND {no_mute("p.account_id")} {clause(page, "p.id")}""",  # noqa: S608
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
    tagged: str = "",
) -> Entries:
    """Returns the posts of an account, with its boosts if `include_boosts`,
    as far as the viewer may see them.

    Without a viewer: as far as everybody may. `tagged` is a hashtag that all of them have.
    """
    tag = hashtags.by_name(tx, tagged) if tagged else None
    if tagged and tag is None:
        return Found()
    photos = "AND p.photos_count > 0" if only_photos else ""
    roots = "" if include_comments else "AND p.parent_uri = ''"
    has_tag = "AND EXISTS (SELECT 1 FROM post_hashtags t WHERE t.post_id = p.id AND t.hashtag_id = :tag)"
    conditions = f"""{photos} {has_tag if tag else ""} AND {visible_to("p")}"""
    visibilities, mentioned = _visibilities(tx, viewer, account)
    walks, parts = [], []
    for visibility in visibilities:
        rows = f"""posts p WHERE p.account_id = :account AND p.visibility = '{visibility}'
            AND p.deleted_at IS NULL"""
        # There is an index with photos and one without comments; photos in comments are few.
        walks.append(Walk("p.id", f"{rows} {photos or roots}"))
        parts.append(
            f"""SELECT p.id AS id, p.id AS post_id, CAST(NULL AS BIGINT) AS boost_by
                FROM {rows} {roots} {conditions} {clause(page, "p.id")}"""  # noqa: S608
        )
    if mentioned:
        # Not a walk: much that is private and not wanted here must not end the page above what is public.
        parts.append(
            f"""SELECT named.post_id AS id, named.post_id AS post_id, CAST(NULL AS BIGINT) AS boost_by
                FROM (SELECT n.post_id FROM mentions n
                      WHERE n.account_id = :viewer AND n.private_by = :account {page.bounds("n.post_id")}
                      ORDER BY n.post_id {page.order} LIMIT {MAX_PRIVATE_MENTIONS}) AS named
                JOIN posts p ON p.id = named.post_id
                WHERE p.visibility IN ({mentioned}) {roots} {conditions} {clause(page, "named.post_id")}"""  # noqa: S608
        )
    if include_boosts:
        walks.append(Walk("b.id", "boosts b WHERE b.account_id = :account"))
        parts.append(
            f"""SELECT b.id AS id, b.post_id AS post_id, b.account_id AS boost_by
                FROM boosts b JOIN posts p ON p.id = b.post_id
                WHERE b.account_id = :account AND {boost_visible_to("b")} {conditions}
                  {clause(page, "b.id")}"""  # noqa: S608
        )
    found = _entries(
        tx,
        page,
        walks,
        merged(page, parts, "id, post_id, boost_by"),
        account=account.id,
        tag=tag.id if tag else 0,
        viewer=viewer_value(viewer),
    )
    # Where nothing may be seen, not even where the next page begins is told.
    return found if found or may_see_posts_of(tx, viewer, account) else Found()


def _visibilities(tx: Reader, viewer: Account | None, account: Account) -> tuple[list[str], str]:
    """Returns the visibilities of posts by the account that the viewer may see, and those, as SQL, of which only posts
    that mention the viewer."""
    if viewer is None or viewer.is_inactive:
        return ["public", "unlisted"], ""
    if viewer.id == account.id:
        return ["public", "unlisted", "followers", "direct"], ""
    follow = relationships.follow_between(tx, viewer, account)
    if follow is not None and follow.is_accepted:
        return ["public", "unlisted", "followers"], "'direct'"
    return ["public", "unlisted"], "'followers', 'direct'"


def hashtag(
    tx: Reader,
    viewer: Account | None,
    name: str,
    page: Page,
    *,
    only_local: bool = False,
    only_remote: bool = False,
    only_photos: bool = False,
    any_of: Sequence[str] = (),
    all_of: Sequence[str] = (),
    none_of: Sequence[str] = (),
) -> Entries:
    """Returns public posts with a hashtag, given with or without #; comments included.

    A post may have one of `any_of` instead, must have `all_of` and must not have any of `none_of`; of each list, the
    first `MAX_MORE_HASHTAGS` count.
    """
    ids = hashtags.ids_by_name(tx, [name, *any_of, *all_of, *none_of])
    one_of = list(dict.fromkeys(filter(None, (ids.get(one) for one in [name, *any_of[:MAX_MORE_HASHTAGS]]))))
    required = [ids.get(one) for one in all_of[:MAX_MORE_HASHTAGS]]
    if not one_of or None in required:
        return Found()
    excluded = [ids[one] for one in none_of[:MAX_MORE_HASHTAGS] if one in ids]
    flags = f"""t.is_public {"AND t.is_local" if only_local else ""} {"AND t.has_photos" if only_photos else ""}"""
    must_have = [one_of, *([id_] for id_ in required if id_ is not None)]
    walked = must_have.pop(_rarest(tx, must_have, flags))
    has_tag = "EXISTS (SELECT 1 FROM post_hashtags o WHERE o.post_id = t.post_id AND o.hashtag_id IN (:{}))"
    conditions = [
        *(has_tag.format(f"all_{n}") for n in range(len(must_have))),
        *("NOT " + has_tag.format(f"none_{n}") for n in range(len(excluded))),
        *(["NOT t.is_local"] if only_remote else []),
        no_limit("p.account_id"),
        visible_to("p"),
        no_mute("p.account_id"),
    ]
    walks = [
        Walk("t.post_id", f"post_hashtags t WHERE t.hashtag_id = :tag_{n} AND {flags}")
        for n in range(len(walked))
    ]
    parts = [
        f"""SELECT t.post_id AS id, t.post_id AS post_id, NULL AS boost_by
            FROM post_hashtags t JOIN posts p ON p.id = t.post_id
            WHERE t.hashtag_id = :tag_{n} AND {flags} AND p.visibility = 'public'
              AND {" AND ".join(conditions)} {clause(page, "t.post_id")}"""  # noqa: S608
        for n in range(len(walked))
    ]
    return _entries(
        tx,
        page,
        walks,
        parts[0] if len(parts) == 1 else merged(page, parts, "id, post_id, boost_by"),
        viewer=viewer_value(viewer),
        **{f"tag_{n}": id_ for n, id_ in enumerate(walked)},
        **{f"all_{n}": group for n, group in enumerate(must_have)},
        **{f"none_{n}": [id_] for n, id_ in enumerate(excluded)},
    )


def _rarest(tx: Reader, groups: Sequence[Sequence[int]], flags: str) -> int:
    """Returns which of these groups of hashtags fewest posts have: the one whose latest posts reach back furthest."""
    if len(groups) == 1:
        return 0
    tags = sorted({tag for group in groups for tag in group})
    oldest = {
        tag: tx.value(
            f"""SELECT t.post_id FROM post_hashtags t WHERE t.hashtag_id = :tag AND {flags}
                ORDER BY t.post_id DESC LIMIT 1 OFFSET {COMPARED_POSTS - 1}""",  # noqa: S608
            tag=tag,
        )
        for tag in tags
    }
    reach = [max(oldest[tag] or 0 for tag in group) for group in groups]
    return reach.index(min(reach))


def bookmarks(tx: Reader, account: Account, page: Page) -> Entries:
    """Returns the posts an account has bookmarked, the latest bookmark first."""
    return _own_collection(tx, "bookmarks", account, page)


def likes(tx: Reader, account: Account, page: Page) -> Entries:
    """Returns the posts an account has liked, the latest like first."""
    return _own_collection(tx, "likes", account, page)


def _own_collection(tx: Reader, table: str, account: Account, page: Page) -> Entries:
    return _entries(
        tx,
        page,
        [Walk("c.id", f"{table} c WHERE c.account_id = :viewer")],
        f"""SELECT c.id, c.post_id, NULL AS boost_by FROM {table} c JOIN posts p ON p.id = c.post_id
            WHERE c.account_id = :viewer AND {visible_to("p")} {clause(page, "c.id")}""",  # noqa: S608
        viewer=viewer_value(account),
    )


_CONVERSATION = """posts p WHERE p.root_id = :post AND p.parent_uri <> ''
    AND p.id < COALESCE((SELECT c.id FROM posts c WHERE c.root_id = :post AND c.parent_uri <> ''
                         ORDER BY c.id LIMIT 1 OFFSET :visited), 9223372036854775807)"""
_DESCENDANTS = """posts p WHERE p.id IN (
    SELECT id FROM (
        WITH RECURSIVE below (id) AS (
            SELECT c.id FROM posts c WHERE c.parent_id = :post
            UNION SELECT c.id FROM below b JOIN posts c ON c.parent_id = b.id)
        SELECT id FROM below LIMIT :visited) AS counted)"""


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
        f"""SELECT p.id, p.parent_id FROM {_CONVERSATION if post.root_id == post.id else _DESCENDANTS} AND p.id <> :post
              AND {visible_to("p")} AND {no_mute("p.account_id")}
              AND (:owner IN (:viewer, p.account_id) OR {no_limit("p.account_id")})
            ORDER BY p.id LIMIT :limit""",  # noqa: S608
        post=post.id,
        owner=post.account_id,
        limit=MAX_DESCENDANTS,
        visited=MAX_VISITED_DESCENDANTS,
        viewer=viewer_value(viewer),
    )
    ancestors = dict.fromkeys(row["id"] for row in above if row["id"] != post.id)
    return list(ancestors), _parents_first({row["id"]: row["parent_id"] for row in below})


def _parents_first(parents: dict[int, int]) -> list[int]:
    """Returns posts by age, but none before its parent: of those that came before it the id may be lower."""
    places: dict[int, tuple[int, int]] = {}
    for id_ in parents:
        chain = [id_]
        while (parent := parents[chain[-1]]) in parents and parent not in places:
            chain.append(parent)
        age, depth = places.get(parents[chain[-1]], (0, 0))
        for one in reversed(chain):
            age, depth = max(age, one), depth + 1
            places[one] = (age, depth)
    return sorted(parents, key=lambda id_: (*places[id_], id_))
