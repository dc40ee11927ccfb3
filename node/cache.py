"""What a process keeps so as not to work it out again: one class for every cache of the node.

Losing all of it costs only speed. A cache is bounded in rows, because strangers choose what goes into most of
them, and in time where the world may change behind its back.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Keeps at most `max_size` values, each for at most `ttl` seconds; the least recently used goes first.

    None is not a value: it says that nothing is kept. Threads may share a cache. Each step is one call into a
    dict, and a row that another thread has taken away between two of them is simply not there any more.
    """

    __slots__ = ("_max_size", "_now", "_rows", "_ttl")

    def __init__(
        self, max_size: int, ttl: float = math.inf, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._rows: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._max_size = max_size
        self._ttl = ttl
        self._now = now

    def get(self, key: K) -> V | None:
        row = self._rows.get(key)
        if row is None:
            return None
        if row[0] <= self._now():
            self._rows.pop(key, None)
            return None
        try:  # noqa: SIM105 - this is the everyday path, and `suppress` costs more than the rest of it
            self._rows.move_to_end(key)
        except KeyError:
            pass
        return row[1]

    def put(self, key: K, value: V, ttl: float | None = None) -> None:
        """Keep a value, for `ttl` seconds if that is given instead of the time of the whole cache."""
        rows = self._rows
        rows[key] = (self._now() + (self._ttl if ttl is None else ttl), value)
        try:
            rows.move_to_end(key)
            while len(rows) > self._max_size:
                rows.popitem(last=False)
        except KeyError:
            pass

    def forget(self, key: K) -> None:
        self._rows.pop(key, None)

    def clear(self) -> None:
        self._rows.clear()

    def __len__(self) -> int:
        """How many rows are held, those whose time is over included until somebody asks for them."""
        return len(self._rows)
