"""Making room: what of other servers' pictures is let go, and when. Owns no table.

The picture that nobody has looked at for longest goes first, and those of a host that fills more than its
part before all others. What went is fetched again when somebody looks. Work is done in bounded units, each
of which leaves the sums and the tables true.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.attachments import avatars, custom_emoji, media_cache, photos
from node.attachments.media_cache import EVICT_DOWN_TO, MAX_HOST_SHARE, AccessTimes, CacheCapacity, MediaKey
from node.database import Writer
from node.jobs.queue import Job
from node.moderation import domain_rules
from node.node import Node

BATCH_SIZE = 100


async def trim_cache(node: Node, job: Job) -> None:
    """Job `trim_cache`: let go of pictures until what is kept is well under the ceiling."""
    await node.component(AccessTimes).flush()
    while await node.db.write(evict_batch, node.component(CacheCapacity).bytes):
        pass


def evict_batch(tx: Writer, capacity: int) -> int:
    """Let go of some pictures; how many. 0 when there is room enough."""
    crowding = media_cache.largest_host_above(tx, capacity * MAX_HOST_SHARE)
    if crowding is not None:
        excess = crowding.bytes - capacity * MAX_HOST_SHARE * EVICT_DOWN_TO
        return evict(tx, media_cache.least_recently_used(tx, excess, BATCH_SIZE, crowding.host))
    total = media_cache.total_bytes(tx)
    if total <= capacity * EVICT_DOWN_TO:
        return 0
    return evict(tx, media_cache.least_recently_used(tx, total - capacity * EVICT_DOWN_TO, BATCH_SIZE))


def evict(tx: Writer, keys: Sequence[MediaKey]) -> int:
    """Forget what is kept of these pictures, wherever they belong."""
    ids: dict[str, list[int]] = {"photo": [], "emoji": [], **{kind: [] for kind in avatars.PICTURE_KINDS}}
    for kind, id_ in keys:
        ids[kind].append(id_)
    photos.delete_files(tx, ids["photo"])
    for picture in avatars.PICTURE_KINDS.values():
        avatars.delete_files(tx, ids[picture.name], picture)
    custom_emoji.delete_files(tx, ids["emoji"])
    for kind, those in ids.items():
        media_cache.delete(tx, kind, those)
    return len(keys)


def evict_rejected(tx: Writer) -> int:
    """Let go of some pictures from hosts whose pictures are not shown here; how many."""
    found = domain_rules.policies(tx, media_cache.hosts(tx))
    refused = [host for host, policy in found.items() if policy.rejects_media]
    if refused and (some := media_cache.by_hosts(tx, refused, BATCH_SIZE)):
        return evict(tx, some)
    return evict(tx, custom_emoji.from_rejected_servers(tx, BATCH_SIZE))
