"""How two people stand to each other, for many at once. Owns no table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.database import Reader, build, columns
from node.models.account import Account
from node.models.visibility import no_block_between


@dataclass(frozen=True, slots=True)
class Relationship:
    """From the side of whoever asks; `id` is the other."""

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
    domain_blocking: bool = False


def of(tx: Reader, who: Account, ids: Iterable[int]) -> list[Relationship]:
    """One for each id that is somebody, in the order asked for."""
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
                  COALESCE(f.shows_boosts AND f.state = 'accepted', FALSE) AS showing_boosts
           FROM accounts a
           LEFT JOIN follows f ON f.follower_id = :who AND f.followed_id = a.id
           LEFT JOIN follows r ON r.follower_id = a.id AND r.followed_id = :who
           LEFT JOIN blocks b ON b.account_id = :who AND b.target_id = a.id
           LEFT JOIN blocks c ON c.account_id = a.id AND c.target_id = :who
           LEFT JOIN mutes m ON m.account_id = :who AND m.target_id = a.id
           WHERE a.id IN (:ids)""",
        who=who.id,
        ids=wanted,
    )
    found = {row["id"]: build(Relationship, row) for row in rows}
    return [found[id_] for id_ in wanted if id_ in found]


def with_(tx: Reader, who: Account, other: Account) -> Relationship:
    """With one person."""
    return of(tx, who, [other.id])[0]


def is_blocked(tx: Reader, one: Account, other: Account) -> bool:
    """Whether either has blocked the other."""
    return bool(
        tx.value(f"SELECT 1 WHERE NOT {no_block_between(':one', ':other')}", one=one.id, other=other.id)
    )


def has_blocked(tx: Reader, who: Account, target: Account) -> bool:
    """Whether `who` has blocked `target`."""
    return bool(
        tx.value(
            "SELECT 1 FROM blocks WHERE account_id = :who AND target_id = :target",
            who=who.id,
            target=target.id,
        )
    )


def is_muted(tx: Reader, who: Account, target: Account) -> bool:
    return bool(
        tx.value(
            "SELECT 1 FROM mutes WHERE account_id = :who AND target_id = :target",
            who=who.id,
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


def between(tx: Reader, follower: Account, followed: Account) -> Follow | None:
    row = tx.one(
        _SELECT + " WHERE follower_id = :follower AND followed_id = :followed",
        follower=follower.id,
        followed=followed.id,
    )
    return build(Follow, row) if row else None


def by_uri(tx: Reader, uri: str) -> Follow | None:
    row = tx.one(_SELECT + " WHERE uri = :uri", uri=uri)
    return build(Follow, row) if row else None
