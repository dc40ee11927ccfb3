"""Deletes old conversations of remote accounts in which nobody here has a part. Owns no table.

A conversation is a post and all comments below it, and is kept or deleted as a whole. It is kept while any of its
posts is local or was received lately, stands in somebody's home feed, mentions a local account, was liked, boosted,
reacted to or bookmarked by one, is quoted by a local post or quotes one, is pinned by an account that somebody here
follows, was reported, or is still being written about to other servers. What is deleted leaves no tombstone: whoever
looks for it fetches it again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from node.database import Reader, Row, Writer
from node.posts import posts
from node.publishing import post_deletion

POSTS_READ_PER_BATCH = 500
MAX_COMMENTS_PER_BATCH = 2_000
DELETED_PER_BATCH = 100

_ACTED_HERE = "SELECT t.post_id AS id FROM {} t JOIN accounts a ON a.id = t.account_id WHERE t.post_id IN (:ids) AND a.is_local"
_TOUCHED = " UNION ".join(
    [
        *(_ACTED_HERE.format(table) for table in ("mentions", "likes", "boosts", "reactions", "bookmarks")),
        "SELECT post_id FROM feed WHERE post_id IN (:ids)",
        "SELECT post_id FROM notifications WHERE post_id IN (:ids)",
        "SELECT post_id FROM report_posts WHERE post_id IN (:ids)",
        "SELECT post_id FROM outbox WHERE post_id IN (:ids)",
        "SELECT q.target_id FROM quotes q JOIN posts p ON p.id = q.post_id WHERE q.target_id IN (:ids) AND p.is_local",
        "SELECT q.post_id FROM quotes q JOIN posts p ON p.id = q.target_id WHERE q.post_id IN (:ids) AND p.is_local",
        """SELECT n.post_id FROM pins n WHERE n.post_id IN (:ids) AND EXISTS (SELECT 1 FROM follows f
            JOIN accounts a ON a.id = f.follower_id WHERE f.followed_id = n.account_id AND a.is_local)""",
    ]
)


def delete_batch(tx: Writer, now: int, after: int | None, *, before: int) -> int | None:
    """Deletes some posts of old conversations that begin after a post; returns where to go on, None at the end.

    Old is a conversation whose posts were all received before `before` (milliseconds). Of one with more than
    `MAX_COMMENTS_PER_BATCH` comments, those decide that are looked at: the latest.
    """
    rows = tx.all(
        """SELECT id, root_id, is_local, created_at FROM posts
           WHERE id > :after AND id < :end ORDER BY id LIMIT :most""",
        after=after or 0,
        end=before << 16,
        most=POSTS_READ_PER_BATCH,
    )
    if not rows:
        return None
    last = rows[-1]["id"]
    starts = [row for row in rows if row["root_id"] == row["id"] and _may_be_deleted(row, before)]
    comments = _latest_comments(tx, [row["id"] for row in starts])
    if len(comments) == MAX_COMMENTS_PER_BATCH and len(starts) > 1:
        # Too many to see them all: this time only the first conversation.
        last, starts = starts[0]["id"], starts[:1]
        comments = _latest_comments(tx, [last])
    is_whole = len(comments) < MAX_COMMENTS_PER_BATCH
    kept = {row["root_id"] for row in comments if not _may_be_deleted(row, before)}
    touched = _touched(tx, [row["id"] for row in (*starts, *comments) if row["root_id"] not in kept])
    kept |= {row["root_id"] for row in (*starts, *comments) if row["id"] in touched}
    # Comments before what they comment on: whatever is interrupted leaves no comment without its parent.
    found = (*comments, *(starts if is_whole else ()))
    ids = sorted((row["id"] for row in found if row["root_id"] not in kept), reverse=True)
    _delete(tx, ids[:DELETED_PER_BATCH])
    return last if len(ids) <= DELETED_PER_BATCH and (is_whole or not ids) else after or 0


def _may_be_deleted(row: Row, before: int) -> bool:
    return not row["is_local"] and row["created_at"] < before


def _latest_comments(tx: Reader, root_ids: Sequence[int]) -> list[Row]:
    return tx.all(
        """SELECT id, root_id, is_local, created_at FROM posts
           WHERE root_id IN (:roots) AND parent_uri <> '' AND id <> root_id ORDER BY id DESC LIMIT :most""",
        roots=root_ids,
        most=MAX_COMMENTS_PER_BATCH,
    )


def _touched(tx: Reader, ids: Iterable[int]) -> set[int]:
    """Returns those of the posts in which somebody here has a part."""
    remaining = iter(ids)
    found: set[int] = set()
    while some := list(itertools.islice(remaining, POSTS_READ_PER_BATCH)):
        found.update(row["id"] for row in tx.all(_TOUCHED, ids=some))
    return found


def _delete(tx: Writer, ids: Sequence[int]) -> None:
    """Deletes these posts, in this order, with all that other tables hold about them."""
    known = posts.by_ids(tx, ids)
    for id_ in ids:
        post_deletion.remove_locally(tx, known[id_])
    posts.delete_rows(tx, ids)
