"""Making room: what of other servers' pictures is let go, and when. Owns no table.

The picture that nobody has looked at for longest goes first, and those of a host that fills more than its
part before all others. What went is fetched again when somebody looks. Work is done in bounded units, each
of which leaves the sums and the tables true.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.attachments import avatars, custom_emoji, media_cache, photos
from node.attachments.media_cache import EMPTIED_TO, MOST_OF_ONE, Key, Looks, Room
from node.database import Writer
from node.jobs.queue import Job
from node.moderation import domain_policy
from node.node import Node

AT_ONCE = 100


async def trim(node: Node, job: Job) -> None:
    """Job `trim_cache`: let go of pictures until what is kept is well under the ceiling."""
    await node.part(Looks).write()
    while await node.db.write(trim_some, node.part(Room).bytes):
        pass


def trim_some(tx: Writer, room: int) -> int:
    """Let go of some pictures; how many. 0 when there is room enough."""
    crowding = media_cache.crowding(tx, room * MOST_OF_ONE)
    if crowding is not None:
        excess = crowding.bytes - room * MOST_OF_ONE * EMPTIED_TO
        return let_go(tx, media_cache.longest_unseen(tx, excess, AT_ONCE, crowding.host))
    total = media_cache.total(tx)
    if total <= room * EMPTIED_TO:
        return 0
    return let_go(tx, media_cache.longest_unseen(tx, total - room * EMPTIED_TO, AT_ONCE))


def let_go(tx: Writer, keys: Sequence[Key]) -> int:
    """Forget what is kept of these pictures, wherever they belong."""
    ids: dict[str, list[int]] = {"photo": [], "emoji": [], **{kind: [] for kind in avatars.KINDS}}
    for kind, id_ in keys:
        ids[kind].append(id_)
    photos.forget_files(tx, ids["photo"])
    for picture in avatars.KINDS.values():
        avatars.forget_files(tx, ids[picture.name], picture)
    custom_emoji.forget_files(tx, ids["emoji"])
    for kind, those in ids.items():
        media_cache.forget(tx, kind, those)
    return len(keys)


def forget_refused(tx: Writer) -> int:
    """Let go of some pictures from hosts whose pictures are not shown here; how many."""
    found = domain_policy.policies(tx, media_cache.hosts(tx))
    refused = [host for host, policy in found.items() if policy.rejects_media]
    if refused and (some := media_cache.of_hosts(tx, refused, AT_ONCE)):
        return let_go(tx, some)
    return let_go(tx, custom_emoji.refused(tx, AT_ONCE))
