"""Follows that ended because a server was suspended, and their return. Owns `severed_follows`.

Also the job that does what a rule about a server means for many rows: it looks for what does not agree with
the accounts as they are marked and puts it right, some at a time, until nothing is left. So it may run twice,
be killed, or come late.

Neither server is told. Nothing is exchanged with one that is suspended; and because it was not told, what
its people and ours had agreed on is still true over there when the suspension is lifted.
"""

from __future__ import annotations

from node.accounts import accounts, relationships
from node.accounts.relationships import Follow
from node.attachments import avatars, media_cache_eviction, photos
from node.database import Writer, columns
from node.federation import deliveries
from node.interactions import follows, severed_follows
from node.jobs.queue import Job
from node.moderation import domain_rules
from node.node import Node

BATCH_SIZE = 100


async def apply_policy(node: Node, job: Job) -> None:
    """Job `apply_policy`: end follows of suspended servers, bring back those of others, delete pictures and letters.

    With `everybody`, first mark all people from elsewhere as their servers are treated now.
    """
    after = 1 if job.payload.get("everybody") else 0
    while after:
        after = await node.db.write(domain_rules.apply_to_next_accounts, after)
    for step in (
        _sever_follows,
        _restore_follows,
        _drop_deliveries,
        _remove_photo_files,
        _remove_avatar_files,
        media_cache_eviction.evict_rejected,
    ):
        while await node.db.write(step):
            pass


def _sever_follows(tx: Writer) -> int:
    found = 0
    for theirs in ("follower_id", "followed_id"):
        rows = tx.all(
            f"""SELECT {columns(Follow, "f")} FROM accounts a JOIN follows f ON f.{theirs} = a.id
                WHERE a.suspended_with_server LIMIT :most""",  # noqa: S608
            most=BATCH_SIZE,
        )
        people = accounts.by_ids(tx, {row[side] for row in rows for side in ("follower_id", "followed_id")})
        for row in rows:
            ended = follows.remove_silently(tx, people[row["follower_id"]], people[row["followed_id"]])
            if ended is not None:
                severed_follows.record(tx, ended)
        found += len(rows)
    return found


def _restore_follows(tx: Writer) -> int:
    """Whoever is still here, and has not blocked the other meanwhile, follows as before."""
    restorable = severed_follows.take_restorable(tx, limit=BATCH_SIZE)
    people = accounts.by_ids(
        tx, {id_ for ended in restorable for id_ in (ended.follower_id, ended.followed_id)}
    )
    for ended in restorable:
        follower, followed = people[ended.follower_id], people[ended.followed_id]
        gone = follower.deleted_at is not None or followed.deleted_at is not None
        if not gone and not relationships.is_block_between(tx, follower, followed):
            follows.restore(tx, ended)
    return len(restorable)


def _drop_deliveries(tx: Writer) -> int:
    """Nobody is left at a host whose people are known under a suspended name: what waits for it is given up.

    What waits for a host that is suspended itself is given up when its turn comes.
    """
    waiting = tx.all(
        """SELECT DISTINCT a.host FROM accounts a WHERE a.suspended_with_server
             AND EXISTS (SELECT 1 FROM deliveries d WHERE d.host = a.host AND d.state = 'waiting')"""
    )
    if not waiting:
        return 0
    rows = tx.all(
        """SELECT DISTINCT host FROM accounts
           WHERE host IN (:hosts) AND NOT suspended_with_server AND NOT is_local""",
        hosts=[row["host"] for row in waiting],
    )
    left = sorted({row["host"] for row in waiting} - {row["host"] for row in rows})
    for host in left[:BATCH_SIZE]:
        deliveries.give_up_host(tx, host, "this node does not exchange anything with that server")
    return len(left)


def _remove_photo_files(tx: Writer) -> int:
    rows = tx.all(
        """SELECT DISTINCT ph.id FROM accounts a JOIN posts p ON p.account_id = a.id
           JOIN photos ph ON ph.post_id = p.id JOIN photo_files f ON f.photo_id = ph.id
           WHERE a.is_without_media LIMIT :most""",
        most=BATCH_SIZE,
    )
    photos.delete_files(tx, [row["id"] for row in rows])
    return len(rows)


def _remove_avatar_files(tx: Writer) -> int:
    rows = tx.all(
        """SELECT DISTINCT a.id FROM accounts a JOIN avatar_files f ON f.account_id = a.id
           WHERE a.is_without_media LIMIT :most""",
        most=BATCH_SIZE,
    )
    for row in rows:
        avatars.delete_all_files(tx, row["id"])
    return len(rows)
