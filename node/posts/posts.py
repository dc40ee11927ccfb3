"""The rows of posts, local and remote. Owns `posts`. Publishing, editing and deleting: the package `publishing`.

Who may see a post is decided by `visibility`. Its audience never widens after it was published. A comment reaches no
further than its parent, and only public and unlisted comments are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from node.database import Reader, Writer, build, build_all, columns
from node.errors import NotAllowed, NotFound
from node.ids import MAX_ID, now_ms
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES
from node.models.post import Post
from node.models.visibility import viewer_value, visible_to

EMPTIED_RETENTION_MS = 90 * 24 * 3_600_000


def by_id(tx: Reader, post_id: int) -> Post | None:
    """Returns a post, deleted or not, whoever may see it: for a viewer use `visible_by_id`."""
    row = tx.one(f"SELECT {columns(Post)} FROM posts WHERE id = :id", id=post_id)  # noqa: S608
    return build(Post, row) if row else None


def by_uri(tx: Reader, uri: str) -> Post | None:
    """Returns a post by its ActivityPub id; as `by_id`."""
    row = tx.one(f"SELECT {columns(Post)} FROM posts WHERE uri = :uri", uri=uri)  # noqa: S608
    return build(Post, row) if row else None


def by_url(tx: Reader, url: str) -> Post | None:
    """Returns a post by the URL of its page, where that is not its id: some servers send the one for the other."""
    row = tx.one(f"SELECT {columns(Post)} FROM posts WHERE url = :url AND url <> uri", url=url)  # noqa: S608
    return build(Post, row) if row else None


def by_ids(tx: Reader, ids: Iterable[int]) -> dict[int, Post]:
    rows = tx.all(f"SELECT {columns(Post)} FROM posts WHERE id IN (:ids)", ids=list(ids))  # noqa: S608
    return {post.id: post for post in build_all(Post, rows)}


def visible_by_id(tx: Reader, viewer: Account | None, post_id: int) -> Post:
    """Returns the post, if this account (None: anybody) may see it. Raises NotFound, as if there were none."""
    post = _visible(tx, viewer, "p.id = :key", post_id)
    if post is None:
        raise NotFound("There is no such post.")
    return post


def visible_by_uri(tx: Reader, viewer: Account | None, uri: str) -> Post | None:
    """Returns a visible post by its ActivityPub id, or None; as `visible_by_id`."""
    return _visible(tx, viewer, "p.uri = :key", uri)


def _visible(tx: Reader, viewer: Account | None, where: str, key: int | str) -> Post | None:
    row = tx.one(
        f"SELECT {columns(Post, 'p')} FROM posts p WHERE {where} AND {visible_to('p')}",  # noqa: S608
        key=key,
        viewer=viewer_value(viewer),
    )
    return build(Post, row) if row else None


def insert(tx: Writer, post: Post) -> bool:
    """Inserts a row. False when its id or uri is in use."""
    names = columns(Post).split(", ")
    return (
        tx.run(
            f"""INSERT INTO posts ({columns(Post)}) VALUES ({", ".join(":" + name for name in names)})
            ON CONFLICT DO NOTHING""",  # noqa: S608
            **{name: getattr(post, name) for name in names},
        )
        > 0
    )


def adjust_counts(tx: Writer, post_id: int, *, likes: int = 0, boosts: int = 0, comments: int = 0) -> None:
    """Adds to the counts of a post, in the unit of work that makes the difference. A deleted one keeps its own."""
    tx.run(
        """UPDATE posts SET likes_count = likes_count + :likes, boosts_count = boosts_count + :boosts,
                  comments_count = comments_count + :comments
           WHERE id = :id AND deleted_at IS NULL""",
        id=post_id,
        likes=likes,
        boosts=boosts,
        comments=comments,
    )


def own_post(tx: Reader, account: Account, post: Post) -> Post:
    """Returns the present row of a post. Raises NotFound once it is deleted, NotAllowed for another author."""
    current = by_id(tx, post.id)
    if current is None or current.deleted_at is not None:
        raise NotFound("There is no such post.")
    if current.account_id != account.id:
        raise NotAllowed("Only its author can change a post.")
    return current


def update(tx: Writer, now: Post) -> None:
    """Writes what an edit may change of a post's row."""
    tx.run(
        """UPDATE posts SET caption = :caption, source = :source, warning = :warning,
                  is_sensitive = :is_sensitive, language = :language, url = :url, emoji = :emoji,
                  policy = :policy, photos_count = :photos_count, edited_at = :edited_at, extras = :extras
           WHERE id = :id""",
        id=now.id,
        caption=now.caption,
        source=now.source,
        warning=now.warning,
        is_sensitive=now.is_sensitive,
        language=now.language,
        url=now.url,
        emoji=now.emoji,
        policy=now.policy,
        photos_count=now.photos_count,
        edited_at=now.edited_at,
        extras=now.extras,
    )


def update_extras(tx: Writer, now: Post) -> None:
    """Writes extras that changed without an edit of the post: the votes of a poll."""
    tx.run(
        "UPDATE posts SET extras = :extras, extras_at = :at WHERE id = :id",
        id=now.id,
        extras=now.extras,
        at=now.extras_at,
    )


def mark_deleted(tx: Writer, post_id: int) -> None:
    """Empties the row of a post, which stays for the comments below it."""
    tx.run(
        """UPDATE posts SET deleted_at = :now, caption = '', source = '', warning = '', language = '',
                  extras = '', is_sensitive = FALSE, photos_count = 0, likes_count = 0, boosts_count = 0
           WHERE id = :id""",
        id=post_id,
        now=now_ms(),
    )


def attach_orphaned_comments(tx: Writer, post: Post) -> list[Post]:
    """Joins the comments that arrived before their parent, and all below them, to its conversation.

    Those deleted meanwhile are joined too, for what is below them, but neither counted nor returned.
    """
    rows = tx.all(
        """UPDATE posts SET parent_id = :post
           WHERE parent_id IS NULL AND parent_uri <> '' AND parent_uri IN (:names)
             AND id <> :post AND id <> :root
           RETURNING id, visibility, deleted_at""",
        post=post.id,
        root=post.root_id,
        names=[post.uri, post.url],
    )
    if not rows:
        return []
    tx.run(
        """WITH RECURSIVE below (id) AS (
               SELECT id FROM posts WHERE id IN (:orphans)
               UNION SELECT p.id FROM posts p JOIN below ON p.parent_id = below.id)
           UPDATE posts SET root_id = :root WHERE id IN (SELECT id FROM below)""",
        orphans=[row["id"] for row in rows],
        root=post.root_id,
    )
    present = [row for row in rows if row["deleted_at"] is None]
    adjust_counts(tx, post.id, comments=sum(row["visibility"] in OPEN_VISIBILITIES for row in present))
    return list(by_ids(tx, [row["id"] for row in present]).values())


def delete_rows(tx: Writer, ids: Sequence[int]) -> None:
    """Deletes the rows of posts that other tables no longer refer to."""
    tx.run("DELETE FROM posts WHERE id IN (:ids)", ids=ids)


def clean_up(tx: Writer, now: int, before_id: int | None) -> int | None:
    """Deletes emptied rows older than `EMPTIED_RETENTION_MS` with no comment below them, among those before an id.

    Returns where to go on, None at the end. Comments have later ids than what they comment on, so they go first.
    """
    rows = tx.all(
        """SELECT p.id, p.deleted_at < :before
               AND NOT EXISTS (SELECT 1 FROM posts c WHERE c.parent_id = p.id)
               AND NOT EXISTS (SELECT 1 FROM posts c WHERE c.root_id = p.id AND c.parent_uri <> '' AND c.id <> p.id)
               AND NOT EXISTS (SELECT 1 FROM report_posts r WHERE r.post_id = p.id) AS is_unused
           FROM posts p WHERE p.deleted_at IS NOT NULL AND p.id < :end ORDER BY p.id DESC LIMIT 200""",
        before=now - EMPTIED_RETENTION_MS,
        end=before_id or MAX_ID,
    )
    delete_rows(tx, [row["id"] for row in rows if row["is_unused"]])
    return rows[-1]["id"] if rows else None
