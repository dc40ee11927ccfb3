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


class Found(list[T]):
    """The rows of a page, newest first, and where the list goes on.

    `older` is the `max_id` of the page below, None if nothing is there. `newer`, after reading upwards, is the `min_id`
    of the page above, None if it is not known. Both may be set on a page that is short or empty: reading ends after a
    number of rows, and not all that were looked at need be shown.
    """

    def __init__(self, rows: Sequence[T] = (), older: int | None = None, newer: int | None = None) -> None:
        super().__init__(rows)
        self.older = older
        self.newer = newer

    def replaced_by(self, rows: Sequence[Any]) -> Found[Any]:
        """Returns what was made of these rows, as the same page."""
        return Found(rows, self.older, self.newer)


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
            "page_limit": self.size,
        }

    @property
    def size(self) -> int:
        """The number of rows of a full page."""
        return max(1, min(self.limit, MAX_LIMIT))

    def clause(self, column: str) -> str:
        """Returns the SQL after a `WHERE …`: both bounds, order and limit.

        Rows then go through `newest_first`.
        """
        return f"{self.bounds(column)} ORDER BY {column} {self.order} LIMIT :page_limit"

    def bounds(self, column: str) -> str:
        """Returns the SQL of both bounds, after a `WHERE …`."""
        return f"AND {column} < :page_below AND {column} > :page_above"

    @property
    def order(self) -> str:
        """The SQL of the order in which the page is read."""
        return "ASC" if self.min_id else "DESC"

    def newest_first(self, rows: Sequence[T]) -> list[T]:
        """Returns the rows newest first, whichever way they were read."""
        return list(reversed(rows)) if self.min_id else list(rows)
