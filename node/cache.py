"""The one class behind every cache in a process.

Losing a cache costs only speed. It is bounded in rows, because remote servers and visitors choose what goes into
most of them, and in time where the value may change without this process noticing.
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

    None is not a value: it means that nothing is kept. Threads may share a cache: each step is one call into a
    dict, and a row that another thread removes between two of them is simply missing.
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
        try:  # noqa: SIM105 - this is the hot path, and `suppress` costs more than the rest of it
            self._rows.move_to_end(key)
        except KeyError:
            pass
        return row[1]

    def put(self, key: K, value: V, ttl: float | None = None) -> None:
        """Keeps a value, for `ttl` seconds instead of the time of the whole cache if that is given."""
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
        """Returns the number of rows held; those that have expired count until the next `get` of their
        key."""
        return len(self._rows)
