"""Post summaries: what changes about a post between edits (counts, marks, versions), in one query. Owns no table.

Pages and the client API cache what they rendered of a post (a card, JSON). For a page of posts they need only to know
whether each cached text is current, its counts, and the viewer's marks. Posts that the viewer may not see are left
out, as `post_views` leaves them out: a cached text is shown only to a viewer who may see the post now.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.database import Reader, Row, bounded_pages
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import viewer_value, visible_to
from node.paging import Found, Page
from node.timelines import viewer_marks
from node.timelines.timelines import HOME_WALK, TimelineEntry, home_sql
from node.timelines.viewer_marks import ViewerMarks


@dataclass(slots=True)
class PostSummary:
    """One entry of a page: `id`, `post_id` and `boost_by` are as in `TimelineEntry`.

    `version` changes whenever the post is edited or its poll is counted, `author_version` whenever what is shown of its author changes.
    """

    id: int
    post_id: int
    boost_by: int | None
    author_id: int
    version: str
    author_version: str
    likes: int
    boosts: int
    comments: int
    viewer_marks: ViewerMarks

    @property
    def entry(self) -> TimelineEntry:
        return TimelineEntry(self.id, self.post_id, self.boost_by)


_AUTHOR_VERSION = """a.updated_at || '.' || a.posts_count || '.' || a.followers_count || '.' || a.following_count
    || '.' || COALESCE(a.last_posted_at, 0)"""


def account_version(account: Account) -> str:
    """Returns the `PostSummary.author_version` of this account, as the SQL computes it."""
    return (
        f"{account.updated_at}.{account.posts_count}.{account.followers_count}.{account.following_count}"
        f".{account.last_posted_at or 0}"
    )


def post_version(post: Post) -> str:
    """Returns the `PostSummary.version` of this post, as the SQL computes it."""
    return f"{post.edited_at or 0}.{post.parent_id or 0}.{post.extras_at}"


_COLUMNS = f"""p.account_id, COALESCE(p.edited_at, 0) || '.' || COALESCE(p.parent_id, 0) || '.' || p.extras_at
    AS version,
    {_AUTHOR_VERSION} AS author_version, p.likes_count, p.boosts_count, p.comments_count,
    {viewer_marks.marks_on("p")} AS marks"""


def by_entries(tx: Reader, viewer: Account | None, entries: Sequence[TimelineEntry]) -> list[PostSummary]:
    """Returns the summaries of entries, in their order, without posts that the viewer may not see."""
    rows = {
        row["id"]: row
        for row in tx.all(
            f"""SELECT p.id, {_COLUMNS} FROM posts p JOIN accounts a ON a.id = p.account_id
                WHERE p.id IN (:ids) AND {visible_to("p")}""",  # noqa: S608
            ids=[entry.post_id for entry in entries],
            viewer=viewer_value(viewer),
        )
    }
    return [
        _summary(entry.id, entry.post_id, entry.boost_by, row)
        for entry in entries
        if (row := rows.get(entry.post_id)) is not None
    ]


def home(tx: Reader, account: Account, page: Page, *, include_comments: bool = True) -> Found[PostSummary]:
    """Returns the page of `timelines.home` as summaries, in one query,
    which has already checked visibility."""
    found = bounded_pages.read(
        tx, page, [HOME_WALK], _home_sql(bool(page.min_id), include_comments), viewer=viewer_value(account)
    )
    return found.replaced_by([_summary(row["id"], row["post_id"], row["boost_by"], row) for row in found])


@functools.cache
def _home_sql(upwards: bool, include_comments: bool) -> str:
    page = home_sql(Page(min_id=int(upwards)), include_comments=include_comments)
    return f""", page AS MATERIALIZED ({page})
        SELECT page.id, page.post_id, page.boost_by, {_COLUMNS}
        FROM page JOIN posts p ON p.id = page.post_id JOIN accounts a ON a.id = p.account_id
        ORDER BY page.id {"ASC" if upwards else "DESC"}"""  # noqa: S608


def _summary(id_: int, post_id: int, boost_by: int | None, row: Row) -> PostSummary:
    return PostSummary(
        id_,
        post_id,
        boost_by,
        row["account_id"],
        row["version"],
        row["author_version"],
        row["likes_count"],
        row["boosts_count"],
        row["comments_count"],
        viewer_marks.ALL[row["marks"]],
    )


def account_versions(tx: Reader, ids: Iterable[int]) -> dict[int, str]:
    """Returns the `account_version` of accounts, by id."""
    rows = tx.all(
        f"SELECT a.id, {_AUTHOR_VERSION} AS version FROM accounts a WHERE a.id IN (:ids)",  # noqa: S608
        ids=list(ids),
    )
    return {row["id"]: row["version"] for row in rows}
