"""Photos: a row and its files, from the upload on. Owns the tables `photos` and `photo_files`.

An upload is rendered in the sandbox and stored before the row that names its files is written, outside any unit of
work. The author waits for the variants made at once; `deferred_variants` makes the others.

A photo is unattached until a post takes it, and belongs to its uploader: nobody else can post it. When its author
deletes the post, or takes it out of it, it is detached: unattached again, and theirs to use for a day. Photos of remote
posts are rows with a `remote_url`; `remote_photos` fetches their files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from media.images import EXTENSIONS, MAX_BYTES, VARIANTS, Picture
from media.storage import content_key
from node.attachments import media_cache, photo_metadata, photo_rows, stored_files
from node.attachments.photo_metadata import SharedMetadata, validate_alt
from node.attachments.photo_rows import IN_NO_DRAFT, Photo, by_ids, by_posts, owned_by
from node.attachments.stored_files import StoredFiles, UploadedFile
from node.database import Writer, columns
from node.errors import Conflict, Invalid, NotFound
from node.ids import new_id, now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.models.remote_post import RemotePhoto
from node.node import Node
from node.text import hostnames

MAX_DETACHED = 200
UNATTACHED_RETENTION_MS = 24 * 3600 * 1000
ORIGINAL_RETENTION_MS = 7 * UNATTACHED_RETENTION_MS
BYTES_PER_MB = 1024 * 1024
IMMEDIATE_VARIANTS = tuple(variant for variant in VARIANTS if not variant.is_deferred)
DEFERRED_VARIANTS = tuple(variant for variant in VARIANTS if variant.is_deferred)


async def upload(
    node: Node,
    account: Account,
    file: UploadedFile,
    *,
    alt: str = "",
    and_then: Callable[[Writer, Photo], None] | None = None,
) -> Photo:
    """Creates an unattached photo from an uploaded file, of which nothing stays if that fails.

    `and_then` is called in the unit of work that writes its row.

    Raises Invalid for a file that is no picture, with the reason and what is accepted; TooManyRequests for an
    account with too many or too large unattached photos, or whose pictures took too long; DiskFull.
    """
    alt = validate_alt(alt)
    max_mb = max_upload_mb(node)
    size = stored_files.file_size(file)
    if size > max_mb * BYTES_PER_MB:
        raise Invalid(f"This file is too large: up to {max_mb} MB are accepted.", field="photo")
    await node.db.read(photo_rows.check_upload_limits, account, size, node.config.media)
    picture = await stored_files.render_upload(node, account, file, IMMEDIATE_VARIANTS, field="photo")
    stored = await stored_files.store(node, picture.files)
    photo_id, original = new_id(), ""
    async with stored_files.discarded_on_failure(node, *(one.key for one in stored.values())) as attempt:
        if DEFERRED_VARIANTS or node.config.media.keep_originals:
            # Its key is of this photo alone, so that it can be deleted without asking for other uses of the same bytes.
            data = await stored_files.read_file(file)
            original = content_key(node.site.subkey(f"original {photo_id}"), data, EXTENSIONS[picture.mime])
            await attempt.put(original, data, picture.mime)
        row = photo_rows.from_upload(photo_id, account.id, picture, original, alt)
        photo = replace(row, files=dict(stored))
        await node.db.write(_insert_upload, photo, size, and_then)
    await stored_files.restore_missing(node, stored, picture.files)
    return photo


def max_upload_mb(node: Node) -> int:
    """Returns how large an uploaded file may be: as the options say, and never over what is decoded at all."""
    return min(node.config.media.max_upload_mb, MAX_BYTES // BYTES_PER_MB)


def _insert_upload(
    tx: Writer, photo: Photo, size: int, and_then: Callable[[Writer, Photo], None] | None
) -> None:
    _insert(tx, [photo])
    tx.run("UPDATE photos SET original_bytes = :size WHERE id = :id", size=size, id=photo.id)
    add_files(tx, photo.id, photo.files)
    if DEFERRED_VARIANTS:
        queue.add(tx, "render_photo", {"photo_id": photo.id})
    if and_then is not None:
        and_then(tx, photo)


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


def save_deferred_variants(
    tx: Writer, job: Job, photo: Photo, stored: StoredFiles, *, keep_original: bool
) -> None:
    """Adds the variants that `render_photo` made, and finishes the job.

    The original of a photo in a post goes then, unless it is to be kept; until it is in one, it can be edited.
    """
    current = by_ids(tx, [photo.id]).get(photo.id)
    if current is None or current.recipe != photo.recipe:
        # It was deleted, or edited meanwhile: another job makes the variants of the edit.
        stored_files.queue_deletion(tx, [file.key for file in stored.values()])
    else:
        add_files(tx, photo.id, stored)
        if current.post_id is not None and not keep_original:
            tx.run("UPDATE photos SET original_file = '' WHERE id = :id", id=photo.id)
            stored_files.queue_deletion(tx, [photo.original_file])
    queue.finish(tx, job)


def replace_edit(
    tx: Writer, account: Account, before: Photo, recipe: str, picture: Picture, stored: StoredFiles
) -> Photo:
    """Records that a photo was edited by `recipe`, with the files made of its original; the earlier ones are deleted.

    `before` is the photo as it was when they were made. Raises NotFound, and Conflict if it was edited meanwhile.
    """
    current = owned_by(tx, account, before.id)
    if (current.recipe, current.original_file) != (before.recipe, before.original_file):
        raise Conflict("This photo was edited at the same time. Please look at it again.")
    earlier = tx.all("DELETE FROM photo_files WHERE photo_id = :id RETURNING file", id=before.id)
    stored_files.queue_deletion(tx, [row["file"] for row in earlier])
    add_files(tx, before.id, stored)
    tx.run(
        """UPDATE photos SET recipe = :recipe, width = :width, height = :height, blurhash = :blurhash
           WHERE id = :id""",
        id=before.id,
        recipe=recipe,
        width=picture.width,
        height=picture.height,
        blurhash=picture.blurhash,
    )
    queue.add(tx, "render_photo", {"photo_id": before.id})
    return by_ids(tx, [before.id])[before.id]


def set_details(
    tx: Writer,
    account: Account,
    photo_id: int,
    *,
    alt: str | None = None,
    focus: tuple[float, float] | None = None,
    place: str | None = None,
) -> Photo:
    """Sets the description, focal point (x, y: -1…1 each) and place of a photo; None leaves one as it is.

    Raises NotFound for a photo of another account, and for a description of one in a post; Invalid for one too long.
    """
    photo = owned_by(tx, account, photo_id)
    if photo.post_id is not None and alt is not None:
        raise NotFound("That photo is in a post. Edit the post to describe it.")
    x, y = focus or (photo.focus_x, photo.focus_y)
    changed = replace(
        photo,
        alt=photo.alt if alt is None else validate_alt(alt),
        focus_x=min(1.0, max(-1.0, x)),
        focus_y=min(1.0, max(-1.0, y)),
        place=photo.place if place is None else place,
    )
    tx.run(
        "UPDATE photos SET alt = :alt, focus_x = :focus_x, focus_y = :focus_y, place = :place WHERE id = :id",
        **{name: getattr(changed, name) for name in ("id", "alt", "focus_x", "focus_y", "place")},
    )
    return changed


def attach(
    tx: Writer,
    account: Account,
    post_id: int,
    photo_ids: Sequence[int],
    alts: Mapping[int, str],
    shared_metadata: SharedMetadata | None = None,
    focuses: Mapping[int, tuple[float, float]] | None = None,
) -> bool:
    """Attaches exactly these photos to a post, in this order; those it had before and lost are detached.

    `shared_metadata` is what is shared about all of them. None leaves that as it was, and of a photo new to the post
    no camera metadata are shared. Returns whether that, or a focal point, changed for a photo the post had. Raises
    Invalid for a photo of another account, or in another post.
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
    _detach(tx, account, [photo.id for photo in previous if photo.id not in photo_ids])
    extras = {
        id_: photo_metadata.public_metadata_json(known[id_], shared_metadata if id_ in kept else unticked)
        for id_ in photo_ids
    }
    points = {id_: (known[id_].focus_x, known[id_].focus_y) for id_ in photo_ids} | dict(focuses or {})
    tx.many(
        """UPDATE photos SET post_id = :post, position = :position, alt = :alt, extra = :extra,
                  focus_x = :x, focus_y = :y, detached_at = NULL WHERE id = :id""",
        [
            {
                "id": id_,
                "post": post_id,
                "position": position,
                "alt": alts.get(id_, known[id_].alt),
                "extra": extras[id_],
                "x": points[id_][0],
                "y": points[id_][1],
            }
            for position, id_ in enumerate(photo_ids)
        ],
    )
    for id_ in photo_ids:
        if known[id_].post_id is None and known[id_].original_file:
            queue.add(tx, "render_photo", {"photo_id": id_})  # now the original may go
    stayed = [photo for photo in previous if photo.id in extras]
    return any((one.extra, one.focus_x, one.focus_y) != (extras[one.id], *points[one.id]) for one in stayed)


def attach_remote(
    tx: Writer, account_id: int, post_id: int, photos: Sequence[RemotePhoto], *, is_new: bool = False
) -> None:
    """Attaches these photos to a remote post, keeping the rows (and files) of those it had."""
    rows = () if is_new else by_posts(tx, [post_id]).get(post_id, [])
    previous: dict[str, list[int]] = {}
    for row in rows:
        previous.setdefault(row.remote_url, []).append(row.id)
    now = now_ms()
    new = []
    for position, remote in enumerate(photos):
        same_file = previous.get(remote.url)
        if not same_file:
            new.append(photo_rows.from_remote(remote, account_id, post_id, position, now))
        else:
            # An album may hold one file several times: each keeps its row, in their order.
            photo_id = same_file.pop(0)
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
    _remove(tx, [photo_id for ids in previous.values() for photo_id in ids])
    _insert(tx, new)
    if unmeasured := [photo for photo in new if photo.width < 1 or photo.height < 1]:
        lane = f"measure {hostnames.from_uri(unmeasured[0].remote_url)}"
        queue.add(tx, "measure_photos", {"post_id": post_id}, lane=lane)


def record_measured_size(tx: Writer, photo_id: int, width: int, height: int) -> None:
    """Records the size of a remote photo of which none was declared, and whose pixels are not known yet."""
    tx.run(
        "UPDATE photos SET width = :width, height = :height WHERE id = :id AND (width < 1 OR height < 1)",
        id=photo_id,
        width=width,
        height=height,
    )


def correct_remote_metadata(tx: Writer, photo_id: int, picture: Picture) -> None:
    """Records what a remote photo's bytes say, whatever its server declared, save for a declared blurhash."""
    tx.run(
        """UPDATE photos SET width = :width, height = :height, is_incomplete = :incomplete,
                  blurhash = CASE WHEN blurhash = '' THEN :blurhash ELSE blurhash END
           WHERE id = :id AND (width <> :width OR height <> :height OR is_incomplete <> :incomplete OR blurhash = '')""",
        id=photo_id,
        width=picture.width,
        height=picture.height,
        incomplete=picture.is_incomplete,
        blurhash=picture.blurhash,
    )


def delete_files(tx: Writer, ids: Sequence[int]) -> None:
    """Deletes the files of remote photos; the photos stay, and can be fetched again."""
    media_cache.delete(tx, "photo", ids)
    rows = tx.all("DELETE FROM photo_files WHERE photo_id IN (:ids) RETURNING file", ids=list(ids))
    stored_files.queue_deletion(tx, [row["file"] for row in rows])


def delete_unattached(tx: Writer, account: Account, photo_id: int) -> None:
    """Deletes an unattached photo of this account. Any other photo stays as it is, and nothing is raised."""
    own = "SELECT id FROM photos WHERE id = :id AND account_id = :account AND post_id IS NULL"
    if tx.value(own, id=photo_id, account=account.id):
        _remove(tx, [photo_id])


def detach(tx: Writer, author: Account, post: Post) -> None:
    """Takes the photos out of a post that is about to be deleted."""
    _detach(tx, author, [photo.id for photo in by_posts(tx, [post.id]).get(post.id, [])])


def _detach(tx: Writer, author: Account, ids: Sequence[int]) -> None:
    """Takes photos out of their post, so that its author can post them again for a day.

    Meanwhile only the author sees them. Of more than `MAX_DETACHED` the oldest are deleted.
    """
    if not ids:
        return
    tx.run("UPDATE photos SET post_id = NULL, detached_at = :now WHERE id IN (:ids)", ids=ids, now=now_ms())
    surplus = tx.all(
        f"""SELECT id FROM photos WHERE account_id = :account AND post_id IS NULL AND detached_at IS NOT NULL
            AND {IN_NO_DRAFT} ORDER BY detached_at DESC, id DESC LIMIT :limit OFFSET :kept""",  # noqa: S608
        account=author.id,
        kept=MAX_DETACHED,
        limit=len(ids),
    )
    _remove(tx, [row["id"] for row in surplus])
    queue.add(tx, "withdraw_access", {})


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


def clean_up(tx: Writer, now: int) -> int:
    """Deletes a batch of the photos that are in no post and no draft for a day, and returns how many."""
    rows = tx.all(
        f"""SELECT id FROM photos WHERE post_id IS NULL AND COALESCE(detached_at, created_at) < :before
            AND {IN_NO_DRAFT} LIMIT 100""",  # noqa: S608
        before=now - UNATTACHED_RETENTION_MS,
    )
    _remove(tx, [row["id"] for row in rows])
    return len(rows)


def clean_up_originals(tx: Writer, now: int) -> int:
    """Deletes a batch of the originals of photos that are in no post 7 days after their upload, and returns how many.

    The photos stay, and can no longer be edited. How many bytes of them one person may have is an option.
    """
    rows = tx.all(
        """SELECT id, original_file FROM photos WHERE post_id IS NULL AND original_file <> ''
           AND created_at < :before LIMIT 100""",
        before=now - ORIGINAL_RETENTION_MS,
    )
    if rows:
        tx.run("UPDATE photos SET original_file = '' WHERE id IN (:ids)", ids=[row["id"] for row in rows])
        stored_files.queue_deletion(tx, [row["original_file"] for row in rows])
    return len(rows)
