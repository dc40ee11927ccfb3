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

from activitypub.inbox.asgi import Scope, header
from activitypub.uris import Malformed, host_of
from node.cache import Cache
from node.ids import now_ms
from node.node import Node

SHARE = 50
RATE, BURST = 100.0, 300.0
MOST_HELD = 256
LONGEST_HOLD = 5.0  # seconds
LEAD_MS = 3_600_000
"""Places are given from an hour ago on, so that all of them are due."""

_KEY_ID = re.compile(r'keyid="([^"]{1,2048})"', re.IGNORECASE)


class Flood(Exception):
    """So many wait at the door that this one has to come again."""


class Turns:
    """One per process of a node: `node.part(Turns)`."""

    def __init__(self, node: Node) -> None:
        self._last: Cache[str, float] = Cache(5_000, 2 * LEAD_MS / 1000)
        self._left: Cache[str, tuple[float, float]] = Cache(5_000, 60.0)
        self._over: Cache[str, bool] = Cache(1_000, 10.0)
        self._held: Counter[str] = Counter()
        self._second = 0
        self._lately: Counter[str] = Counter()
        self._before: Counter[str] = Counter()

    def next(self, host: str) -> int:
        """The place in the queue of this server's next letter, as the time from which it may run."""
        now = now_ms()
        turn = max(float(now), (self._last.get(host) or 0.0) + 1000 / SHARE)
        self._last.put(host, turn)
        return int(min(turn, now + LEAD_MS)) - LEAD_MS

    def count(self, host: str) -> None:
        """A letter of this server was let in."""
        second = int(time.monotonic())
        if second != self._second:
            self._before = self._lately if second == self._second + 1 else Counter()
            self._lately, self._second = Counter(), second
        self._lately[host] += 1
        if self._left_to(host, 1.0) < 0:
            self._over.put(host, True)

    async def hold(self, scope: Scope) -> None:
        """Let a server wait that sends more than its share. Raises Flood."""
        if not len(self._over):
            return
        host = sender(scope)
        if not self._over.get(host) or not self._prevails(host):
            return
        # Behind those that wait already: let in all at once, they would be what others wait for.
        wait = (self._held[host] - self._left_to(host, 0.0)) / RATE
        if wait <= 0:
            self._over.forget(host)
            return
        if self._held[host] >= MOST_HELD:
            raise Flood
        self._held[host] += 1
        try:
            await asyncio.sleep(min(wait, LONGEST_HOLD))
            if wait > LONGEST_HOLD:
                raise Flood
        finally:
            self._held[host] -= 1
            if not self._held[host]:
                del self._held[host]

    def _prevails(self, host: str) -> bool:
        """Whether there are others, and this one has sent more than all of them in the last moments."""
        own = self._lately[host] + self._before[host]
        others = self._lately.total() + self._before.total() - own
        return 0 < others < own

    def _left_to(self, host: str, less: float) -> float:
        now = time.monotonic()
        then, left = self._left.get(host) or (now, BURST)
        left = min(BURST, left + (now - then) * RATE) - less
        self._left.put(host, (now, left))
        return left


def sender(scope: Scope) -> str:
    """The server that a request says it comes from. Nothing is believed of it yet."""
    said = header(scope, b"signature-input") or header(scope, b"signature") or ""
    found = _KEY_ID.search(said)
    try:
        return host_of(found[1]) if found else ""
    except Malformed:
        return ""
