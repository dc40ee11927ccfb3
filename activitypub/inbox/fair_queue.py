"""Fair turns for what other servers send, so that one that floods us delays no other.

Two things are shared out by server. *Work:* every letter gets a place in the queue as if its server had a lane
of `SHARE` letters a second of its own, so the thousandth of one server stands behind the first of another
that comes ten seconds later; when nobody else has work, a flood is done as fast as it comes. *The door:*
while others send too, a server that sends more than all of them together, and has sent more than `BURST`
letters beyond `RATE` a second, waits before the next one is even read; after `LONGEST_HOLD`, or at once beyond
`MOST_HELD` waiting, it is told to come again. Told sooner, one that does not listen would only ask more often.
Only letters with a valid signature count, so nobody can use up somebody else's share.
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
MAX_HOLD_SECONDS = 5.0  # seconds
LEAD_MS = 3_600_000
"""Places are given from an hour ago on, so that all of them are due."""

_KEY_ID = re.compile(r'keyid="([^"]{1,2048})"', re.IGNORECASE)


class RateExceeded(Exception):
    """So many wait at the door that this one has to come again."""


class FairQueue:
    """One per process of a node: `node.part(Turns)`."""

    def __init__(self, node: Node) -> None:
        self._last_run_at: Cache[str, float] = Cache(5_000, 2 * LEAD_MS / 1000)
        self._tokens: Cache[str, tuple[float, float]] = Cache(5_000, 60.0)
        self._over_limit: Cache[str, bool] = Cache(1_000, 10.0)
        self._held: Counter[str] = Counter()
        self._second = 0
        self._this_second: Counter[str] = Counter()
        self._previous_second: Counter[str] = Counter()

    def next_run_at(self, host: str) -> int:
        """The place in the queue of this server's next letter, as the time from which it may run."""
        now = now_ms()
        turn = max(float(now), (self._last_run_at.get(host) or 0.0) + 1000 / LANE_RATE_PER_SECOND)
        self._last_run_at.put(host, turn)
        return int(min(turn, now + LEAD_MS)) - LEAD_MS

    def record_accepted(self, host: str) -> None:
        """A letter of this server was let in."""
        second = int(time.monotonic())
        if second != self._second:
            self._previous_second = self._this_second if second == self._second + 1 else Counter()
            self._this_second, self._second = Counter(), second
        self._this_second[host] += 1
        if self._take_tokens(host, 1.0) < 0:
            self._over_limit.put(host, True)

    async def throttle(self, scope: Scope) -> None:
        """Let a server wait that sends more than its share. Raises Flood."""
        if not len(self._over_limit):
            return
        host = claimed_host(scope)
        if not self._over_limit.get(host) or not self._sends_most(host):
            return
        # Behind those that wait already: let in all at once, they would be what others wait for.
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
        """Whether there are others, and this one has sent more than all of them in the last moments."""
        own = self._this_second[host] + self._previous_second[host]
        others = self._this_second.total() + self._previous_second.total() - own
        return 0 < others < own

    def _take_tokens(self, host: str, less: float) -> float:
        now = time.monotonic()
        then, left = self._tokens.get(host) or (now, ALLOWED_BURST)
        left = min(ALLOWED_BURST, left + (now - then) * ALLOWED_RATE_PER_SECOND) - less
        self._tokens.put(host, (now, left))
        return left


def claimed_host(scope: Scope) -> str:
    """The server that a request says it comes from. Nothing is believed of it yet."""
    said = header(scope, b"signature-input") or header(scope, b"signature") or ""
    found = _KEY_ID.search(said)
    try:
        return host_of(found[1]) if found else ""
    except Malformed:
        return ""
