"""How large the node is: the few numbers it tells apps and other servers about itself. Owns no table."""

from __future__ import annotations

from dataclasses import dataclass

from node.auth import users
from node.database import Reader
from node.ids import now_ms

DAY = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Statistics:
    """`people`, `posts` are our own; `servers` are those this node has met."""

    people: int
    posts: int
    servers: int
    active_month: int
    active_half_year: int


def of(tx: Reader) -> Statistics:
    """Counted from what is small: our own accounts and the servers, never from all posts."""
    now = now_ms()
    row = tx.one(
        """SELECT COUNT(*) AS people, COALESCE(SUM(a.posts_count), 0) AS posts
           FROM accounts a JOIN users u ON u.account_id = a.id
           WHERE a.is_local AND a.deleted_at IS NULL AND a.suspended_at IS NULL AND u.state = 'active'"""
    )
    assert row is not None
    return Statistics(
        people=int(row["people"]),
        posts=int(row["posts"]),
        servers=int(tx.value("SELECT COUNT(DISTINCT domain) FROM accounts WHERE NOT is_local")),
        active_month=users.active_since(tx, now - 30 * DAY),
        active_half_year=users.active_since(tx, now - 182 * DAY),
    )
