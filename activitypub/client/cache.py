"""In-memory caches of the federation code: parsed keys, failed key fetches, rendered documents, gone inboxes.

One `FederationCache` belongs to one node and one process: `node.component(FederationCache)`. Every cache is
bounded in entries and in time; nothing in it is the only copy.
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

MINUTE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A public key with its owner: `owner` is the uri of the actor, `host` the domain of that uri."""

    id: str
    key: PublicKey
    account_id: int
    owner: str
    host: str


class FederationCache:
    """The caches of one node, and the fetches that are under way; sizes are in entries, times in seconds."""

    def __init__(self, node: Node) -> None:
        self.keys: Cache[str, KnownKey] = Cache(20_000, 60 * MINUTE_SECONDS)
        self.key_failures: Cache[str, Unfetchable] = Cache(20_000, 5 * MINUTE_SECONDS)
        self.unavailable_key_hosts: Cache[str, Unfetchable] = Cache(2_000, 1 * MINUTE_SECONDS)
        self.refetched_keys: Cache[str, bool] = Cache(5_000, 5 * MINUTE_SECONDS)
        self.signing_keys: Cache[int, tuple[int, SigningKey]] = Cache(1_000, 60 * MINUTE_SECONDS)
        self.rendered_activities: Cache[tuple[int, int], bytes] = Cache(500, 10 * MINUTE_SECONDS)
        self.gone_inboxes: Cache[str, bool] = Cache(20_000, 60 * MINUTE_SECONDS)
        self.available_hosts: Cache[str, bool] = Cache(20_000, 24 * 60 * MINUTE_SECONDS)
        self.checked_digests: Cache[int, str] = Cache(5_000, 10 * MINUTE_SECONDS)
        self.unconfirmed_domains: Cache[tuple[str, str], bool] = Cache(5_000, 30 * MINUTE_SECONDS)
        self.responses: Cache[str, tuple[int, bytes]] = Cache(2_000, 1.0)
        self._in_flight: dict[str, asyncio.Task[Any]] = {}

    async def run_once(self, name: str, fetch: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Returns the result of the fetch called `name`: of the one under way, or else of a new one.

        Concurrent callers with the same name cause one request.
        """
        running: asyncio.Task[V] | None = self._in_flight.get(name)
        if running is None:
            running = self._in_flight[name] = asyncio.create_task(fetch())
            running.add_done_callback(lambda done: self._finish(name, done))
        # Shielded: a cancelled caller must not cancel the fetch that others wait for.
        return await asyncio.shield(running)

    def _finish(self, name: str, done: asyncio.Task[Any]) -> None:
        self._in_flight.pop(name, None)
        if not done.cancelled():
            done.exception()
