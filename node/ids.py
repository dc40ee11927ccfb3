"""64-bit ids that sort by time: 48 bits of milliseconds since 1970 and 16 bits that make them unique.

Clients page by comparing ids, so a post received late still gets an id from the time it was published
(`id_at`). Ids are decimal integers everywhere and stay below 2**63.
"""

from __future__ import annotations

import os
import threading
import time

MAX_ID = 2**63 - 1
MAX_AHEAD_MS = 3_600_000
CLOCK_TOLERANCE_MS = 10 * 60_000  # by which the clocks of two processes of a node may differ

_lock = threading.Lock()
_last = 0


def now_ms() -> int:
    """Returns the milliseconds since 1970, UTC: the unit of every `…_at` column."""
    return time.time_ns() // 1_000_000


def has_passed(ms: int, since: int) -> bool:
    """Returns whether `ms` milliseconds have passed since a stored time.

    Also if that lies ahead, as after the clock was set forward and back: what is done periodically then waits for its
    period and not for a year.
    """
    now = now_ms()
    return not now - ms <= since <= now + CLOCK_TOLERANCE_MS


def new_id() -> int:
    """Returns an id greater than every id this process has returned before.

    Unless the clock is set back by more than `MAX_AHEAD_MS`: then ids go back with it, since one that is years ahead
    would stay above all that follow.
    """
    global _last
    with _lock:
        now = (now_ms() << 16) | (int.from_bytes(os.urandom(1)) << 4)
        _last = now if _last > now + (MAX_AHEAD_MS << 16) else max(_last + 1, now)
        return _last


def id_at(ms: int) -> int:
    """Returns an id that sorts with what happened at `ms`, never later than now."""
    ms = max(1, min(ms, now_ms()))
    return (ms << 16) | int.from_bytes(os.urandom(2))


def parse_id(text: str) -> int | None:
    """Parses an id from a URL or form; None for what cannot be one, because PostgreSQL would refuse to compare it."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 19):
        return None
    value = int(text)
    return value if value <= MAX_ID else None


def timestamp_ms(id_: int) -> int:
    """Returns the time that an id holds, in milliseconds since 1970."""
    return id_ >> 16
