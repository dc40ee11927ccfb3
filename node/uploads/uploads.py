"""Uploads that arrive in pieces: who sends what, and until when. Owns the table `uploads`.

An upload is begun with its length, so that whatever will be sent has its place before any of it arrives: one person has
at most `MAX_UNFINISHED` of them, with as many bytes as the photos of one post may have, and all people together have what
`media.unfinished_uploads_gb` says. Where all have too much, the one who has most loses the oldest, so that nobody is kept
out by uploads that were left. What one person has left for an hour gives way to that person's next upload.

An upload ends a day after its last piece. Until then one that became a photo is remembered, so that whoever lost the
answer and asks again gets the same photo.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.attachments import photo_rows, photos, stored_files
from node.attachments.photo_rows import Photo
from node.auth import users
from node.config import MediaOptions
from node.database import Reader, Writer, build, columns
from node.errors import N_, NotFound, Overloaded, TooManyRequests
from node.ids import new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.node import Node
from node.posts.drafts import MAX_PHOTOS
from node.uploads.partial_files import storage_key

RETENTION_MS = 24 * 3_600_000
IDLE_MS = 3_600_000
"""An upload of which nothing has come for so long gives way to another of the same person."""

MAX_UNFINISHED = 2 * MAX_PHOTOS
MAX_METADATA_LENGTH = 2_000
BYTES_PER_MB, BYTES_PER_GB = 1024 * 1024, 1024**3
MIN_COUNTED = BYTES_PER_MB
"""The bytes for which even the smallest upload counts among all, so that their number is bounded too."""

TOUCH_MS = 5 * 60_000
_MAX_EVICTED = 100

NOT_FOUND = N_("This upload does not exist any more. Please start it again.")
TOO_MANY = N_("Too many of your photos are being uploaded at once. Please wait until some are finished.")
BUSY = N_("Too many uploads are under way. Please try again in a moment.")


@dataclass(frozen=True, slots=True)
class PartialUpload:
    """An upload in pieces. `length` is that of the whole file, in bytes; times in milliseconds."""

    id: int
    account_id: int
    length: int
    metadata: str
    photo_id: int | None
    expires_at: int


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How many bytes of unfinished uploads one person may have, and all together."""

    of_person: int
    in_all: int
    options: MediaOptions


def limits_of(node: Node) -> UploadLimits:
    """Returns the limits that the options of a node mean."""
    in_all = node.config.media.unfinished_uploads_gb * BYTES_PER_GB
    of_post = MAX_PHOTOS * photos.max_upload_mb(node) * BYTES_PER_MB
    return UploadLimits(min(of_post, in_all), in_all, node.config.media)


def create(tx: Writer, account: Account, length: int, metadata: str, limits: UploadLimits) -> PartialUpload:
    """Begins an upload of `length` bytes. What is outdated is deleted first.

    Raises TooManyRequests for a person with too many or too large uploads or photos, Overloaded where all have too much.
    """
    users.lock(tx, account)
    now = now_ms()
    clean_up(tx, now)
    photo_rows.check_upload_limits(tx, account, length, limits.options)
    _make_own_room(tx, account, length, limits, now)
    _make_room(tx, account, length, limits)
    upload = PartialUpload(new_id(), account.id, length, metadata, None, now + RETENTION_MS)
    tx.run(
        """INSERT INTO uploads (id, account_id, length, metadata, expires_at)
           VALUES (:id, :account, :length, :metadata, :expires)""",
        id=upload.id,
        account=account.id,
        length=length,
        metadata=metadata,
        expires=upload.expires_at,
    )
    return upload


def _make_own_room(tx: Writer, account: Account, length: int, limits: UploadLimits, now: int) -> None:
    """Deletes what this person has left for long, the oldest first, until there is room. Raises TooManyRequests."""
    rows = tx.all(
        """SELECT id, length, expires_at FROM uploads WHERE account_id = :account AND photo_id IS NULL
           ORDER BY expires_at, id""",
        account=account.id,
    )
    count, total = len(rows), sum(row["length"] for row in rows)
    for row in rows:
        if count < MAX_UNFINISHED and total + length <= limits.of_person:
            return
        if row["expires_at"] - RETENTION_MS > now - IDLE_MS:
            break
        _delete(tx, [row["id"]])
        count, total = count - 1, total - row["length"]
    if count >= MAX_UNFINISHED or total + length > limits.of_person:
        raise TooManyRequests(TOO_MANY, retry_after=60)


def _make_room(tx: Writer, account: Account, length: int, limits: UploadLimits) -> None:
    """Deletes uploads of those who have most, until there is room in all. Raises Overloaded where that is this person."""
    counted = f"length + {MIN_COUNTED}"
    total = tx.value(f"SELECT SUM({counted}) FROM uploads WHERE photo_id IS NULL") or 0  # noqa: S608
    if total + length + MIN_COUNTED <= limits.in_all:
        return
    own = tx.value(
        f"SELECT SUM({counted}) FROM uploads WHERE account_id = :account AND photo_id IS NULL",  # noqa: S608
        account=account.id,
    )
    for _ in range(_MAX_EVICTED):
        most = tx.one(
            f"""SELECT account_id, SUM({counted}) AS bytes FROM uploads WHERE photo_id IS NULL
                GROUP BY account_id ORDER BY bytes DESC, account_id LIMIT 1"""  # noqa: S608
        )
        if most is None or most["account_id"] == account.id or most["bytes"] <= (own or 0) + length:
            break
        oldest = tx.one(
            """SELECT id, length FROM uploads WHERE account_id = :account AND photo_id IS NULL
               ORDER BY expires_at, id LIMIT 1""",
            account=most["account_id"],
        )
        if oldest is None:
            break
        _delete(tx, [oldest["id"]])
        total -= oldest["length"] + MIN_COUNTED
        if total + length + MIN_COUNTED <= limits.in_all:
            return
    raise Overloaded(BUSY, retry_after=60)


def by_id(tx: Reader, account: Account, upload_id: int) -> PartialUpload:
    """Returns an upload of this account. Raises NotFound for anybody else's, and for one that has ended."""
    row = tx.one(
        f"SELECT {columns(PartialUpload)} FROM uploads WHERE id = :id AND account_id = :account",  # noqa: S608
        id=upload_id,
        account=account.id,
    )
    if row is None or not _is_current(row["expires_at"], now_ms()):
        raise NotFound(NOT_FOUND)
    return build(PartialUpload, row)


def _is_current(expires_at: int, now: int) -> bool:
    # One further ahead than the period was stored while the clock was wrong.
    return now < expires_at <= now + 2 * RETENTION_MS


def postpone_end(tx: Writer, account: Account, upload_id: int) -> PartialUpload:
    """Records that a piece has come: the day until its end begins anew. Raises NotFound if it has ended meanwhile."""
    upload = by_id(tx, account, upload_id)
    expires_at = now_ms() + RETENTION_MS
    if expires_at - upload.expires_at < TOUCH_MS:
        return upload
    tx.run("UPDATE uploads SET expires_at = :at WHERE id = :id", id=upload.id, at=expires_at)
    return by_id(tx, account, upload_id)


def record_photo(tx: Writer, photo: Photo, upload_id: int) -> None:
    """Records the photo that was made of an upload, whose file goes. Raises NotFound if it has ended meanwhile."""
    if not tx.run(
        "UPDATE uploads SET photo_id = :photo WHERE id = :id AND account_id = :account AND photo_id IS NULL",
        id=upload_id,
        photo=photo.id,
        account=photo.account_id,
    ):
        raise NotFound(NOT_FOUND)
    stored_files.queue_deletion(tx, [storage_key(upload_id)])


def delete(tx: Writer, account: Account, upload_id: int) -> None:
    """Deletes an upload of this account with what has arrived of it. Raises NotFound."""
    _delete(tx, [by_id(tx, account, upload_id).id])


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the uploads of an account, and their files."""
    rows = tx.all("SELECT id FROM uploads WHERE account_id = :account", account=account.id)
    _delete(tx, [row["id"] for row in rows])


def _delete(tx: Writer, ids: list[int]) -> None:
    if ids:
        tx.run("DELETE FROM uploads WHERE id IN (:ids)", ids=ids)
        stored_files.queue_deletion(tx, [storage_key(id_) for id_ in ids])


def clean_up(tx: Writer, now: int) -> int:
    """Deletes a batch of the uploads that have ended, and returns how many."""
    rows = tx.all(
        "SELECT id FROM uploads WHERE expires_at <= :now OR expires_at > :ahead LIMIT 100",
        now=now,
        ahead=now + 2 * RETENTION_MS,
    )
    _delete(tx, [row["id"] for row in rows])
    return len(rows)


def known(tx: Reader, ids: list[int]) -> set[int]:
    """Returns those of the ids that are uploads whose files may be needed."""
    rows = tx.all("SELECT id FROM uploads WHERE id IN (:ids) AND photo_id IS NULL", ids=ids)
    return {row["id"] for row in rows}
