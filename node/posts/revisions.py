"""Revisions: the earlier versions of edited posts. Owns `post_edits`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from node.attachments import photo_rows
from node.database import Reader, Writer
from node.ids import new_id
from node.models import deletion_hooks
from node.models.post import Post


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a post, from `created_at` (milliseconds) on. `photos` are (photo id, alt text) in order."""

    caption: str
    warning: str
    is_sensitive: bool
    photos: list[tuple[int, str]]
    created_at: int


def current_photos(tx: Reader, post: Post) -> list[tuple[int, str]]:
    """Returns (photo id, alt text) of a post's photos, as a revision keeps them."""
    return [(photo.id, photo.alt) for photo in photo_rows.by_posts(tx, [post.id]).get(post.id, [])]


def by_post(tx: Reader, post: Post) -> list[Revision]:
    """Returns all versions of a post, the first one first and the present one last."""
    rows = tx.all(
        """SELECT caption, warning, is_sensitive, photos, created_at
           FROM post_edits WHERE post_id = :post ORDER BY id""",
        post=post.id,
    )
    former = [
        Revision(
            row["caption"],
            row["warning"],
            bool(row["is_sensitive"]),
            [(id_, alt) for id_, alt in json.loads(row["photos"])],
            row["created_at"],
        )
        for row in rows
    ]
    since = post.edited_at or post.published_at
    return [*former, Revision(post.caption, post.warning, post.is_sensitive, current_photos(tx, post), since)]


def record(tx: Writer, post: Post, photo_alts: Sequence[tuple[int, str]]) -> None:
    """Keeps the version of a post that is about to be replaced."""
    tx.run(
        """INSERT INTO post_edits (id, post_id, caption, warning, is_sensitive, photos, created_at)
           VALUES (:id, :post, :caption, :warning, :is_sensitive, :photos, :created_at)""",
        id=new_id(),
        post=post.id,
        caption=post.caption,
        warning=post.warning,
        is_sensitive=post.is_sensitive,
        photos=json.dumps(photo_alts),
        created_at=post.edited_at or post.published_at,
    )


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the earlier versions of a post."""
    tx.run("DELETE FROM post_edits WHERE post_id = :post", post=post.id)
