"""Eviction from the cache of other servers' pictures: what is deleted, and when. Owns no table.

The picture that was not viewed for longest goes first, and those of a host that uses more than its share before all
others. A deleted picture is fetched again when somebody views it. Work is done in bounded units, each of which leaves
the totals and the tables true.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.attachments import avatars, custom_emoji, media_cache, photos
from node.attachments.media_cache import EVICT_DOWN_TO, MAX_HOST_SHARE, AccessTimes, CacheCapacity, MediaKey
from node.database import Writer
from node.jobs import queue
from node.jobs.queue import Job
from node.moderation import domain_rules
from node.node import Node

BATCH_SIZE = 100


async def trim_cache(node: Node, job: Job) -> bool:
    """Job `trim_cache`: evicts pictures until what is stored is well under the capacity."""
    await node.component(AccessTimes).flush()
    capacity = node.component(CacheCapacity).bytes
    while await node.db.write(evict_batch, capacity):
        pass
    await node.db.write(_finish, job, capacity)
    return True


def _finish(tx: Writer, job: Job, capacity: int) -> None:
    """Finishes the job. What was stored since it last looked queues no other, so it looks once more."""
    queue.finish(tx, job)
    if evict_batch(tx, capacity):
        queue.add_once(tx, "trim_cache", {})


def evict_batch(tx: Writer, capacity: int) -> int:
    """Evicts some pictures and returns how many. 0 when no eviction is needed."""
    largest = media_cache.largest_host_above(tx, capacity * MAX_HOST_SHARE)
    if largest is not None:
        excess = largest.bytes - capacity * MAX_HOST_SHARE * EVICT_DOWN_TO
        return evict(tx, media_cache.least_recently_used(tx, excess, BATCH_SIZE, largest.host))
    total = media_cache.total_bytes(tx)
    if total <= capacity * EVICT_DOWN_TO:
        return 0
    return evict(tx, media_cache.least_recently_used(tx, total - capacity * EVICT_DOWN_TO, BATCH_SIZE))


def evict(tx: Writer, keys: Sequence[MediaKey]) -> int:
    """Deletes the files of these pictures, of whichever kind they are. Returns how many were given."""
    ids: dict[str, list[int]] = {"photo": [], "emoji": [], **{kind: [] for kind in avatars.PICTURE_KINDS}}
    for kind, id_ in keys:
        ids[kind].append(id_)
    photos.delete_files(tx, ids["photo"])
    for picture_kind in avatars.PICTURE_KINDS.values():
        avatars.delete_files(tx, ids[picture_kind.name], picture_kind)
    custom_emoji.delete_files(tx, ids["emoji"])
    for kind, kind_ids in ids.items():
        media_cache.delete(tx, kind, kind_ids)
    return len(keys)


def evict_rejected(tx: Writer) -> int:
    """Evicts some pictures from hosts whose media are rejected, and returns how many."""
    policies = domain_rules.policies(tx, media_cache.hosts(tx))
    rejected = [host for host, policy in policies.items() if policy.rejects_media]
    if rejected and (keys := media_cache.by_hosts(tx, rejected, BATCH_SIZE)):
        return evict(tx, keys)
    return evict(tx, custom_emoji.from_rejected_servers(tx, BATCH_SIZE))
