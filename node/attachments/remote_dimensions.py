"""Learns the size of remote photos whose server does not declare it, from the first bytes of their files.

Without it a page cannot keep their place free, and jumps when they are shown. It is asked when the post arrives, in
the background, of the server of its author alone: so nobody makes this node send requests to others. The picture itself
is fetched when somebody views it. The size counts until the pixels are known.
"""

from __future__ import annotations

import logging

from media import images
from media.containers import dimensions
from node.accounts import accounts
from node.attachments import photo_rows, photos
from node.attachments.photo_rows import Photo
from node.attachments.remote_fetch import PictureFetcher
from node.database import Reader
from node.errors import Refused
from node.jobs.queue import Job
from node.moderation import domain_rules
from node.node import Node
from node.text import hostnames

log = logging.getLogger("tintype.pictures")

HEAD_BYTES = 64 * 1024
# What is asked where the first answer is a picture whose size comes later: behind maps of depth, or large XMP.
LONG_HEAD_BYTES = 1024 * 1024


async def measure(node: Node, job: Job) -> None:
    """Job `measure_photos`: records the sizes of those photos of a post that have none."""
    for photo, server in await node.db.read(_unmeasured, job.payload["post_id"]):
        try:
            size = await _fetch_size(node.component(PictureFetcher), photo.remote_url, server)
        except Refused as error:
            log.info("the size of %s is not known: %s", photo.remote_url, error.detail or error.message)
            continue
        if size is not None:
            await node.db.write(photos.record_measured_size, photo.id, *size)


async def _fetch_size(fetcher: PictureFetcher, url: str, server: str) -> tuple[int, int] | None:
    for most in (HEAD_BYTES, LONG_HEAD_BYTES):
        head = await fetcher.fetch_head(url, server=server, max_bytes=most)
        size = dimensions.parse(head)
        if size is not None or len(head) < most or images.sniff(head[:64]) is None:
            return size
    return None


def _unmeasured(tx: Reader, post_id: int) -> list[tuple[Photo, str]]:
    """Returns the photos without a size whose file is on the server of their author, each with that server."""
    return [
        (photo, server)
        for photo in photo_rows.by_posts(tx, [post_id]).get(post_id, [])
        if (photo.width < 1 or photo.height < 1) and (server := _server_of_author(tx, photo))
    ]


def _server_of_author(tx: Reader, photo: Photo) -> str:
    """Returns the server of a remote photo's author if the file is there, or on a host below it; otherwise ''."""
    author = accounts.get(tx, photo.account_id)
    if author.is_local or not domain_rules.allows_media(tx, author, photo.remote_url):
        return ""
    host, server = hostnames.from_uri(photo.remote_url), hostnames.from_uri(author.uri)
    return author.domain if host == server or host.endswith("." + server) else ""
