"""Caches the trending hashtags of a node. Owns no table; `posts.hashtags` computes them.

Pages and the client API call it. Computing trends reads every use of a hashtag in the last days, so all callers in a
process share one list for two minutes.
"""

from __future__ import annotations

from node.cache import Cache
from node.database import Reader
from node.node import Node
from node.posts import hashtags
from node.posts.hashtags import TrendingHashtag

CACHE_TTL_SECONDS = 2 * 60.0
MAX_TRENDS = 40


class TrendCache:
    """The trends of one node: `node.component(TrendCache)`."""

    def __init__(self, node: Node) -> None:
        self._cache: Cache[bool, list[TrendingHashtag]] = Cache(2, CACHE_TTL_SECONDS)

    def current(self, tx: Reader, limit: int = 10, *, only_local: bool = False) -> list[TrendingHashtag]:
        """Returns the result of `hashtags.trending`, at most two minutes old. An empty result is not cached.

        `limit` may be up to `MAX_TRENDS`.
        """
        trends = self._cache.get(only_local)
        if trends is None:
            trends = hashtags.trending(tx, MAX_TRENDS, only_local=only_local)
            if trends:
                self._cache.put(only_local, trends)
        return trends[:limit]
