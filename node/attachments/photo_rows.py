"""Photos as everyone reads them: rows with their files. Only `photos` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.attachments.stored_files import StoredFile
from node.database import Reader, build_all, columns


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo with its files.

    `width` and `height` (pixels) are as published, 0 when unknown; `files` are by (variant, format). `extra` is JSON
    for everyone who may see the photo, `camera` JSON for its author only.
    """

    id: int
    account_id: int
    post_id: int | None
    position: int
    alt: str
    mime: str
    width: int
    height: int
    blurhash: str
    focus_x: float
    focus_y: float
    remote_url: str
    original_file: str
    extra: str
    camera: str
    created_at: int
    files: dict[tuple[str, str], StoredFile] = field(default_factory=dict)

    @property
    def public_metadata(self) -> dict[str, Any]:
        """What everyone who may see the photo is shown about it (`extra`, parsed)."""
        found = json.loads(self.extra)
        return found if isinstance(found, dict) else {}

    def file(self, variant: str, *formats: str) -> StoredFile | None:
        """Returns a variant's file in the first of these formats that exists."""
        return next(
            (self.files[variant, format_] for format_ in formats if (variant, format_) in self.files), None
        )


def by_ids(tx: Reader, ids: Iterable[int]) -> dict[int, Photo]:
    """Returns photos with their files by id, of any account. Unknown ids are left out."""
    rows = tx.all(f"SELECT {columns(Photo)} FROM photos WHERE id IN (:ids)", ids=list(ids))  # noqa: S608
    return {photo.id: photo for photo in _with_files(tx, build_all(Photo, rows))}


def by_posts(tx: Reader, post_ids: Sequence[int]) -> dict[int, list[Photo]]:
    """Returns the photos of posts in their order, by post id, in two queries however many there are."""
    rows = tx.all(
        f"SELECT {columns(Photo)} FROM photos WHERE post_id IN (:ids) ORDER BY post_id, position, id",  # noqa: S608
        ids=post_ids,
    )
    found: dict[int, list[Photo]] = {}
    for photo in _with_files(tx, build_all(Photo, rows)):
        found.setdefault(photo.post_id or 0, []).append(photo)
    return found


def _with_files(tx: Reader, photos: list[Photo]) -> list[Photo]:
    by_id = {photo.id: photo for photo in photos}
    if by_id:
        for row in tx.all(
            """SELECT photo_id, variant, format, file, width, height, bytes
               FROM photo_files WHERE photo_id IN (:ids)""",
            ids=list(by_id),
        ):
            file = StoredFile(row["file"], row["width"], row["height"], row["bytes"])
            by_id[row["photo_id"]].files[row["variant"], row["format"]] = file
    return photos
