"""Blocks and mutes of accounts. Owns `blocks`, `mutes`. Called by pages, the client API, handlers and migration.

A block works in both directions and ends what was between the two: follows, feed rows, notifications. A mute is
private: it hides an account from one feed and, if wanted, its notifications.
"""

from __future__ import annotations

from node.accounts import relationships
from node.database import Reader, Writer, build, columns
from node.errors import Invalid
from node.ids import new_id, now_ms
from node.interactions import follows
from node.models import deletion_hooks
from node.models.account import Account, ListedAccount
from node.notifications import notifications
from node.paging import Page
from node.posts import home_feed


def block(tx: Writer, account: Account, target: Account, *, uri: str | None = None) -> None:
    """Blocks an account. Blocking twice changes nothing. Raises Invalid for oneself.

    `uri` is the id that a remote server gave the block.
    """
    if account.id == target.id:
        raise Invalid("You cannot block yourself.")
    id_ = new_id()
    made = tx.value(
        """INSERT INTO blocks (id, uri, account_id, target_id, created_at)
           VALUES (:id, :uri, :account, :target, :now)
           ON CONFLICT DO NOTHING RETURNING id""",
        id=id_,
        uri=uri or f"{(account if account.is_local else target).uri}#blocks/{id_}",
        account=account.id,
        target=target.id,
        now=now_ms(),
    )
    if made is None:
        return
    follows.sever(tx, account, target)
    for viewer, author in ((account, target), (target, account)):
        if viewer.is_local:
            home_feed.remove_author(tx, viewer.id, author.id)
    notifications.delete_between(tx, account.id, target.id)


def unblock(tx: Writer, account: Account, target: Account) -> None:
    """Removes a block. What it ended stays ended."""
    tx.run(
        "DELETE FROM blocks WHERE account_id = :account AND target_id = :target",
        account=account.id,
        target=target.id,
    )


def unblock_by_uri(tx: Writer, account: Account, uri: str) -> bool:
    """Removes the block with this id. Returns whether the account had one."""
    return (
        tx.run("DELETE FROM blocks WHERE account_id = :account AND uri = :uri", account=account.id, uri=uri)
        > 0
    )


def mute(tx: Writer, account: Account, target: Account, *, hides_notifications: bool = True) -> None:
    """Mutes an account, or changes whether its notifications are hidden. Raises Invalid for oneself."""
    if account.id == target.id:
        raise Invalid("You cannot mute yourself.")
    tx.run(
        """INSERT INTO mutes (id, account_id, target_id, hides_notifications, created_at)
           VALUES (:id, :account, :target, :hides, :now)
           ON CONFLICT (account_id, target_id) DO UPDATE
           SET hides_notifications = excluded.hides_notifications""",
        id=new_id(),
        account=account.id,
        target=target.id,
        hides=hides_notifications,
        now=now_ms(),
    )
    home_feed.remove_author(tx, account.id, target.id)


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


def blocked_accounts(tx: Reader, account: Account, page: Page) -> list[ListedAccount]:
    """Returns the accounts that `account` has blocked, newest first."""
    return _listed(tx, "blocks", account, page)


def muted_accounts(tx: Reader, account: Account, page: Page) -> list[ListedAccount]:
    """Returns the accounts that `account` has muted, newest first."""
    return _listed(tx, "mutes", account, page)


def _listed(tx: Reader, table: str, account: Account, page: Page) -> list[ListedAccount]:
    rows = tx.all(
        f"""SELECT t.id AS listed_id, {columns(Account, "a")}
            FROM {table} t JOIN accounts a ON a.id = t.target_id
            WHERE t.account_id = :account {page.clause("t.id")}""",  # noqa: S608
        account=account.id,
        **page.values,
    )
    return [ListedAccount(row["listed_id"], build(Account, row)) for row in page.newest_first(rows)]


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the blocks and mutes by and of an account."""
    tx.run("DELETE FROM blocks WHERE account_id = :id OR target_id = :id", id=account.id)
    tx.run("DELETE FROM mutes WHERE account_id = :id OR target_id = :id", id=account.id)
