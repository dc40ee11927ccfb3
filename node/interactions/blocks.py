"""Blocks and mutes of accounts. Owns `blocks`, `mutes`. Called by pages, the client API, handlers and migration.

A block works in both directions and ends what was between the two: follows, feed rows, notifications. The server of
a blocked remote account is told, so that it ends there too. A mute is
private: it hides an account from one feed and, if wanted, its notifications.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node.accounts import accounts, relationships
from node.database import Reader, Writer, build, columns
from node.database.bounded_pages import Walk, clause, read
from node.errors import Invalid
from node.federation import outbox
from node.ids import new_id, now_ms
from node.interactions import follows
from node.jobs import queue
from node.jobs.queue import Job
from node.models import deletion_hooks
from node.models.account import Account, ListedAccount
from node.node import Node
from node.notifications import notifications
from node.paging import Found, Page
from node.posts import home_feed, tagged_people

MAX_MUTE_SECONDS = 100 * 365 * 24 * 3600
MAX_ENDED_AT_ONCE = 50
LONGEST_WAIT_MS = 24 * 3_600_000


def block(tx: Writer, account: Account, target: Account, *, uri: str | None = None) -> None:
    """Blocks an account. Blocking twice changes nothing but `uri`, the id that a remote server gave the block.

    Raises Invalid for oneself.
    """
    if account.id == target.id:
        raise Invalid("You cannot block yourself.")
    id_ = new_id()
    made = tx.one(
        """INSERT INTO blocks (id, uri, account_id, target_id, created_at)
           VALUES (:id, :uri, :account, :target, :now)
           ON CONFLICT DO NOTHING RETURNING uri""",
        id=id_,
        uri=uri or f"{(account if account.is_local else target).uri}#blocks/{id_}",
        account=account.id,
        target=target.id,
        now=now_ms(),
    )
    if made is None:
        if uri is not None:
            tx.run(
                """UPDATE blocks SET uri = :uri WHERE account_id = :account AND target_id = :target
                   AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.uri = :uri)""",
                uri=uri,
                account=account.id,
                target=target.id,
            )
        return
    follows.sever(tx, account, target)
    _send(tx, account, "Block", target.uri, target, uri=made["uri"])
    for viewer, author in ((account, target), (target, account)):
        if viewer.is_local:
            home_feed.remove_author(tx, viewer.id, author.id)
    notifications.delete_between(tx, account.id, target.id)
    tagged_people.delete_between(tx, account.id, target.id)


def unblock(tx: Writer, account: Account, target: Account) -> str | None:
    """Removes a block; returns its id. What it ended stays ended."""
    uri = tx.value(
        "DELETE FROM blocks WHERE account_id = :account AND target_id = :target RETURNING uri",
        account=account.id,
        target=target.id,
    )
    if uri is None:
        return None
    _send(tx, account, "Undo", uri, target, extra={"verb": "Block", "uri": uri, "object_uri": target.uri})
    return str(uri)


def _send(tx: Writer, account: Account, verb: str, object_uri: str, target: Account, **more: Any) -> None:
    """Records an activity for the server of the blocked account, and for no other."""
    if not target.is_local:
        outbox.record(tx, account, verb, object_uri, target=target, **more)


def target_id_by_uri(tx: Reader, account: Account, uri: str) -> int | None:
    """Returns whom an account has blocked by the block with this id; None without one."""
    target_id = tx.value(
        "SELECT target_id FROM blocks WHERE account_id = :account AND uri = :uri", account=account.id, uri=uri
    )
    return None if target_id is None else int(target_id)


def mute(
    tx: Writer, account: Account, target: Account, *, hides_notifications: bool = True, seconds: int = 0
) -> None:
    """Mutes an account for a time, or with 0 `seconds` until it is unmuted. Raises Invalid for oneself.

    Muting again changes whether notifications are hidden and when the mute ends.
    """
    if account.id == target.id:
        raise Invalid("You cannot mute yourself.")
    now = now_ms()
    ends_at = now + min(seconds, MAX_MUTE_SECONDS) * 1000 if seconds else None
    if ends_at is not None:
        # Before the row, in the order in which the job locks them.
        _queue_end_of_mutes(tx, ends_at, now)
    tx.run(
        """INSERT INTO mutes (id, account_id, target_id, hides_notifications, created_at, ends_at)
           VALUES (:id, :account, :target, :hides, :now, :ends)
           ON CONFLICT (account_id, target_id) DO UPDATE
           SET hides_notifications = excluded.hides_notifications, ends_at = excluded.ends_at""",
        id=new_id(),
        account=account.id,
        target=target.id,
        hides=hides_notifications,
        now=now,
        ends=ends_at,
    )
    home_feed.remove_author(tx, account.id, target.id)


async def end_mutes(node: Node, job: Job) -> bool:
    """Job `end_mutes`: ends the mutes whose time is over, and queues itself for the next that will be.

    It looks at least once a day, since the queue takes a job that is put off for longer for one of a wrong clock.
    """
    await node.db.write(end_due_mutes, job)
    return True


def end_due_mutes(tx: Writer, job: Job) -> None:
    """Finishes the job, ends some of the mutes whose time is over, and queues the job for the next that will be.

    The job is finished first: whoever mutes somebody now waits for this unit, or this one for them.
    """
    queue.finish(tx, job)
    now = max(now_ms(), job.claimed_until - queue.LEASE_MS)
    rows = tx.all(
        "SELECT account_id, target_id FROM mutes WHERE ends_at <= :now ORDER BY ends_at LIMIT :limit",
        now=now,
        limit=MAX_ENDED_AT_ONCE,
    )
    people = accounts.by_ids(tx, list({id_ for row in rows for id_ in (row["account_id"], row["target_id"])}))
    for row in rows:
        unmute(tx, people[row["account_id"]], people[row["target_id"]])
    queue_next_end_of_mutes(tx, now)


def queue_next_end_of_mutes(tx: Writer, now: int) -> None:
    """Queues the job that ends mutes for the next that will end, if there is one."""
    next_end = tx.value("SELECT MIN(ends_at) FROM mutes WHERE ends_at IS NOT NULL")
    if next_end is not None:
        _queue_end_of_mutes(tx, next_end, now)


def _queue_end_of_mutes(tx: Writer, ends_at: int, now: int) -> None:
    queue.add_once(tx, "end_mutes", {}, run_at=min(ends_at, now + LONGEST_WAIT_MS))


def mute_ends(tx: Reader, account: Account, target_ids: Sequence[int]) -> dict[int, int]:
    """Returns when the mutes of these accounts end, in milliseconds; those without an end are left out."""
    rows = tx.all(
        """SELECT target_id, ends_at FROM mutes
           WHERE account_id = :account AND target_id IN (:targets) AND ends_at IS NOT NULL""",
        account=account.id,
        targets=list(target_ids),
    )
    return {row["target_id"]: row["ends_at"] for row in rows}


def unmute(tx: Writer, account: Account, target: Account) -> None:
    """Removes a mute; the latest posts of a followed account return to the feed."""
    removed = tx.run(
        "DELETE FROM mutes WHERE account_id = :account AND target_id = :target",
        account=account.id,
        target=target.id,
    )
    follow = relationships.follow_between(tx, account, target) if removed else None
    if follow is not None and follow.is_accepted:
        home_feed.backfill(tx, account.id, target.id)


def blocked_accounts(tx: Reader, account: Account, page: Page) -> Found[ListedAccount]:
    """Returns the accounts that `account` has blocked, newest first."""
    return _listed(tx, "blocks", account, page)


def muted_accounts(tx: Reader, account: Account, page: Page) -> Found[ListedAccount]:
    """Returns the accounts that `account` has muted, newest first."""
    return _listed(tx, "mutes", account, page)


def _listed(tx: Reader, table: str, account: Account, page: Page) -> Found[ListedAccount]:
    found = read(
        tx,
        page,
        [Walk("t.id", f"{table} t WHERE t.account_id = :account")],
        f"""SELECT t.id AS listed_id, {columns(Account, "a")}
            FROM {table} t JOIN accounts a ON a.id = t.target_id
            WHERE t.account_id = :account {clause(page, "t.id")}""",  # noqa: S608
        id_column="listed_id",
        account=account.id,
    )
    return found.replaced_by([ListedAccount(row["listed_id"], build(Account, row)) for row in found])


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the blocks and mutes by and of an account."""
    tx.run("DELETE FROM blocks WHERE account_id = :id OR target_id = :id", id=account.id)
    tx.run("DELETE FROM mutes WHERE account_id = :id OR target_id = :id", id=account.id)
