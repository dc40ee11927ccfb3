"""Limits how often something may be tried. Owns `attempts`.

Two windows, the running one and the share of the one before that still counts, make a sliding limit
from two rows. Keys hold IP addresses of people, so only a keyed hash of them is kept.
"""

from __future__ import annotations

import hmac
import ipaddress

from node.database import Reader, Writer
from node.errors import TooManyRequests
from node.ids import now_ms

RETENTION_MS = 24 * 60 * 60 * 1000


def count_attempt(tx: Writer, key: str, *, limit: int, seconds: int) -> None:
    """Counts one attempt; raises TooManyRequests when there have been more than `limit` in `seconds`.

    Use a unit of work of its own: one that fails later would roll the attempt back.
    """
    now = now_ms()
    length = seconds * 1000
    window = now - now % length
    hashed = _hash_key(tx, key)
    current = tx.value(
        """INSERT INTO attempts (key, window_at, count) VALUES (:key, :window, 1)
           ON CONFLICT (key, window_at) DO UPDATE SET count = attempts.count + 1 RETURNING count""",
        key=hashed,
        window=window,
    )
    before = (
        tx.value(
            "SELECT count FROM attempts WHERE key = :key AND window_at = :window",
            key=hashed,
            window=window - length,
        )
        or 0
    )
    if current + before * (length - (now - window)) / length > limit:
        wait = max(1, (window + length - now + 999) // 1000)
        raise TooManyRequests(
            f"That was too often. Please try again in {_format_duration(wait)}.", retry_after=wait, detail=key
        )


def count_quietly(tx: Writer, key: str, *, limit: int, seconds: int) -> bool:
    """Counts one attempt; returns whether there have been no more than `limit` in `seconds`."""
    try:
        count_attempt(tx, key, limit=limit, seconds=seconds)
    except TooManyRequests:
        return False
    return True


def reset(tx: Writer, key: str) -> None:
    """Forgets the attempts under a key: the last one succeeded."""
    tx.run("DELETE FROM attempts WHERE key = :key", key=_hash_key(tx, key))


def client_network(address: str) -> str:
    """Returns the network that counts as one client: an IPv4 address, or the /64 that one IPv6 household has.

    What is not an address, such as the name of a Unix socket, stays as it is.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))


def clean_up(tx: Writer, now: int) -> int:
    """Deletes attempts that no limit reads any more."""
    return tx.run(
        """DELETE FROM attempts WHERE (key, window_at) IN (SELECT key, window_at FROM attempts
               WHERE window_at < :before OR window_at > :after LIMIT 500)""",
        before=now - RETENTION_MS,
        after=now + RETENTION_MS,
    )


def _hash_key(tx: Reader, key: str) -> str:
    return hmac.digest(tx.site.subkey("limits"), key.encode(), "sha256").hex()[:32]


def _format_duration(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    minutes = (seconds + 59) // 60
    return f"{minutes} minutes" if minutes < 90 else f"{(minutes + 59) // 60} hours"
