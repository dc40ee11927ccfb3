"""Follows, blocks and mutes between two accounts, for many at once. Owns no table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.database import Reader, build, columns
from node.models.account import Account
from node.models.visibility import no_block_between


@dataclass(frozen=True, slots=True)
class Relationship:
    """From the side of one account; `id` is the other."""

    id: int
    following: bool
    requested: bool
    followed_by: bool
    requested_by: bool
    blocking: bool
    blocked_by: bool
    muting: bool
    muting_notifications: bool
    showing_boosts: bool
    muting_ends_at: int | None
    domain_blocking: bool = False


def with_accounts(tx: Reader, account: Account, ids: Iterable[int]) -> list[Relationship]:
    """Returns one relationship for each id that exists, once each, in the given order."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return []
    rows = tx.all(
        """SELECT a.id,
                  COALESCE(f.state = 'accepted', FALSE) AS following,
                  COALESCE(f.state = 'pending', FALSE) AS requested,
                  COALESCE(r.state = 'accepted', FALSE) AS followed_by,
                  COALESCE(r.state = 'pending', FALSE) AS requested_by,
                  b.id IS NOT NULL AS blocking,
                  c.id IS NOT NULL AS blocked_by,
                  m.id IS NOT NULL AS muting,
                  COALESCE(m.hides_notifications, FALSE) AS muting_notifications,
                  m.ends_at AS muting_ends_at,
                  COALESCE(f.shows_boosts AND f.state = 'accepted', FALSE) AS showing_boosts
           FROM accounts a
           LEFT JOIN follows f ON f.follower_id = :account AND f.followed_id = a.id
           LEFT JOIN follows r ON r.follower_id = a.id AND r.followed_id = :account
           LEFT JOIN blocks b ON b.account_id = :account AND b.target_id = a.id
           LEFT JOIN blocks c ON c.account_id = a.id AND c.target_id = :account
           LEFT JOIN mutes m ON m.account_id = :account AND m.target_id = a.id
           WHERE a.id IN (:ids)""",
        account=account.id,
        ids=wanted,
    )
    found = {row["id"]: build(Relationship, row) for row in rows}
    return [found[id_] for id_ in wanted if id_ in found]


def with_account(tx: Reader, account: Account, other: Account) -> Relationship:
    """Returns the relationship with one account, which must exist."""
    return with_accounts(tx, account, [other.id])[0]


def is_block_between(tx: Reader, one: Account, other: Account) -> bool:
    """Returns whether either has blocked the other."""
    return bool(
        tx.value(f"SELECT 1 WHERE NOT {no_block_between(':one', ':other')}", one=one.id, other=other.id)
    )


def has_blocked(tx: Reader, account: Account, target: Account) -> bool:
    """Returns whether `account` has blocked `target`."""
    return bool(
        tx.value(
            "SELECT 1 FROM blocks WHERE account_id = :account AND target_id = :target",
            account=account.id,
            target=target.id,
        )
    )


def has_muted(tx: Reader, account: Account, target: Account) -> bool:
    """Returns whether `account` has muted `target`."""
    return bool(
        tx.value(
            "SELECT 1 FROM mutes WHERE account_id = :account AND target_id = :target",
            account=account.id,
            target=target.id,
        )
    )


@dataclass(frozen=True, slots=True)
class Follow:
    """`state` is 'pending' or 'accepted'."""

    id: int
    uri: str
    follower_id: int
    followed_id: int
    state: str
    shows_boosts: bool
    created_at: int
    accepted_at: int | None

    @property
    def is_accepted(self) -> bool:
        return self.state == "accepted"


_SELECT = f"SELECT {columns(Follow)} FROM follows"  # noqa: S608


def follow_between(tx: Reader, follower: Account, followed: Account) -> Follow | None:
    row = tx.one(
        _SELECT + " WHERE follower_id = :follower AND followed_id = :followed",
        follower=follower.id,
        followed=followed.id,
    )
    return build(Follow, row) if row else None


def follow_by_uri(tx: Reader, uri: str) -> Follow | None:
    row = tx.one(_SELECT + " WHERE uri = :uri", uri=uri)
    return build(Follow, row) if row else None
