"""Counts the committed changes that a visitor may notice, so that what is kept of public pages can be dropped.

A statement counts unless all it writes to is a table that no public page shows. So a table that is added later counts
until somebody has decided that it does not.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable

# No page or document that visitors can fetch is made from these.
PRIVATE_TABLES = frozenset(
    (
        "apps",
        "attempts",
        "audit_log",
        "block_list_entries",
        "block_lists",
        "bookmarks",
        "cached_hosts",
        "cached_media",
        "deliveries",
        "feed",
        "followed_hashtags",
        "hosts",
        "idempotency_keys",
        "invites",
        "jobs",
        "lanes",
        "markers",
        "notifications",
        "outbox",
        "report_posts",
        "reports",
        "seen_activities",
        "sessions",
        "severed_follows",
        "tokens",
        "uploads",
    )
)

_WRITTEN = re.compile(
    r"(?<!\bFOR )\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+([a-z_][a-z0-9_]*)", re.IGNORECASE
)
_NOT_TABLES = frozenset(("set",))  # ON CONFLICT … DO UPDATE SET


class PublicChanges:
    """The number of changes committed by this process. Threads may share it."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.version = 0

    def record(self) -> None:
        """Notes that something public has changed; called after the commit."""
        self.version = next(self._numbers)


@functools.lru_cache(maxsize=4096)
def is_public_change(sql: str) -> bool:
    """Returns whether a statement writes to a table that a public page may show."""
    return bool(written_tables(sql) - PRIVATE_TABLES)


def written_tables(sql: str) -> frozenset[str]:
    """Returns the tables that a statement writes to; for one that writes in a way unknown here, a name that
    no table has."""
    found: Iterable[str] = (name.lower() for name in _WRITTEN.findall(sql))
    tables = frozenset(found) - _NOT_TABLES
    return tables or (frozenset() if sql.lstrip()[:6].upper() == "SELECT" else frozenset(("?",)))
