"""Photos as everyone reads them: rows with their files. Only `photos` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from media.images import Picture
from node.attachments.stored_files import StoredFile
from node.config import MediaOptions
from node.database import Reader, build_all, columns
from node.errors import NotFound, TooManyRequests
from node.ids import new_id, now_ms
from node.models.account import Account
from node.models.remote_post import RemotePhoto


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo with its files.

    `width` and `height` (pixels) are as published, 0 when unknown; `files` are by (variant, format). `extra` is JSON
    for everyone who may see the photo, `camera` JSON for its author only. `is_incomplete`: the file broke off, and
    the last rows are grey. `recipe` is how its author edited it, or empty. `place` is JSON of `models.places`, or empty.
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
    is_incomplete: bool
    recipe: str
    place: str
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


MAX_UNATTACHED = 100
BYTES_PER_GB = 1024**3
IN_NO_DRAFT = "NOT EXISTS (SELECT 1 FROM draft_photos d WHERE d.photo_id = photos.id)"


def from_upload(photo_id: int, account_id: int, picture: Picture, original: str, alt: str) -> Photo:
    """Returns the row of an uploaded picture, in no post yet."""
    return Photo(
        id=photo_id,
        account_id=account_id,
        post_id=None,
        position=0,
        alt=alt,
        mime=picture.mime,
        width=picture.width,
        height=picture.height,
        blurhash=picture.blurhash,
        focus_x=0.0,
        focus_y=0.0,
        remote_url="",
        original_file=original,
        extra="{}",
        camera=json.dumps(picture.camera_fields),
        created_at=now_ms(),
        is_incomplete=picture.is_incomplete,
        recipe="",
        place="",
    )


def from_remote(remote: RemotePhoto, account_id: int, post_id: int, position: int, now: int) -> Photo:
    """Returns the row of a photo of a remote post."""
    return Photo(
        id=new_id(),
        account_id=account_id,
        post_id=post_id,
        position=position,
        alt=remote.alt,
        mime=remote.mime,
        width=remote.width,
        height=remote.height,
        blurhash=remote.blurhash,
        focus_x=remote.focus_x,
        focus_y=remote.focus_y,
        remote_url=remote.url,
        original_file="",
        extra=json.dumps(remote.extra),
        camera="[]",
        created_at=now,
        is_incomplete=False,
        recipe="",
        place="",
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


def owned_by(tx: Reader, account: Account, photo_id: int) -> Photo:
    """Returns a photo of this account. Raises NotFound for anybody else's."""
    photo = by_ids(tx, [photo_id]).get(photo_id)
    if photo is None or photo.account_id != account.id:
        raise NotFound("There is no such photo.")
    return photo


def check_upload_limits(tx: Reader, account: Account, size: int, media: MediaOptions) -> None:
    """Raises TooManyRequests for an account that may not have another photo, of `size` bytes, in no post.

    It may have `MAX_UNATTACHED` of them outside of drafts, and the originals of all of them may have as many gigabytes as
    the options say.
    """
    unattached = tx.value(
        f"""SELECT COUNT(*) FROM photos
            WHERE account_id = :id AND post_id IS NULL AND detached_at IS NULL AND {IN_NO_DRAFT}""",  # noqa: S608
        id=account.id,
    )
    if unattached >= MAX_UNATTACHED:
        raise TooManyRequests(
            f"There are already {MAX_UNATTACHED} photos of yours in no post. Please post or remove some.",
            retry_after=3600,
        )
    used = tx.value(
        """SELECT SUM(original_bytes) FROM photos
           WHERE account_id = :id AND post_id IS NULL AND original_file <> ''""",
        id=account.id,
    )
    if (used or 0) + size > media.unposted_originals_gb * BYTES_PER_GB:
        raise TooManyRequests(
            f"Your photos that are not posted yet take up the {media.unposted_originals_gb} GB that you may have for them. "
            "Please post or delete some.",
            retry_after=3600,
        )
