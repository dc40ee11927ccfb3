"""Shares the inbox fairly between sending servers, so that one that floods it delays no other.

Two things are shared. *Processing:* every activity gets a place in the queue as if its server had a lane of
LANE_RATE_PER_SECOND of its own, so the thousandth of one server stands behind the first of another that comes
ten seconds later; while no other server has work, a flood is processed as fast as it comes. *Requests:* while
others send too, a server that sends more than all of them together, and has sent more than ALLOWED_BURST
activities beyond ALLOWED_RATE_PER_SECOND, is held before its next body is read; after MAX_HOLD_SECONDS, or at
once while MAX_HELD requests wait already, it gets a 429. With an earlier 429, a server that ignores it would
only send more often. Only activities with a valid signature count, so nobody can use up another server's share.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter

from activitypub.asgi import Scope, header
from activitypub.uris import Malformed, host_of
from node.cache import Cache
from node.ids import now_ms
from node.node import Node

LANE_RATE_PER_SECOND = 50
ALLOWED_RATE_PER_SECOND, ALLOWED_BURST = 100.0, 300.0
MAX_HELD = 256
MAX_HOLD_SECONDS = 5.0
LEAD_MS = 3_600_000
"""Places start an hour ago, so that all of them are due."""

_KEY_ID = re.compile(r'keyid="([^"]{1,2048})"', re.IGNORECASE)


class RateExceeded(Exception):
    """The server sends too much: the request is to be answered with 429."""


class FairQueue:
    """One per process of a node: `node.component(FairQueue)`."""

    def __init__(self, node: Node) -> None:
        self._last_run_at: Cache[str, float] = Cache(5_000, 2 * LEAD_MS / 1000)
        self._tokens: Cache[str, tuple[float, float]] = Cache(5_000, 60.0)
        self._over_limit: Cache[str, bool] = Cache(1_000, 10.0)
        self._held: Counter[str] = Counter()
        self._second = 0
        self._this_second: Counter[str] = Counter()
        self._previous_second: Counter[str] = Counter()

    def next_run_at(self, host: str) -> int:
        """Returns the place in the queue of this server's next activity:
        the time from which it may run, in milliseconds."""
        now = now_ms()
        run_at = max(float(now), (self._last_run_at.get(host) or 0.0) + 1000 / LANE_RATE_PER_SECOND)
        self._last_run_at.put(host, run_at)
        return int(min(run_at, now + LEAD_MS)) - LEAD_MS

    def record_accepted(self, host: str) -> None:
        """Counts an activity of this server whose signature was valid."""
        second = int(time.monotonic())
        if second != self._second:
            self._previous_second = self._this_second if second == self._second + 1 else Counter()
            self._this_second, self._second = Counter(), second
        self._this_second[host] += 1
        if self._take_tokens(host, 1.0) < 0:
            self._over_limit.put(host, True)

    async def throttle(self, scope: Scope) -> None:
        """Holds a request of a server that sends more than its share. Raises RateExceeded."""
        if not len(self._over_limit):
            return
        host = claimed_host(scope)
        if not self._over_limit.get(host) or not self._sends_most(host):
            return
        # Behind those that wait already: released all at once, they would delay the others.
        wait = (self._held[host] - self._take_tokens(host, 0.0)) / ALLOWED_RATE_PER_SECOND
        if wait <= 0:
            self._over_limit.forget(host)
            return
        if self._held[host] >= MAX_HELD:
            raise RateExceeded
        self._held[host] += 1
        try:
            await asyncio.sleep(min(wait, MAX_HOLD_SECONDS))
            if wait > MAX_HOLD_SECONDS:
                raise RateExceeded
        finally:
            self._held[host] -= 1
            if not self._held[host]:
                del self._held[host]

    def _sends_most(self, host: str) -> bool:
        """Returns whether other servers send,
        and this one has sent more than all of them in the last two seconds."""
        own = self._this_second[host] + self._previous_second[host]
        others = self._this_second.total() + self._previous_second.total() - own
        return 0 < others < own

    def _take_tokens(self, host: str, count: float) -> float:
        """Takes tokens from the host's bucket; what is left, negative when over the limit."""
        now = time.monotonic()
        then, left = self._tokens.get(host) or (now, ALLOWED_BURST)
        left = min(ALLOWED_BURST, left + (now - then) * ALLOWED_RATE_PER_SECOND) - count
        self._tokens.put(host, (now, left))
        return left


def claimed_host(scope: Scope) -> str:
    """Returns the host of the key that a request names, unverified; "" if there is none."""
    signature = header(scope, b"signature-input") or header(scope, b"signature") or ""
    found = _KEY_ID.search(signature)
    try:
        return host_of(found[1]) if found else ""
    except Malformed:
        return ""
