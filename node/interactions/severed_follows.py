"""Follows that were ended because a server was suspended, kept so that they can be restored.

Owns `severed_follows`, and `lost_follows`: how many of them each account of this node lost on each server, to tell people.

Called by `domain_enforcement` when an admin suspends a server or lifts the suspension; nothing is sent to either side.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.accounts.relationships import Follow
from node.database import Reader, Writer, build, columns
from node.ids import now_ms
from node.models import deletion_hooks
from node.models.account import Account

RETENTION_MS = 365 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class FollowCounts:
    """How many follows there are between local accounts and those of some servers."""

    followers: int
    following: int
    severed: int


def record(tx: Writer, ended: Follow) -> None:
    """Remembers a follow that was ended because a server was suspended."""
    tx.run(
        f"""INSERT INTO severed_follows ({columns(Follow)}, severed_at)
            VALUES (:id, :uri, :follower_id, :followed_id, :state, :shows_boosts, :created_at, :accepted_at,
                :now)
            ON CONFLICT DO NOTHING""",  # noqa: S608
        **{name: getattr(ended, name) for name in Follow.__slots__},
        now=now_ms(),
    )


@dataclass(frozen=True, slots=True)
class LostFollows:
    """What the suspension of one server took from an account of this node."""

    account_id: int
    domain: str
    followers_count: int
    following_count: int
    severed_at: int


def record_lost(tx: Writer, account: Account, domain: str, *, followers: int, following: int) -> None:
    """Adds to what an account has lost on a server."""
    tx.run(
        f"""INSERT INTO lost_follows ({columns(LostFollows)})
            VALUES (:account, :domain, :followers, :following, :now)
            ON CONFLICT (account_id, domain) DO UPDATE SET severed_at = excluded.severed_at,
                followers_count = lost_follows.followers_count + excluded.followers_count,
                following_count = lost_follows.following_count + excluded.following_count""",  # noqa: S608
        account=account.id,
        domain=domain,
        followers=followers,
        following=following,
        now=now_ms(),
    )


def forget_lost(tx: Writer, account: Account, domain: str) -> None:
    """Deletes what an account has lost on a server, once it is given back."""
    tx.run(
        "DELETE FROM lost_follows WHERE account_id = :id AND domain = :domain", id=account.id, domain=domain
    )


def lost_by_account(tx: Reader, account_id: int, limit: int) -> list[LostFollows]:
    """Returns what an account has lost on servers that are suspended, the latest first."""
    rows = tx.all(
        f"""SELECT {columns(LostFollows)} FROM lost_follows WHERE account_id = :id
            ORDER BY severed_at DESC, domain LIMIT :limit""",  # noqa: S608
        id=account_id,
        limit=limit,
    )
    return [build(LostFollows, row) for row in rows]


def take_restorable(tx: Writer, *, limit: int) -> list[Follow]:
    """Removes and returns severed follows between accounts neither of whose servers is suspended any more."""
    rows = tx.all(
        f"""SELECT {columns(Follow, "s")} FROM severed_follows s
            JOIN accounts a ON a.id = s.follower_id JOIN accounts b ON b.id = s.followed_id
            WHERE NOT a.suspended_with_server AND NOT b.suspended_with_server LIMIT :limit""",  # noqa: S608
        limit=limit,
    )
    tx.run("DELETE FROM severed_follows WHERE id IN (:ids)", ids=[row["id"] for row in rows])
    return [build(Follow, row) for row in rows]


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the severed follows of an account, in both directions: none of them can be restored."""
    tx.run("DELETE FROM severed_follows WHERE follower_id = :id OR followed_id = :id", id=account.id)
    tx.run("DELETE FROM lost_follows WHERE account_id = :id", id=account.id)


def follow_counts(tx: Reader, servers: list[tuple[str, str]]) -> FollowCounts:
    """Counts the follows from and to accounts of these (domain, host) pairs, and those severed."""
    counts = dict.fromkeys(("followers", "following", "severed"), 0)
    for domain, host in servers:
        row = tx.one(
            """SELECT
                 (SELECT COUNT(*) FROM accounts a JOIN follows f ON f.follower_id = a.id
                  WHERE a.domain = :domain AND a.host = :host AND NOT a.is_local) AS followers,
                 (SELECT COUNT(*) FROM accounts a JOIN follows f ON f.followed_id = a.id
                  WHERE a.domain = :domain AND a.host = :host AND NOT a.is_local) AS following,
                 (SELECT COUNT(*) FROM severed_follows s JOIN accounts a
                      ON a.id = s.follower_id OR a.id = s.followed_id
                  WHERE a.domain = :domain AND a.host = :host AND NOT a.is_local) AS severed""",
            domain=domain,
            host=host,
        )
        assert row is not None
        for name in counts:
            counts[name] += row[name]
    return FollowCounts(**counts)


def clean_up(tx: Writer, now: int) -> int:
    """Deletes those older than `RETENTION_MS`: after a year nobody expects a follow to come back."""
    before = now - RETENTION_MS
    return tx.run(
        """DELETE FROM severed_follows WHERE id IN (
               SELECT id FROM severed_follows WHERE severed_at < :before ORDER BY severed_at LIMIT 500)""",
        before=before,
    ) + tx.run(
        """DELETE FROM lost_follows WHERE (account_id, domain) IN (
               SELECT account_id, domain FROM lost_follows WHERE severed_at < :before
               ORDER BY severed_at LIMIT 500)""",
        before=before,
    )
