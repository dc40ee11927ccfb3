"""Blocks and mutes: whom someone does not want near, and whom they do not want to hear. Owns `blocks`, `mutes`.

A block works both ways and ends what was between the two: follows, feed rows, notifications. A mute is
private: it hides someone from one person's feed and, if asked, their notifications.
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


def block(tx: Writer, who: Account, target: Account, *, uri: str | None = None) -> None:
    """Block someone. Blocking twice changes nothing. `uri` is the id another server gave the block."""
    if who.id == target.id:
        raise Invalid("You cannot block yourself.")
    id_ = new_id()
    made = tx.value(
        """INSERT INTO blocks (id, uri, account_id, target_id, created_at)
           VALUES (:id, :uri, :who, :target, :now)
           ON CONFLICT DO NOTHING RETURNING id""",
        id=id_,
        uri=uri or f"{(who if who.is_local else target).uri}#blocks/{id_}",
        who=who.id,
        target=target.id,
        now=now_ms(),
    )
    if made is None:
        return
    follows.sever(tx, who, target)
    for viewer, by in ((who, target), (target, who)):
        if viewer.is_local:
            home_feed.remove_author(tx, viewer.id, by.id)
    notifications.delete_between(tx, who.id, target.id)


def unblock(tx: Writer, who: Account, target: Account) -> None:
    """Take a block back. What it ended stays ended."""
    tx.run("DELETE FROM blocks WHERE account_id = :who AND target_id = :target", who=who.id, target=target.id)


def unblock_by_uri(tx: Writer, who: Account, uri: str) -> bool:
    """Take a block back that is known by the id its server gave it. Whether there was one."""
    return tx.run("DELETE FROM blocks WHERE account_id = :who AND uri = :uri", who=who.id, uri=uri) > 0


def mute(tx: Writer, who: Account, target: Account, *, hides_notifications: bool = True) -> None:
    """Mute someone, or change whether their notifications are hidden."""
    if who.id == target.id:
        raise Invalid("You cannot mute yourself.")
    tx.run(
        """INSERT INTO mutes (id, account_id, target_id, hides_notifications, created_at)
           VALUES (:id, :who, :target, :hides, :now)
           ON CONFLICT (account_id, target_id) DO UPDATE
           SET hides_notifications = excluded.hides_notifications""",
        id=new_id(),
        who=who.id,
        target=target.id,
        hides=hides_notifications,
        now=now_ms(),
    )
    home_feed.remove_author(tx, who.id, target.id)


def unmute(tx: Writer, who: Account, target: Account) -> None:
    """Hear someone again; if they are followed, their latest posts return to the feed."""
    removed = tx.run(
        "DELETE FROM mutes WHERE account_id = :who AND target_id = :target", who=who.id, target=target.id
    )
    follow = relationships.follow_between(tx, who, target) if removed else None
    if follow is not None and follow.is_accepted:
        home_feed.backfill(tx, who.id, target.id)


def blocked_accounts(tx: Reader, who: Account, page: Page) -> list[ListedAccount]:
    """Whom `who` has blocked, newest first."""
    return _listed(tx, "blocks", who, page)


def muted_accounts(tx: Reader, who: Account, page: Page) -> list[ListedAccount]:
    """Whom `who` has muted, newest first."""
    return _listed(tx, "mutes", who, page)


def _listed(tx: Reader, table: str, who: Account, page: Page) -> list[ListedAccount]:
    rows = tx.all(
        f"""SELECT t.id AS listed_id, {columns(Account, "a")}
            FROM {table} t JOIN accounts a ON a.id = t.target_id
            WHERE t.account_id = :who {page.clause("t.id")}""",  # noqa: S608
        who=who.id,
        **page.values,
    )
    return [ListedAccount(row["listed_id"], build(Account, row)) for row in page.newest_first(rows)]


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the blocks and mutes by and of an account."""
    tx.run("DELETE FROM blocks WHERE account_id = :id OR target_id = :id", id=account.id)
    tx.run("DELETE FROM mutes WHERE account_id = :id OR target_id = :id", id=account.id)
