"""Fills the media cache with remote photos, without any request, and reads it back."""

from __future__ import annotations

import itertools

from node.attachments import media_cache, photo_rows, photos
from node.attachments.media_cache import DAY_MS
from node.attachments.stored_files import StoredFile
from node.database import Reader, Row, Writer
from node.ids import now_ms
from node.models.account import Account
from tests.support.people import remote
from tests.support.posting import picture, receive_post

CAPACITY = 100_000
_numbers = itertools.count(1)


def store_photo(tx: Writer, author: Account, size: int, host: str = "far.example") -> int:
    """A remote photo whose files are in the cache; its id."""
    number = next(_numbers)
    post = receive_post(tx, author, photos=[picture(f"{number}")])
    [photo] = photo_rows.by_posts(tx, [post.id])[post.id]
    photos.add_files(tx, photo.id, {("medium", "webp"): StoredFile(f"cache/aa/bb/{number}.webp", 1, 1, size)})
    assert media_cache.record_stored(
        tx, "photo", photo.id, f"https://{host}/{number}.jpg", size, capacity=CAPACITY
    )
    return photo.id


def store_photos(tx: Writer, count: int, size: int, host: str = "far.example") -> list[int]:
    """Photos that were viewed a day ago, a second after each other."""
    author = remote(tx)
    ids = [store_photo(tx, author, size, host) for _ in range(count)]
    for number, id_ in enumerate(ids):
        set_viewed_at(tx, id_, now_ms() - DAY_MS + number * 1000)
    return ids


def set_viewed_at(tx: Writer, id_: int, at: int) -> None:
    tx.run("UPDATE cached_media SET looked_at = :at WHERE id = :id", at=at, id=id_)


def cached_ids(tx: Reader) -> list[int]:
    return [row["id"] for row in tx.all("SELECT id FROM cached_media WHERE bytes > 0 ORDER BY id")]


def totals_are_true(tx: Reader) -> bool:
    """Whether `cached_hosts` says what `cached_media` adds up to."""
    counted = tx.all(
        """SELECT host, COUNT(*) AS pictures, SUM(bytes) AS bytes FROM cached_media WHERE bytes > 0
           GROUP BY host ORDER BY host"""
    )
    recorded = tx.all("SELECT host, pictures, bytes FROM cached_hosts ORDER BY host")

    def plain(rows: list[Row]) -> list[tuple[str, int, int]]:
        return [(row["host"], row["pictures"], row["bytes"]) for row in rows]

    return plain(counted) == plain(recorded)


def queued_trims(tx: Reader) -> int:
    return int(tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'trim_cache'"))
