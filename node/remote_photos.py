"""The pixels of other servers' photos: fetched when somebody first looks, then kept.

A post is shown at once with its blurhash; no picture is fetched for a post nobody looks at. What could not
be had is not asked for again for a while, and several people who look at once wait for one fetch.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from media.images import VARIANTS, BadImage
from node import accounts, domains, files, photos
from node.database import Reader, Writer
from node.errors import Refused
from node.files import Files
from node.ids import now_ms

if TYPE_CHECKING:
    from node.node import Node
    from node.photos import Photo

log = logging.getLogger("tintype.photos")

TRY_AGAIN_AFTER = 3_600_000
MB = 1024 * 1024
MOST_BYTES = 32 * MB
TYPES = ("image/*", "application/octet-stream", "binary/octet-stream")
SHOWN = tuple(variant for variant in VARIANTS if not variant.later and variant.format != "jpeg") + tuple(
    variant for variant in VARIANTS if variant.name == "large" and variant.format == "webp"
)


class Fetches:
    """The fetches under way on one node, by photo."""

    def __init__(self, node: Node) -> None:
        self.tasks: dict[int, asyncio.Task[Photo | None]] = {}
        self.places = asyncio.Semaphore(8)


async def fetch(node: Node, photo_id: int) -> Photo | None:
    """The photo with its files, fetched now if need be; None when it cannot be had at the moment."""
    fetches = node.part(Fetches)
    if photo_id not in fetches.tasks:
        photo = await node.db.read(_wanted, photo_id)
        if photo is None or photo.files or not photo.remote_url:
            return photo
        if photo.fetch_failed_at is not None and now_ms() - photo.fetch_failed_at < TRY_AGAIN_AFTER:
            return None
        if photo_id not in fetches.tasks:
            task = asyncio.create_task(_fetch(node, photo, fetches.places))
            fetches.tasks[photo_id] = task
            task.add_done_callback(lambda _: fetches.tasks.pop(photo_id, None))
    # Whoever leaves takes only themselves away: the others still wait, and the pixels are kept.
    return await asyncio.shield(fetches.tasks[photo_id])


def _wanted(tx: Reader, photo_id: int) -> Photo | None:
    """The photo, if pictures of its author's server, and of the server that keeps it, are shown here."""
    photo = photos.by_ids(tx, [photo_id]).get(photo_id)
    if photo is None or not photo.remote_url:
        return photo
    return photo if domains.shows_media(tx, accounts.get(tx, photo.account_id), photo.remote_url) else None


async def _fetch(node: Node, photo: Photo, places: asyncio.Semaphore) -> Photo | None:
    try:
        async with places:
            found = await node.client.get_bytes(photo.remote_url, limit=MOST_BYTES, types=TYPES)
            picture = await node.sandbox.render(found.body, SHOWN)
    except (Refused, BadImage) as error:
        log.info("photo %d at %s cannot be shown: %s", photo.id, photo.remote_url, error)
        await node.db.write(photos.note_fetch_failed, photo.id, now_ms())
        return None
    stored = await files.store(node, picture.files)
    kept = await node.db.write(_keep, photo, stored)
    await files.restore_lost(node, stored, picture.files)
    return kept


def _keep(tx: Writer, photo: Photo, stored: Files) -> Photo | None:
    if photo.id not in photos.by_ids(tx, [photo.id]):
        files.discard(tx, [kept.file for kept in stored.values()])
        return None
    photos.add_files(tx, photo.id, stored)
    return photos.by_ids(tx, [photo.id])[photo.id]
