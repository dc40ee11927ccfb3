"""Home feeds of local accounts: rows, not a query. Owns `feed`.

A post or boost is written into the feeds of its local readers when it is published, in one statement however many
they are, and removed when it is deleted, or when a follow ends. Which rows a viewer really sees is still decided by
`visibility` when the page is read.

A feed holds what followed accounts (and oneself) publish, but no direct posts; a comment only for those who also
follow the author of its parent, or are that author, or when it continues the author's own post. A boost goes to
those who want the boosts of this account and do not have the post already. A public post that is no comment is also for
those who follow one of its hashtags, unless its author's server is limited.
"""

from __future__ import annotations

import functools

from node.database import Writer
from node.database.walks import trim_next_account
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Boost, Post
from node.models.visibility import is_active_and_unlimited
from node.posts import posts

MAX_BACKFILLED = 40
MAX_ENTRIES = 6_000
"""Of one account. Older ones are deleted once a day."""

_IS_ACTIVE_READER = """r.is_local AND r.suspended_at IS NULL AND r.deleted_at IS NULL"""


def _no_block_or_mute(reader: str, other: str) -> str:
    """Returns the SQL condition that the reader has not muted the other, and neither has blocked the other.

    `visibility` has the same condition for one row at a time, for pages of twenty. An author's followers are
    thousands, so here the planner may turn it into joins: on PostgreSQL that takes a third of the time.
    """
    return f"""NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = {reader} AND m.target_id = {other})
        AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = {reader} AND b.target_id = {other})
        AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = {other} AND b.target_id = {reader})"""  # noqa: S608


def _concerns_reader(reader: str, author: str, parent_author: str) -> str:
    """Returns the SQL condition that a comment on a post by `parent_author` concerns the reader."""
    return f"""({parent_author} = {author} OR {parent_author} = {reader}
        OR EXISTS (SELECT 1 FROM follows pf WHERE pf.follower_id = {reader}
            AND pf.followed_id = {parent_author} AND pf.state = 'accepted'))"""  # noqa: S608


def add_post(tx: Writer, post: Post, *, parent: Post | None = None) -> None:
    """Puts a post into the feeds of its author and of the author's local followers.

    `parent` saves reading the post on which a comment comments, where the caller has it.
    """
    if post.visibility == "direct" or (post.is_comment and post.parent_id is None):
        return
    concerns = "TRUE"
    values = {"post": post.id, "author": post.account_id}
    if post.is_comment:
        parent = parent or posts.by_id(tx, post.parent_id or 0)
        if parent is None:
            return
        if parent.account_id != post.account_id:
            concerns = _concerns_reader("r.id", "CAST(:author AS BIGINT)", "CAST(:parent_author AS BIGINT)")
            values["parent_author"] = parent.account_id
    tx.run(
        f"""INSERT INTO feed (account_id, id, post_id, by_id, is_boost)
            SELECT r.id, CAST(:post AS BIGINT), CAST(:post AS BIGINT), f.followed_id, FALSE
            FROM follows f JOIN accounts r ON r.id = f.follower_id
            WHERE f.followed_id = :author AND f.state = 'accepted' AND {_IS_ACTIVE_READER}
              AND {_no_block_or_mute("r.id", "f.followed_id")} AND {concerns}
            ON CONFLICT DO NOTHING""",  # noqa: S608
        **values,
    )
    if post.is_local:
        _add_own(tx, post.account_id, post.id, post.id, is_boost=False)


def add_by_hashtags(tx: Writer, post: Post) -> None:
    """Puts a public post that is no comment into the feeds of those who follow one of its hashtags."""
    if post.visibility == "public" and not post.is_comment:
        _add_by_hashtags(tx, "p.id = :post", "TRUE", post=post.id)


def _add_by_hashtags(tx: Writer, posts_are: str, readers_are: str, **values: int) -> None:
    """Puts public posts `p` into the feeds of the readers `r` who follow one of their hashtags `h`."""
    tx.run(
        f"""INSERT INTO feed (account_id, id, post_id, by_id, is_boost)
            SELECT DISTINCT r.id, p.id, p.id, p.account_id, FALSE
            FROM post_hashtags h JOIN posts p ON p.id = h.post_id
            JOIN accounts a ON a.id = p.account_id
            JOIN followed_hashtags f ON f.hashtag_id = h.hashtag_id
            JOIN accounts r ON r.id = f.account_id
            WHERE {posts_are} AND {readers_are} AND h.is_public AND p.deleted_at IS NULL AND p.parent_uri = ''
              AND {is_active_and_unlimited("a")} AND {_IS_ACTIVE_READER}
              AND {_no_block_or_mute("r.id", "p.account_id")}
            ON CONFLICT DO NOTHING""",  # noqa: S608
        **values,
    )


def _add_own(tx: Writer, account_id: int, id_: int, post_id: int, *, is_boost: bool) -> None:
    tx.run(
        """INSERT INTO feed (account_id, id, post_id, by_id, is_boost)
           SELECT r.id, CAST(:id AS BIGINT), CAST(:post AS BIGINT), r.id, CAST(:is_boost AS BOOLEAN)
           FROM accounts r WHERE r.id = :account AND r.is_local
           ON CONFLICT DO NOTHING""",
        account=account_id,
        id=id_,
        post=post_id,
        is_boost=is_boost,
    )


def add_boost(tx: Writer, boost: Boost, post: Post) -> None:
    """Puts a boost into the feeds of the booster and of the booster's local followers."""
    tx.run(
        f"""INSERT INTO feed (account_id, id, post_id, by_id, is_boost)
            SELECT r.id, CAST(:boost AS BIGINT), CAST(:post AS BIGINT), f.followed_id, TRUE
            FROM follows f JOIN accounts r ON r.id = f.follower_id
            WHERE f.followed_id = :by AND f.state = 'accepted' AND f.shows_boosts AND {_IS_ACTIVE_READER}
              AND {_no_block_or_mute("r.id", "f.followed_id")}
              AND {_no_block_or_mute("r.id", "CAST(:author AS BIGINT)")}
            ON CONFLICT DO NOTHING""",  # noqa: S608
        boost=boost.id,
        post=post.id,
        by=boost.account_id,
        author=post.account_id,
    )
    _add_own(tx, boost.account_id, boost.id, post.id, is_boost=True)


def remove_boost(tx: Writer, boost: Boost, post: Post) -> None:
    """Removes a boost. Those who would have got the post from its author anyway get it back as that."""
    removed = tx.run(
        "DELETE FROM feed WHERE post_id = :post AND by_id = :by AND is_boost",
        post=post.id,
        by=boost.account_id,
    )
    if removed and post.deleted_at is None:
        add_post(tx, post)


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Removes a post, and the boosts of it, from all feeds."""
    tx.run("DELETE FROM feed WHERE post_id = :post", post=post.id)


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes an account's own feed. It leaves the feeds of others with its follows, posts and boosts."""
    tx.run("DELETE FROM feed WHERE account_id = :account", account=account.id)


def backfill(tx: Writer, viewer_id: int, by_id: int) -> None:
    """Puts the latest posts and boosts of a newly followed account into a feed, up to `MAX_BACKFILLED` of each."""
    tx.run(
        f"""INSERT INTO feed (account_id, id, post_id, by_id, is_boost)
            SELECT r.id, p.id, p.id, p.account_id, FALSE
            FROM (SELECT id, account_id, parent_id, parent_uri FROM posts
                  WHERE account_id = :by AND deleted_at IS NULL AND visibility <> 'direct'
                  ORDER BY id DESC LIMIT :most) AS p
            JOIN accounts r ON r.id = :viewer
            LEFT JOIN posts parent ON parent.id = p.parent_id
            WHERE {_IS_ACTIVE_READER} AND {_no_block_or_mute("r.id", "p.account_id")}
              AND (p.parent_uri = '' OR {_concerns_reader("r.id", "p.account_id", "parent.account_id")})
            ON CONFLICT DO NOTHING""",  # noqa: S608
        by=by_id,
        viewer=viewer_id,
        most=MAX_BACKFILLED,
    )
    tx.run(
        f"""INSERT INTO feed (account_id, id, post_id, by_id, is_boost)
            SELECT r.id, b.id, b.post_id, b.account_id, TRUE
            FROM (SELECT id, post_id, account_id FROM boosts
                  WHERE account_id = :by ORDER BY id DESC LIMIT :most) AS b
            JOIN posts p ON p.id = b.post_id
            JOIN accounts r ON r.id = :viewer
            JOIN follows f ON f.follower_id = r.id AND f.followed_id = b.account_id
            WHERE {_IS_ACTIVE_READER} AND f.state = 'accepted' AND f.shows_boosts
              AND {_no_block_or_mute("r.id", "b.account_id")} AND {_no_block_or_mute("r.id", "p.account_id")}
            ON CONFLICT DO NOTHING""",  # noqa: S608
        by=by_id,
        viewer=viewer_id,
        most=MAX_BACKFILLED,
    )


def backfill_hashtag(tx: Writer, viewer_id: int, hashtag_id: int) -> None:
    """Puts the latest public posts with a newly followed hashtag into a feed, up to `MAX_BACKFILLED`."""
    latest = """h.hashtag_id = :hashtag AND h.post_id IN (
        SELECT post_id FROM post_hashtags WHERE hashtag_id = :hashtag AND is_public
        ORDER BY post_id DESC LIMIT :most)"""
    _add_by_hashtags(tx, latest, "r.id = :viewer", hashtag=hashtag_id, viewer=viewer_id, most=MAX_BACKFILLED)


def remove_hashtag(tx: Writer, viewer_id: int, hashtag_id: int) -> None:
    """Removes from a feed the posts with a hashtag that is no longer followed, where nothing else brings them there."""
    tx.run(
        """DELETE FROM feed WHERE account_id = :viewer AND NOT is_boost AND by_id <> :viewer
             AND post_id IN (SELECT h.post_id FROM feed e
                 JOIN post_hashtags h ON h.post_id = e.post_id AND h.hashtag_id = :hashtag
                 WHERE e.account_id = :viewer)
             AND NOT EXISTS (SELECT 1 FROM follows f WHERE f.follower_id = :viewer
                 AND f.followed_id = feed.by_id AND f.state = 'accepted')
             AND NOT EXISTS (SELECT 1 FROM post_hashtags o
                 JOIN followed_hashtags t ON t.hashtag_id = o.hashtag_id AND t.account_id = :viewer
                 WHERE o.post_id = feed.post_id)""",
        viewer=viewer_id,
        hashtag=hashtag_id,
    )


def remove_author(tx: Writer, viewer_id: int, by_id: int) -> None:
    """Removes what came from an account from a feed, because a follow ended or a mute began.

    A post by somebody still followed, which was there only as a boost by that account, stays as a post.
    """
    removed = tx.all(
        "DELETE FROM feed WHERE account_id = :viewer AND by_id = :by RETURNING post_id, is_boost",
        viewer=viewer_id,
        by=by_id,
    )
    kept = [row["post_id"] for row in removed if row["is_boost"]]
    if kept:
        tx.run(
            f"""INSERT INTO feed (account_id, id, post_id, by_id, is_boost)
                SELECT f.follower_id, p.id, p.id, p.account_id, FALSE
                FROM posts p JOIN follows f ON f.followed_id = p.account_id
                WHERE p.id IN (:kept) AND p.deleted_at IS NULL AND p.visibility <> 'direct'
                  AND p.parent_uri = '' AND p.account_id <> :by
                  AND f.follower_id = :viewer AND f.state = 'accepted'
                  AND {_no_block_or_mute("f.follower_id", "p.account_id")}
                ON CONFLICT DO NOTHING""",  # noqa: S608
            kept=kept,
            by=by_id,
            viewer=viewer_id,
        )


def trim(tx: Writer, now: int, after: int | None) -> int | None:
    """Deletes the oldest entries beyond `MAX_ENTRIES` of the next feed; returns whose it is, None at the end."""
    return trim_next_account(tx, "feed", after, functools.partial(_trim_feed, tx))


def _trim_feed(tx: Writer, account_id: int) -> int:
    return tx.run(
        """DELETE FROM feed WHERE account_id = :account AND id IN (
               SELECT id FROM feed WHERE account_id = :account ORDER BY id DESC LIMIT 500 OFFSET :most)""",
        account=account_id,
        most=MAX_ENTRIES,
    )
