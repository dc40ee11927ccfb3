"""The job `apply_policy`: carries a change of domain rules out on follows, deliveries and files. Owns no table.

`domain_rules` marks the accounts and queues the job. It searches for rows that do not agree with the marks and
corrects them, in batches, until none is left; so it may run twice, be killed, or run late.

Ended follows are kept in `severed_follows`, and no activity is sent for them. Nothing is exchanged with a suspended
server; and because it received no Undo or Reject, the follows still exist there when the suspension is lifted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from node.accounts import accounts, relationships
from node.accounts.relationships import Follow
from node.attachments import avatars, media_cache_eviction, photos
from node.database import Writer, columns
from node.federation import deliveries
from node.interactions import follows, severed_follows
from node.jobs.queue import Job
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from node.notifications import notifications

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
        lost: Counter[tuple[int, str]] = Counter()
        for row in rows:
            ended = follows.remove_silently(tx, people[row["follower_id"]], people[row["followed_id"]])
            if ended is not None:
                severed_follows.record(tx, ended)
                if ended.is_accepted:
                    local_id = ended.followed_id if remote_side == "follower_id" else ended.follower_id
                    lost[local_id, people[row[remote_side]].domain] += 1
        for (local_id, domain), number in lost.items():
            followers, following = (number, 0) if remote_side == "follower_id" else (0, number)
            severed_follows.record_lost(
                tx, people[local_id], domain, followers=followers, following=following
            )
        _tell_of_lost_follows(tx, [people[id_] for id_ in sorted({id_ for id_, _ in lost})])
        count += len(rows)
    return count


def _tell_of_lost_follows(tx: Writer, affected: Iterable[Account]) -> None:
    """Notifies people once, however many servers are suspended, and again when there is another one."""
    node = accounts.instance_actor(tx)
    for account in affected:
        notifications.withdraw(tx, "severed", node, account=account)
        notifications.notify(tx, account.id, "severed", actor=node)


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
        local, remote = (follower, followed) if follower.is_local else (followed, follower)
        severed_follows.forget_lost(tx, local, remote.domain)
        if not severed_follows.lost_by_account(tx, local.id, 1):
            notifications.withdraw(tx, "severed", accounts.instance_actor(tx), account=local)
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
