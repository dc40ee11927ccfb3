"""Glances: the little about a page of posts that changes between edits, in one query. Owns no table.

A door that keeps what it once wrote of a post (a card, an app's JSON) needs to know of each post on a
page only whether that is still true, its counts, and the viewer's own marks. Posts that the viewer may not
see are left out, as `views` leaves them out: a kept text is shown only to who may see the post now.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.database import Reader, Row
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import eyes, visible_to
from node.paging import Page
from node.timelines import viewer_marks
from node.timelines.timelines import Entry, home_sql
from node.timelines.viewer_marks import ViewerMarks


@dataclass(slots=True)
class Glance:
    """One line of a page: its id and who boosted it, as in `timelines.Entry`.

    `version` changes with what the post says, `author_version` with what is shown of its author.
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
    marks: ViewerMarks

    @property
    def entry(self) -> Entry:
        return Entry(self.id, self.post_id, self.boost_by)


_AUTHOR_VERSION = """a.updated_at || '.' || a.posts_count || '.' || a.followers_count || '.' || a.following_count
    || '.' || COALESCE(a.last_posted_at, 0)"""


def version_of_account(account: Account) -> str:
    """What `Glance.author_version` is for this account."""
    return (
        f"{account.updated_at}.{account.posts_count}.{account.followers_count}.{account.following_count}"
        f".{account.last_posted_at or 0}"
    )


def version_of_post(post: Post) -> str:
    """What `Glance.version` is for this post."""
    return f"{post.edited_at or 0}.{post.parent_id or 0}"


_COLUMNS = f"""p.account_id, COALESCE(p.edited_at, 0) || '.' || COALESCE(p.parent_id, 0) AS version,
    {_AUTHOR_VERSION} AS author_version, p.likes_count, p.boosts_count, p.comments_count,
    {viewer_marks.marks_on("p")} AS marks"""


def of(tx: Reader, viewer: Account | None, entries: Sequence[Entry]) -> list[Glance]:
    """Entries in their order, without what the viewer may not see."""
    rows = {
        row["id"]: row
        for row in tx.all(
            f"""SELECT p.id, {_COLUMNS} FROM posts p JOIN accounts a ON a.id = p.account_id
                WHERE p.id IN (:ids) AND {visible_to("p")}""",  # noqa: S608
            ids=[entry.post_id for entry in entries],
            viewer=eyes(viewer),
        )
    }
    return [
        _glance(entry.id, entry.post_id, entry.boost_by, row)
        for entry in entries
        if (row := rows.get(entry.post_id)) is not None
    ]


def home(tx: Reader, who: Account, page: Page, *, include_comments: bool = True) -> list[Glance]:
    """`timelines.home`, glanced at in the same query: what it lists has been found visible there."""
    rows = tx.all(_home(bool(page.min_id), include_comments), viewer=eyes(who), **page.values)
    return page.ordered([_glance(row["id"], row["post_id"], row["boost_by"], row) for row in rows])


@functools.cache
def _home(upwards: bool, include_comments: bool) -> str:
    page = home_sql(Page(min_id=int(upwards)), include_comments=include_comments)
    return f"""WITH page AS MATERIALIZED ({page})
        SELECT page.id, page.post_id, page.boost_by, {_COLUMNS}
        FROM page JOIN posts p ON p.id = page.post_id JOIN accounts a ON a.id = p.account_id
        ORDER BY page.id {"ASC" if upwards else "DESC"}"""  # noqa: S608


def _glance(id_: int, post_id: int, boost_by: int | None, row: Row) -> Glance:
    return Glance(
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


def of_accounts(tx: Reader, ids: Iterable[int]) -> dict[int, str]:
    """`version_of_account` by account id."""
    rows = tx.all(
        f"SELECT a.id, {_AUTHOR_VERSION} AS version FROM accounts a WHERE a.id IN (:ids)",  # noqa: S608
        ids=list(ids),
    )
    return {row["id"]: row["version"] for row in rows}
