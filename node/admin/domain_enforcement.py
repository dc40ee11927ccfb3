"""The job `apply_policy`: carries a change of domain rules out on follows, deliveries and files. Owns no table.

`domain_rules` marks the accounts and queues the job. It searches for rows that do not agree with the marks and
corrects them, in batches, until none is left; so it may run twice, be killed, or run late.

Ended follows are kept in `severed_follows`, and no activity is sent for them. Nothing is exchanged with a suspended
server; and because it received no Undo or Reject, the follows still exist there when the suspension is lifted.
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
    """Job `apply_policy`: ends follows of suspended servers, restores those of others, removes files and deliveries.

    With `everybody` in the payload, it first marks all remote accounts with the policy of their servers.
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
    count = 0
    for remote_side in ("follower_id", "followed_id"):
        rows = tx.all(
            f"""SELECT {columns(Follow, "f")} FROM accounts a JOIN follows f ON f.{remote_side} = a.id
                WHERE a.suspended_with_server LIMIT :limit""",  # noqa: S608
            limit=BATCH_SIZE,
        )
        people = accounts.by_ids(tx, {row[side] for row in rows for side in ("follower_id", "followed_id")})
        for row in rows:
            ended = follows.remove_silently(tx, people[row["follower_id"]], people[row["followed_id"]])
            if ended is not None:
                severed_follows.record(tx, ended)
        count += len(rows)
    return count


def _restore_follows(tx: Writer) -> int:
    """Restores the follows of servers that are no longer suspended, unless an account is deleted or blocked since."""
    restorable = severed_follows.take_restorable(tx, limit=BATCH_SIZE)
    people = accounts.by_ids(
        tx, {id_ for ended in restorable for id_ in (ended.follower_id, ended.followed_id)}
    )
    for ended in restorable:
        follower, followed = people[ended.follower_id], people[ended.followed_id]
        is_deleted = follower.deleted_at is not None or followed.deleted_at is not None
        if not is_deleted and not relationships.is_block_between(tx, follower, followed):
            follows.restore(tx, ended)
    return len(restorable)


def _drop_deliveries(tx: Writer) -> int:
    """Gives up what waits for a host whose accounts all have handles of a suspended domain.

    What waits for a host that is itself suspended is given up when its turn comes.
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
    without_accounts = sorted({row["host"] for row in waiting} - {row["host"] for row in rows})
    for host in without_accounts[:BATCH_SIZE]:
        deliveries.give_up_host(tx, host, "this node does not exchange anything with that server")
    return len(without_accounts)


def _remove_photo_files(tx: Writer) -> int:
    rows = tx.all(
        """SELECT DISTINCT ph.id FROM accounts a JOIN posts p ON p.account_id = a.id
           JOIN photos ph ON ph.post_id = p.id JOIN photo_files f ON f.photo_id = ph.id
           WHERE a.is_without_media LIMIT :limit""",
        limit=BATCH_SIZE,
    )
    photos.delete_files(tx, [row["id"] for row in rows])
    return len(rows)


def _remove_avatar_files(tx: Writer) -> int:
    rows = tx.all(
        """SELECT DISTINCT a.id FROM accounts a JOIN avatar_files f ON f.account_id = a.id
           WHERE a.is_without_media LIMIT :limit""",
        limit=BATCH_SIZE,
    )
    for row in rows:
        avatars.delete_all_files(tx, row["id"])
    return len(rows)
