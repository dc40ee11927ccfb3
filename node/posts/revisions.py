"""Revisions: the earlier versions of edited posts. Owns `post_edits`.

Whoever edits a post often must not make it expensive for those who read it: of each post the first version and the
latest ones are kept, `MAX_VERSIONS` and `MAX_KEPT_LENGTH` at most, and no more than `MAX_PER_HOUR` in an hour.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from node.attachments import photo_rows
from node.database import Reader, Row, Writer
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

    `id` is what versions are paged by; the present one has 0. `photo_edits` names, by photo id, what the next version
    changed of a photo itself, such as `crop` or `place`: never what it was, since a place that was removed is gone.
    """

    id: int
    caption: str
    warning: str
    is_sensitive: bool
    photos: list[tuple[int, str]]
    created_at: int
    photo_edits: dict[int, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhotoChange:
    """What became of a photo: by its number in the post, or in the version before for a removed one.

    `reordered` is said once, of all photos, with the number 0. `parts` are what was `edited`, as in `Revision.photo_edits`.
    """

    number: int
    kind: Literal["added", "replaced", "removed", "reordered", "described", "edited"]
    alt: str = ""
    parts: tuple[str, ...] = ()


def photo_changes(before: Revision | None, now: Revision) -> list[PhotoChange]:
    """Returns what changed of the photos from one version to the next; of the first version, that they were added."""
    previous, edits = (before.photos, before.photo_edits) if before else ([], {})
    old, kept = dict(previous), dict(now.photos)
    removed = {number: alt for number, (id_, alt) in enumerate(previous, 1) if id_ not in kept}
    changes = []
    for number, (id_, alt) in enumerate(now.photos, 1):
        if id_ not in old:
            kind: Literal["added", "replaced"] = "added" if removed.pop(number, None) is None else "replaced"
            changes.append(PhotoChange(number, kind, alt))
            continue
        if edits.get(id_):
            changes.append(PhotoChange(number, "edited", parts=tuple(edits[id_])))
        if old[id_] != alt:
            changes.append(PhotoChange(number, "described", alt))
    changes += [PhotoChange(number, "removed", alt) for number, alt in removed.items()]
    if [id_ for id_ in old if id_ in kept] != [id_ for id_ in kept if id_ in old]:
        changes.append(PhotoChange(0, "reordered"))
    return changes


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
    former = [_from_row(row) for row in sorted(rows, key=lambda row: row["id"])]
    if page is not None and (page.max_id or (page.min_id and len(former) >= page.limit)):
        return former
    if page is not None:
        former = former[max(0, len(former) + 1 - page.limit) :]
    since = post.edited_at or post.published_at
    photos = current_photos(tx, post)
    return [*former, Revision(0, post.caption, post.warning, post.is_sensitive, photos, since)]


def _from_row(row: Row) -> Revision:
    photos = json.loads(row["photos"])
    return Revision(
        row["id"],
        row["caption"],
        row["warning"],
        bool(row["is_sensitive"]),
        [(id_, alt) for id_, alt, *_ in photos],
        row["created_at"],
        {id_: edits[0] for id_, _alt, *edits in photos if edits},
    )


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


def record(
    tx: Writer,
    post: Post,
    photo_alts: Sequence[tuple[int, str]],
    photo_edits: Mapping[int, Sequence[str]] | None = None,
) -> None:
    """Keeps the version of a post that is about to be replaced, and deletes those that are too many.

    `photo_edits` are those by which it is replaced. Beyond `MAX_PER_HOUR` it is not kept: another server decides how often it edits.
    """
    if is_past_limit(tx, post):
        return
    edits = {id_: list(parts) for id_, parts in (photo_edits or {}).items()}
    tx.run(
        """INSERT INTO post_edits (id, post_id, caption, warning, is_sensitive, photos, created_at)
           VALUES (:id, :post, :caption, :warning, :is_sensitive, :photos, :created_at)""",
        id=new_id(),
        post=post.id,
        caption=post.caption,
        warning=post.warning,
        is_sensitive=post.is_sensitive,
        photos=json.dumps(
            [[id_, alt, *([edits[id_]] if id_ in edits else [])] for id_, alt in photo_alts],
        ),
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
