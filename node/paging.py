"""Pages of rows by id, newest first: how every list of this node is read.

`max_id` is the exclusive upper bound, `since_id` the lower one (the newest page above it) and `min_id`
the lower one when reading upwards (the page just above it). Without bounds it is the newest page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from node.ids import MAX_ID

T = TypeVar("T")

MAX_LIMIT = 80


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list: ids are exclusive bounds, None or 0 is no bound; `limit` is 1–80 rows."""

    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None
    limit: int = 20

    @property
    def values(self) -> dict[str, Any]:
        """The values that `clause` names."""
        return {
            "page_below": min(self.max_id or MAX_ID, MAX_ID),
            "page_above": min(max(self.min_id or 0, self.since_id or 0, 0), MAX_ID),
            "page_limit": max(1, min(self.limit, MAX_LIMIT)),
        }

    def clause(self, column: str) -> str:
        """Returns the SQL after a `WHERE …`: both bounds, order and limit.

        Rows then go through `newest_first`.
        """
        order = "ASC" if self.min_id else "DESC"
        return f"AND {column} < :page_below AND {column} > :page_above ORDER BY {column} {order} LIMIT :page_limit"

    def newest_first(self, rows: Sequence[T]) -> list[T]:
        """Returns the rows newest first, whichever way they were read."""
        return list(reversed(rows)) if self.min_id else list(rows)
