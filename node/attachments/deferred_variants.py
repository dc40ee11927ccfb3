"""The variants of an uploaded photo for which its author does not wait: a job makes them from the private original."""

from __future__ import annotations

import logging

from media.images import BadImage
from media.render_queue import SourceMustWait
from media.sandbox import EditRequest
from node.attachments import photo_rows, photos, stored_files
from node.attachments.stored_files import StoredFile
from node.ids import now_ms
from node.jobs.queue import Job, RetryLater
from node.node import Node

log = logging.getLogger("tintype.photos")


async def render_deferred_variants(node: Node, job: Job) -> None:
    """Job `render_photo`: makes the deferred variants, edited as the author wants.

    Then the original of a photo in a post is deleted, unless originals are kept.
    """
    photo = (await node.db.read(photo_rows.by_ids, [job.payload["photo_id"]])).get(job.payload["photo_id"])
    if photo is None or not photo.original_file:
        return
    missing = tuple(
        variant for variant in photos.DEFERRED_VARIANTS if (variant.name, variant.format) not in photo.files
    )
    stored: dict[tuple[str, str], StoredFile] = {}
    if missing:
        try:
            data = await node.storage.get(photo.original_file)
            source = stored_files.uploads_of_account(photo.account_id)
            picture = await node.sandbox.render(data, missing, source, EditRequest(photo.recipe))
            stored = await stored_files.store(node, picture.files)
        except SourceMustWait as wait:
            raise RetryLater(now_ms() + int(wait.seconds * 1000), str(wait)) from wait
        except (KeyError, BadImage) as error:
            # The variants made at once will do; the original must not stay because of a failure.
            log.warning("photo %d gets no deferred variants: %s", photo.id, error)
    await node.db.write(
        photos.save_deferred_variants, job, photo, stored, keep_original=node.config.media.keep_originals
    )
