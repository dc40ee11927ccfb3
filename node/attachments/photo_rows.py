"""What photos look like to everyone else: rows with their files. Writing them is the business of `photos`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.attachments.stored_files import File
from node.database import Reader, build_all, columns


@dataclass(frozen=True, slots=True)
class Photo:
    """`width` and `height` are as published, 0 when unknown; `files` are by (variant, format).

    `extra` is what is told about it to everyone who may see it, `camera` what only its author may look at.
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
    files: dict[tuple[str, str], File] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, Any]:
        """What is told about it to everyone who may see it (`extra`)."""
        found = json.loads(self.extra)
        return found if isinstance(found, dict) else {}

    def file(self, variant: str, *formats: str) -> File | None:
        """The first of these formats that there is of a named size."""
        return next(
            (self.files[variant, format_] for format_ in formats if (variant, format_) in self.files), None
        )


def by_ids(tx: Reader, ids: Iterable[int]) -> dict[int, Photo]:
    """Photos with their files, whoever they belong to."""
    rows = tx.all(f"SELECT {columns(Photo)} FROM photos WHERE id IN (:ids)", ids=list(ids))  # noqa: S608
    return {photo.id: photo for photo in _with_files(tx, build_all(Photo, rows))}


def of_posts(tx: Reader, post_ids: Sequence[int]) -> dict[int, list[Photo]]:
    """The photos of posts, in order, in two queries however many there are."""
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
            kept = File(row["file"], row["width"], row["height"], row["bytes"])
            by_id[row["photo_id"]].files[row["variant"], row["format"]] = kept
    return photos
