"""Challenges that a passkey signs: made here for one purpose, good for ten minutes, and used once. Owns no table.

A challenge is random, and carries when it ends and a MAC of both, so that nothing is stored while somebody only looks
at the sign-in page. That it was used is remembered for longer than it is good.
"""

from __future__ import annotations

import hmac
import secrets

from node import rate_limits
from node.database import Site, Writer
from node.errors import Invalid
from node.ids import now_ms

LIFETIME_SECONDS = 600
RANDOM_BYTES, TIME_BYTES, MAC_BYTES = 16, 6, 16
TOO_LATE = "That took too long. Please try again."


def make(site: Site, purpose: str) -> bytes:
    """Makes a challenge. The purpose names what it is for and, where that is known, for whom."""
    ends = now_ms() // 1000 + LIFETIME_SECONDS
    signed = secrets.token_bytes(RANDOM_BYTES) + ends.to_bytes(TIME_BYTES, "big")
    return signed + _mac(site, purpose, signed)


def check(site: Site, purpose: str, challenge: bytes) -> None:
    """Raises Invalid unless a challenge was made here for this purpose, and has not ended."""
    signed, mac = challenge[:-MAC_BYTES], challenge[-MAC_BYTES:]
    ends = int.from_bytes(signed[RANDOM_BYTES:], "big")
    if not hmac.compare_digest(_mac(site, purpose, signed), mac) or now_ms() // 1000 > ends:
        raise Invalid(TOO_LATE)


def use(tx: Writer, challenge: bytes) -> None:
    """Raises Invalid for a challenge that was used before."""
    key = f"challenge {challenge.hex()}"
    if not rate_limits.count_quietly(tx, key, limit=1, seconds=2 * LIFETIME_SECONDS):
        raise Invalid(TOO_LATE)


def _mac(site: Site, purpose: str, signed: bytes) -> bytes:
    return hmac.digest(site.subkey("passkey challenges"), purpose.encode() + signed, "sha256")[:MAC_BYTES]
