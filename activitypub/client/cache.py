"""What one process remembers so as not to ask again: parsed keys, failures to find one, rendered documents.

One `Memory` belongs to one node: `node.part(Memory)`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from activitypub.client.client import Unfetchable
from activitypub.signatures import PublicKey, SigningKey
from node.cache import Cache
from node.node import Node

V = TypeVar("V")

MINUTE = 60.0


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
        self.keys: Cache[str, KnownKey] = Cache(20_000, 60 * MINUTE)
        self.missing: Cache[str, Unfetchable] = Cache(20_000, 5 * MINUTE)
        self.silent: Cache[str, Unfetchable] = Cache(2_000, 1 * MINUTE)
        self.asked_again: Cache[str, bool] = Cache(5_000, 5 * MINUTE)
        self.signing: Cache[int, tuple[int, SigningKey]] = Cache(1_000, 60 * MINUTE)
        self.sentences: Cache[tuple[int, int], bytes] = Cache(500, 10 * MINUTE)
        self.gone: Cache[str, bool] = Cache(20_000, 60 * MINUTE)
        self.awake: Cache[str, bool] = Cache(20_000, 24 * 60 * MINUTE)
        self.compared: Cache[int, str] = Cache(5_000, 10 * MINUTE)
        self.named_in_vain: Cache[tuple[str, str], bool] = Cache(5_000, 30 * MINUTE)
        self.answers: Cache[str, tuple[int, bytes]] = Cache(2_000, 1.0)
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
