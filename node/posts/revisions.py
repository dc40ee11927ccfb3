"""Revisions: the earlier versions of edited posts. Owns `post_edits`.

Whoever edits a post often must not make it expensive for those who read it: of each post the first version and the
latest ones are kept, `MAX_VERSIONS` and `MAX_KEPT_LENGTH` at most, and no more than `MAX_PER_HOUR` in an hour.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from node.attachments import photo_rows
from node.database import Reader, Writer
from node.ids import MAX_ID, id_at, new_id, now_ms
from node.models import deletion_hooks
from node.models.post import Post
from node.paging import Page

MAX_VERSIONS = 100
MAX_KEPT_LENGTH = 200_000
"""Characters of captions and alt texts in all the earlier versions of a post together."""

MAX_PER_HOUR = 30


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a post, from `created_at` (milliseconds) on. `photos` are (photo id, alt text) in order.

    `id` is what versions are paged by; the present one has 0.
    """

    id: int
    caption: str
    warning: str
    is_sensitive: bool
    photos: list[tuple[int, str]]
    created_at: int


@dataclass(frozen=True, slots=True)
class PhotoChange:
    """A photo that was added, removed, or described anew: by its number in the post, or in that before for a removed one."""

    number: int
    kind: Literal["added", "removed", "described"]
    alt: str


def photo_changes(before: Sequence[tuple[int, str]], now: Sequence[tuple[int, str]]) -> list[PhotoChange]:
    """Returns what changed of the photos from one version to the next, each (photo id, alt text) in order."""
    old, kept = dict(before), dict(now)
    changes = [
        PhotoChange(number, "described" if id_ in old else "added", alt)
        for number, (id_, alt) in enumerate(now, 1)
        if old.get(id_) != alt
    ]
    removed = [
        PhotoChange(number, "removed", alt) for number, (id_, alt) in enumerate(before, 1) if id_ not in kept
    ]
    return changes + removed


def current_photos(tx: Reader, post: Post) -> list[tuple[int, str]]:
    """Returns (photo id, alt text) of a post's photos, as a revision keeps them."""
    return [(photo.id, photo.alt) for photo in photo_rows.by_posts(tx, [post.id]).get(post.id, [])]


def by_post(tx: Reader, post: Post, page: Page | None = None) -> list[Revision]:
    """Returns the versions of a post, the first one first and the present one last; or a page of them, in that order."""
    paged = "" if page is None else page.clause("id")
    rows = tx.all(
        f"""SELECT id, caption, warning, is_sensitive, photos, created_at
            FROM post_edits WHERE post_id = :post {paged}""",  # noqa: S608
        post=post.id,
        **({} if page is None else page.values),
    )
    former = [
        Revision(
            row["id"],
            row["caption"],
            row["warning"],
            bool(row["is_sensitive"]),
            [(id_, alt) for id_, alt in json.loads(row["photos"])],
            row["created_at"],
        )
        for row in sorted(rows, key=lambda row: row["id"])
    ]
    if page is not None and (page.max_id or (page.min_id and len(former) >= page.limit)):
        return former
    if page is not None:
        former = former[max(0, len(former) + 1 - page.limit) :]
    since = post.edited_at or post.published_at
    photos = current_photos(tx, post)
    return [*former, Revision(0, post.caption, post.warning, post.is_sensitive, photos, since)]


def has_older(tx: Reader, post: Post, listed: Sequence[Revision]) -> bool:
    """Returns whether there are versions before those that are listed."""
    below = listed[0].id if listed and listed[0].id else MAX_ID
    found = tx.value(
        "SELECT 1 FROM post_edits WHERE post_id = :post AND id < :below LIMIT 1", post=post.id, below=below
    )
    return found is not None


def is_past_limit(tx: Reader, post: Post) -> bool:
    """Returns whether the post was edited `MAX_PER_HOUR` times within the last hour."""
    count = tx.value(
        "SELECT COUNT(*) FROM post_edits WHERE post_id = :post AND id > :since",
        post=post.id,
        since=id_at(now_ms() - 3_600_000),
    )
    return bool(count >= MAX_PER_HOUR)


def record(tx: Writer, post: Post, photo_alts: Sequence[tuple[int, str]]) -> None:
    """Keeps the version of a post that is about to be replaced, and deletes those that are too many.

    Beyond `MAX_PER_HOUR` it is not kept: another server decides how often it edits.
    """
    if is_past_limit(tx, post):
        return
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
    _delete_surplus(tx, post)


def _delete_surplus(tx: Writer, post: Post) -> None:
    rows = tx.all(
        """SELECT id, LENGTH(caption) + LENGTH(photos) AS size FROM post_edits
           WHERE post_id = :post ORDER BY id DESC""",
        post=post.id,
    )
    *latest, first = rows
    count, length, surplus = 1, first["size"], []
    for row in latest:
        count, length = count + 1, length + row["size"]
        if count > MAX_VERSIONS or length > MAX_KEPT_LENGTH:
            surplus.append(row["id"])
    if surplus:
        tx.run("DELETE FROM post_edits WHERE id IN (:ids)", ids=surplus)


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the earlier versions of a post."""
    tx.run("DELETE FROM post_edits WHERE post_id = :post", post=post.id)
