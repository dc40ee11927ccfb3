"""The tags of the moment as this process last worked them out. Owns no table.

Working them out reads every use of the last days, so whoever shows them shares one list for a while.
"""

from __future__ import annotations

from node.database import Reader
from node.ids import now_ms
from node.node import Node
from node.posts import hashtags
from node.posts.hashtags import Trend

KEPT_MS = 2 * 60_000
MOST = 40


class Trends:
    """One node's trends: `node.part(Trends)`."""

    def __init__(self, node: Node) -> None:
        self._kept: dict[bool, tuple[int, list[Trend]]] = {}

    def now(self, tx: Reader, limit: int = 10, *, only_local: bool = False) -> list[Trend]:
        """As `hashtags.trending`, at most two minutes old."""
        made_at, found = self._kept.get(only_local, (0, []))
        now = now_ms()
        if not found or not 0 <= now - made_at < KEPT_MS:
            found = hashtags.trending(tx, MOST, only_local=only_local, now=now)
            self._kept[only_local] = (now, found)
        return found[:limit]
