"""What one process remembers so as not to ask again: parsed keys, failures to find one, rendered documents.

Every table is bounded in rows and in time, because strangers choose what goes into most of them. Losing
all of it costs only speed. One `Memory` belongs to one node: `node.part(Memory)`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from activitypub.client.client import Unfetchable
from activitypub.signatures import PublicKey, SigningKey
from node.node import Node

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MINUTE = 60.0


class Bounded(Generic[K, V]):
    """A table that keeps at most `most` rows, each for at most `seconds`; the least recently used goes first."""

    def __init__(self, most: int, seconds: float) -> None:
        self._rows: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._most = most
        self._seconds = seconds

    def get(self, key: K) -> V | None:
        row = self._rows.get(key)
        if row is None:
            return None
        if row[0] < time.monotonic():
            del self._rows[key]
            return None
        self._rows.move_to_end(key)
        return row[1]

    def put(self, key: K, value: V, seconds: float | None = None) -> None:
        self._rows[key] = (time.monotonic() + (self._seconds if seconds is None else seconds), value)
        self._rows.move_to_end(key)
        while len(self._rows) > self._most:
            self._rows.popitem(last=False)

    def forget(self, key: K) -> None:
        self._rows.pop(key, None)

    def clear(self) -> None:
        self._rows.clear()

    def __len__(self) -> int:
        return len(self._rows)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A public key and whose it is. `host` is where the owner lives."""

    id: str
    key: PublicKey
    account_id: int
    owner: str
    host: str


class Memory:
    def __init__(self, node: Node) -> None:
        self.keys: Bounded[str, KnownKey] = Bounded(20_000, 60 * MINUTE)
        self.missing: Bounded[str, Unfetchable] = Bounded(20_000, 5 * MINUTE)
        self.silent: Bounded[str, Unfetchable] = Bounded(2_000, 1 * MINUTE)
        self.asked_again: Bounded[str, bool] = Bounded(5_000, 5 * MINUTE)
        self.signing: Bounded[int, tuple[int, SigningKey]] = Bounded(1_000, 60 * MINUTE)
        self.sentences: Bounded[tuple[int, int], bytes] = Bounded(500, 10 * MINUTE)
        self.gone: Bounded[str, bool] = Bounded(20_000, 60 * MINUTE)
        self.awake: Bounded[str, bool] = Bounded(20_000, 24 * 60 * MINUTE)
        self.compared: Bounded[int, str] = Bounded(5_000, 10 * MINUTE)
        self.named_in_vain: Bounded[tuple[str, str], bool] = Bounded(5_000, 30 * MINUTE)
        self.answers: Bounded[str, tuple[int, bytes]] = Bounded(2_000, 1.0)
        self._looking: dict[str, asyncio.Task[Any]] = {}

    async def once(self, name: str, look: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Join whoever is already looking for `name`, or look."""
        running: asyncio.Task[V] | None = self._looking.get(name)
        if running is None:
            running = self._looking[name] = asyncio.create_task(look())
            running.add_done_callback(lambda done: self._looked(name, done))
        # Shielded: the sender that left must not take the answer from the others who wait for it.
        return await asyncio.shield(running)

    def _looked(self, name: str, done: asyncio.Task[Any]) -> None:
        self._looking.pop(name, None)
        if not done.cancelled():
            done.exception()
