"""Caches the trending hashtags of a node. Owns no table; `posts.hashtags` computes them.

Pages and the client API call it. Computing trends reads every use of a hashtag in the last days, so all callers in a
process share one list for two minutes.
"""

from __future__ import annotations

from node.database import Reader
from node.ids import now_ms
from node.node import Node
from node.posts import hashtags
from node.posts.hashtags import TrendingHashtag

CACHE_TTL_MS = 2 * 60_000
MAX_TRENDS = 40


class TrendCache:
    """The trends of one node: `node.component(TrendCache)`."""

    def __init__(self, node: Node) -> None:
        self._cache: dict[bool, tuple[int, list[TrendingHashtag]]] = {}

    def current(self, tx: Reader, limit: int = 10, *, only_local: bool = False) -> list[TrendingHashtag]:
        """Returns the result of `hashtags.trending`, at most two minutes old. An empty result is not cached.

        `limit` may be up to `MAX_TRENDS`.
        """
        computed_at, trends = self._cache.get(only_local, (0, []))
        now = now_ms()
        if not trends or not 0 <= now - computed_at < CACHE_TTL_MS:
            trends = hashtags.trending(tx, MAX_TRENDS, only_local=only_local, now=now)
            self._cache[only_local] = (now, trends)
        return trends[:limit]
