"""Photos: a row and its files, from the upload on. Owns the tables `photos` and `photo_files`.

An upload is rendered in the sandbox and stored before the row that names its files is written, outside any
unit of work. The author waits for the variants made at once; the job `render_photo` makes the others
from the private original, which is then deleted unless the admin keeps originals.

A photo is unattached until a post takes it, and belongs to its uploader: nobody else can post it. Photos of
remote posts are rows with a `remote_url`; `remote_photos` fetches their files.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from media.images import EXTENSIONS, VARIANTS, BadImage, Picture
from media.storage import content_key
from node.attachments import media_cache, photo_metadata, stored_files
from node.attachments.photo_metadata import SharedMetadata, validate_alt
from node.attachments.photo_rows import Photo, by_ids, by_posts
from node.attachments.stored_files import StoredFile, StoredFiles
from node.database import Reader, Writer, columns
from node.errors import Invalid, NotFound, TooManyRequests
from node.ids import new_id, now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.models.remote_post import RemotePhoto
from node.node import Node

log = logging.getLogger("tintype.photos")

MAX_UNATTACHED = 100
UNATTACHED_RETENTION_MS = 24 * 3600 * 1000
BYTES_PER_MB = 1024 * 1024
IMMEDIATE_VARIANTS = tuple(variant for variant in VARIANTS if not variant.is_deferred)
DEFERRED_VARIANTS = tuple(variant for variant in VARIANTS if variant.is_deferred)


async def upload(node: Node, account: Account, data: bytes, *, alt: str = "") -> Photo:
    """Creates an unattached photo from an uploaded file.

    Raises Invalid for a file that is no picture, with the reason and what is accepted; TooManyRequests for an
    account with too many unattached photos.
    """
    alt = validate_alt(alt)
    max_mb = node.config.media.max_upload_mb
    if len(data) > max_mb * BYTES_PER_MB:
        raise Invalid(f"This file is too large: up to {max_mb} MB are accepted.", field="photo")
    await node.db.read(_check_unattached_limit, account)
    try:
        picture = await node.sandbox.render(data, IMMEDIATE_VARIANTS)
    except BadImage as error:
        raise Invalid(error.message, field="photo", detail=error.detail) from error
    stored = await stored_files.store(node, picture.files)
    photo_id, original = new_id(), ""
    if DEFERRED_VARIANTS or node.config.media.keep_originals:
        # Its key is of this photo alone, so that it can be deleted without asking for other uses of the same bytes.
        original = content_key(node.site.subkey(f"original {photo_id}"), data, EXTENSIONS[picture.mime])
        await node.storage.put(original, data, picture.mime)
    photo = await node.db.write(_insert_upload, photo_id, account, picture, stored, original, alt)
    await stored_files.restore_missing(node, stored, picture.files)
    return photo


def _check_unattached_limit(tx: Reader, account: Account) -> None:
    unattached = tx.value(
        "SELECT COUNT(*) FROM photos WHERE account_id = :account AND post_id IS NULL", account=account.id
    )
    if unattached >= MAX_UNATTACHED:
        raise TooManyRequests(
            f"There are already {MAX_UNATTACHED} photos of yours in no post. Please post or remove some.",
            retry_after=3600,
        )


def _insert_upload(
    tx: Writer,
    photo_id: int,
    account: Account,
    picture: Picture,
    stored: StoredFiles,
    original: str,
    alt: str,
) -> Photo:
    photo = Photo(
        id=photo_id,
        account_id=account.id,
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
        files=dict(stored),
    )
    _insert(tx, [photo])
    add_files(tx, photo.id, stored)
    if DEFERRED_VARIANTS:
        queue.add(tx, "render_photo", {"photo_id": photo.id})
    return photo


def _insert(tx: Writer, photos: Sequence[Photo]) -> None:
    names = columns(Photo).split(", ")
    tx.many(
        f"INSERT INTO photos ({columns(Photo)}) VALUES ({', '.join(':' + name for name in names)})",  # noqa: S608
        [{name: getattr(photo, name) for name in names} for photo in photos],
    )


def add_files(tx: Writer, photo_id: int, stored: StoredFiles) -> None:
    """Records files that were stored for a photo. Known ones stay as they are."""
    tx.many(
        """INSERT INTO photo_files (photo_id, variant, format, file, width, height, bytes)
           VALUES (:photo, :variant, :format, :file, :width, :height, :bytes) ON CONFLICT DO NOTHING""",
        [
            {
                "photo": photo_id,
                "variant": variant,
                "format": format_,
                "file": file.key,
                "width": file.width,
                "height": file.height,
                "bytes": file.bytes,
            }
            for (variant, format_), file in stored.items()
        ],
    )


async def render_deferred_variants(node: Node, job: Job) -> None:
    """Job `render_photo`: makes the deferred variants,
    then deletes the original unless originals are kept."""
    photo = (await node.db.read(by_ids, [job.payload["photo_id"]])).get(job.payload["photo_id"])
    if photo is None or not photo.original_file:
        return
    missing = tuple(
        variant for variant in DEFERRED_VARIANTS if (variant.name, variant.format) not in photo.files
    )
    stored: dict[tuple[str, str], StoredFile] = {}
    if missing:
        try:
            data = await node.storage.get(photo.original_file)
            stored = await stored_files.store(node, (await node.sandbox.render(data, missing)).files)
        except (KeyError, BadImage) as error:
            # The variants made at once will do; the original must not stay because of a failure.
            log.warning("photo %d gets no deferred variants: %s", photo.id, error)
    await node.db.write(
        _save_deferred_variants, job, photo, stored, keep_original=node.config.media.keep_originals
    )


def _save_deferred_variants(
    tx: Writer, job: Job, photo: Photo, stored: StoredFiles, *, keep_original: bool
) -> None:
    if tx.value("SELECT id FROM photos WHERE id = :id", id=photo.id) is None:
        stored_files.queue_deletion(tx, [file.key for file in stored.values()])
    else:
        add_files(tx, photo.id, stored)
        if not keep_original:
            tx.run("UPDATE photos SET original_file = '' WHERE id = :id", id=photo.id)
            stored_files.queue_deletion(tx, [photo.original_file])
    queue.finish(tx, job)


def owned_by(tx: Reader, account: Account, photo_id: int) -> Photo:
    """Returns a photo of this account. Raises NotFound for anybody else's."""
    photo = by_ids(tx, [photo_id]).get(photo_id)
    if photo is None or photo.account_id != account.id:
        raise NotFound("There is no such photo.")
    return photo


def set_alt_and_focus(
    tx: Writer, account: Account, photo_id: int, alt: str | None, focus: tuple[float, float] | None = None
) -> Photo:
    """Sets the description and focal point (x, y: -1…1 each) of an unattached photo.

    None leaves one as it is.

    Raises NotFound for a photo of another account or in a post, Invalid for a description that is too long.
    """
    photo = owned_by(tx, account, photo_id)
    if photo.post_id is not None:
        raise NotFound("That photo is in a post. Edit the post to describe it.")
    x, y = focus or (photo.focus_x, photo.focus_y)
    changed = replace(
        photo,
        alt=photo.alt if alt is None else validate_alt(alt),
        focus_x=min(1.0, max(-1.0, x)),
        focus_y=min(1.0, max(-1.0, y)),
    )
    tx.run(
        "UPDATE photos SET alt = :alt, focus_x = :x, focus_y = :y WHERE id = :id",
        id=photo.id,
        alt=changed.alt,
        x=changed.focus_x,
        y=changed.focus_y,
    )
    return changed


def attach(
    tx: Writer,
    account: Account,
    post_id: int,
    photo_ids: Sequence[int],
    alts: Mapping[int, str],
    shared_metadata: SharedMetadata | None = None,
) -> bool:
    """Attaches exactly these photos to a post, in this order; those it had before and lost are deleted.

    `shared_metadata` is what is shared about all of them. None leaves that as it was, and of a photo that is new to
    the post no camera metadata are shared. Returns whether that changed for a photo the post had. Raises Invalid for
    a photo of another account, or in another post.
    """
    previous = by_posts(tx, [post_id]).get(post_id, [])
    kept = {photo.id for photo in previous} if shared_metadata is None else set(photo_ids)
    shared_metadata = photo_metadata.from_photos(previous) if shared_metadata is None else shared_metadata
    unticked = replace(shared_metadata, groups=frozenset[str]())
    known = by_ids(tx, photo_ids)
    for photo_id in photo_ids:
        photo = known.get(photo_id)
        if photo is None or photo.account_id != account.id or photo.post_id not in (None, post_id):
            raise Invalid("One of the photos no longer exists. Please add it again.", field="photos")
    removed = tx.all(
        "SELECT id FROM photos WHERE post_id = :post AND id NOT IN (:ids)",
        post=post_id,
        ids=list(photo_ids) or [0],
    )
    _remove(tx, [row["id"] for row in removed])
    extras = {
        id_: photo_metadata.public_metadata_json(known[id_], shared_metadata if id_ in kept else unticked)
        for id_ in photo_ids
    }
    tx.many(
        "UPDATE photos SET post_id = :post, position = :position, alt = :alt, extra = :extra WHERE id = :id",
        [
            {
                "id": id_,
                "post": post_id,
                "position": position,
                "alt": alts.get(id_, known[id_].alt),
                "extra": extras[id_],
            }
            for position, id_ in enumerate(photo_ids)
        ],
    )
    return any(photo.extra != extras.get(photo.id, photo.extra) for photo in previous)


def attach_remote(
    tx: Writer, account_id: int, post_id: int, photos: Sequence[RemotePhoto], *, is_new: bool = False
) -> None:
    """Attaches these photos to a remote post, keeping the rows (and files) of those it had."""
    rows = () if is_new else tx.all("SELECT id, remote_url FROM photos WHERE post_id = :post", post=post_id)
    previous = {row["remote_url"]: row["id"] for row in rows}
    now = now_ms()
    new = []
    for position, remote in enumerate({photo.url: photo for photo in photos}.values()):
        photo_id = previous.pop(remote.url, None)
        if photo_id is None:
            new.append(_from_remote(remote, account_id, post_id, position, now))
        else:
            tx.run(
                """UPDATE photos SET position = :position, alt = :alt, focus_x = :x, focus_y = :y, extra = :extra
                   WHERE id = :id""",
                id=photo_id,
                position=position,
                alt=remote.alt,
                x=remote.focus_x,
                y=remote.focus_y,
                extra=json.dumps(remote.extra),
            )
    _remove(tx, list(previous.values()))
    _insert(tx, new)


def _from_remote(remote: RemotePhoto, account_id: int, post_id: int, position: int, now: int) -> Photo:
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
    )


def complete_remote_metadata(tx: Writer, photo_id: int, width: int, height: int, blurhash: str) -> None:
    """Fills in what was learnt from a remote photo's bytes and its server did not declare."""
    tx.run(
        """UPDATE photos SET width = CASE WHEN width < 1 OR height < 1 THEN :width ELSE width END,
                  height = CASE WHEN width < 1 OR height < 1 THEN :height ELSE height END,
                  blurhash = CASE WHEN blurhash = '' THEN :blurhash ELSE blurhash END
           WHERE id = :id AND (width < 1 OR height < 1 OR blurhash = '')""",
        id=photo_id,
        width=width,
        height=height,
        blurhash=blurhash,
    )


def delete_files(tx: Writer, ids: Sequence[int]) -> None:
    """Deletes the files of remote photos; the photos stay, and can be fetched again."""
    media_cache.delete(tx, "photo", ids)
    rows = tx.all("DELETE FROM photo_files WHERE photo_id IN (:ids) RETURNING file", ids=list(ids))
    stored_files.queue_deletion(tx, [row["file"] for row in rows])


def delete_unattached(tx: Writer, account: Account, photo_id: int) -> None:
    """Deletes an unattached photo of this account. Any other photo stays as it is, and nothing is raised."""
    if tx.value(
        "SELECT id FROM photos WHERE id = :id AND account_id = :account AND post_id IS NULL",
        id=photo_id,
        account=account.id,
    ):
        _remove(tx, [photo_id])


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the photos of a post, and their files."""
    _remove(tx, [row["id"] for row in tx.all("SELECT id FROM photos WHERE post_id = :post", post=post.id)])


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the photos that an account uploaded and put in no post, and their files."""
    rows = tx.all("SELECT id FROM photos WHERE account_id = :id AND post_id IS NULL", id=account.id)
    _remove(tx, [row["id"] for row in rows])


def _remove(tx: Writer, ids: Sequence[int]) -> None:
    if not ids:
        return
    media_cache.delete(tx, "photo", ids)
    stored = tx.all("DELETE FROM photo_files WHERE photo_id IN (:ids) RETURNING file", ids=ids)
    originals = tx.all("DELETE FROM photos WHERE id IN (:ids) RETURNING original_file", ids=ids)
    stored_files.queue_deletion(
        tx, [row["file"] for row in stored] + [row["original_file"] for row in originals]
    )


def clean_up(tx: Writer, now: int) -> None:
    """Deletes photos that are unattached for a day, some at a time."""
    rows = tx.all(
        "SELECT id FROM photos WHERE post_id IS NULL AND created_at < :before LIMIT 500",
        before=now - UNATTACHED_RETENTION_MS,
    )
    _remove(tx, [row["id"] for row in rows])
