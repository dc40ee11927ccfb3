"""Files of remote photos: fetched when somebody views one, then stored until they are evicted.

A post is shown at once with its blurhash; no picture is fetched for a post nobody views.
"""

from __future__ import annotations

from media.images import VARIANTS
from node.accounts import accounts
from node.attachments import media_cache, photo_rows, photos, remote_fetch, stored_files
from node.attachments.media_cache import CacheCapacity
from node.attachments.photo_rows import Photo
from node.attachments.remote_fetch import FetchedPicture, PictureFetcher
from node.database import Reader, Writer
from node.moderation import domain_rules
from node.node import Node

MAX_BYTES = 32 * 1024 * 1024
FETCHED_VARIANTS = tuple(
    variant for variant in VARIANTS if not variant.is_deferred and variant.format != "jpeg"
) + tuple(variant for variant in VARIANTS if variant.name == "large" and variant.format == "webp")


async def fetch(node: Node, photo_id: int) -> Photo | None:
    """Returns the photo with its files, fetched now if need be;
    None when that is not possible at the moment."""
    return await node.component(PictureFetcher).fetch_once(
        ("photo", photo_id), lambda: _fetch(node, photo_id)
    )


async def _fetch(node: Node, photo_id: int) -> Photo | None:
    photo, server = await node.db.read(_fetchable_photo, photo_id)
    if photo is None or photo.files or not photo.remote_url:
        return photo
    if not server:
        return None
    fetched = await remote_fetch.fetch_and_store(
        node,
        ("photo", photo_id),
        photo.remote_url,
        server=server,
        max_bytes=MAX_BYTES,
        variants=FETCHED_VARIANTS,
    )
    if fetched is None:
        return None
    stored = await node.db.write(_store, photo, fetched, node.component(CacheCapacity).bytes)
    await stored_files.restore_missing(node, fetched.files, fetched.picture.files)
    return stored


def _fetchable_photo(tx: Reader, photo_id: int) -> tuple[Photo | None, str]:
    """Returns the photo, if media of its author's server and of the host of its file are shown,
    and that server; "" where the photo is not to be fetched now."""
    photo = photo_rows.by_ids(tx, [photo_id]).get(photo_id)
    if photo is None or not photo.remote_url:
        return photo, ""
    author = accounts.get(tx, photo.account_id)
    if not domain_rules.allows_media(tx, author, photo.remote_url):
        return None, ""
    return photo, author.domain if media_cache.may_fetch(tx, "photo", photo_id, photo.remote_url) else ""


def _store(tx: Writer, photo: Photo, fetched: FetchedPicture, capacity: int) -> Photo | None:
    # The post, or the policy for its server, may have changed during the fetch.
    if photo.id not in photo_rows.by_ids(tx, [photo.id]) or not domain_rules.allows_media(
        tx, accounts.get(tx, photo.account_id), photo.remote_url
    ):
        stored_files.queue_deletion(tx, [file.key for file in fetched.files.values()])
        return None
    if media_cache.record_stored(tx, "photo", photo.id, fetched.url, fetched.bytes, capacity=capacity):
        photos.add_files(tx, photo.id, fetched.files)
        photos.correct_remote_metadata(tx, photo.id, fetched.picture)
    else:
        stored_files.queue_deletion(tx, [file.key for file in fetched.files.values()])
    return photo_rows.by_ids(tx, [photo.id])[photo.id]
