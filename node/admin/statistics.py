"""Counts how large the node is, for NodeInfo, the client API and the about page. Owns no table.

All callers in a process share the numbers for ten minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.auth import users
from node.cache import Cache
from node.database import Reader
from node.ids import now_ms
from node.node import Node

DAY_MS = 24 * 3_600_000
CACHE_TTL_SECONDS = 10 * 60.0


@dataclass(frozen=True, slots=True)
class Statistics:
    """`people` and `posts` are local; `servers` have at least one account known to this node.

    `active_month` and `active_half_year` count local users who came back within 30 and 182 days.
    """

    people: int
    posts: int
    servers: int
    active_month: int
    active_half_year: int


def current(tx: Reader) -> Statistics:
    """Computes the numbers from the accounts and their stored counts, never from the large table of posts."""
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
        servers=_count_servers(tx),
        active_month=users.count_active_since(tx, now - 30 * DAY_MS),
        active_half_year=users.count_active_since(tx, now - 182 * DAY_MS),
    )


def _count_servers(tx: Reader) -> int:
    """Counts the domains of remote accounts by leaping from one to the next: an index lookup for each, not for each
    account."""
    return int(
        tx.value(
            """WITH RECURSIVE domains (domain) AS (
                   SELECT MIN(domain) FROM accounts WHERE NOT is_local
                   UNION ALL SELECT (SELECT MIN(a.domain) FROM accounts a WHERE NOT a.is_local AND a.domain > d.domain)
                   FROM domains d WHERE d.domain IS NOT NULL)
               SELECT COUNT(domain) FROM domains"""
        )
    )


class StatisticsCache:
    """The statistics of one node: `node.component(StatisticsCache)`."""

    def __init__(self, node: Node) -> None:
        self._cache: Cache[str, Statistics] = Cache(1, CACHE_TTL_SECONDS)

    def current(self, tx: Reader) -> Statistics:
        """Returns the numbers, at most ten minutes old."""
        found = self._cache.get("")
        if found is None:
            found = current(tx)
            self._cache.put("", found)
        return found
