"""Activities of other servers that were already acted on. Owns `seen_activities`.

Servers repeat themselves: after a lost answer, through a second inbox, in a replay. Only a 64-bit hash of
the id is kept, for some months; at ten million rows the chance that a new activity is taken for an old
one is one in a million million.
"""

from __future__ import annotations

import hashlib

from node.database import Writer
from node.ids import now_ms

KEPT_MS = 120 * 24 * 3600 * 1000


def first_time(tx: Writer, uri: str) -> bool:
    """Whether this activity is heard for the first time; from now on it is not."""
    return (
        tx.run(
            "INSERT INTO seen_activities (hash, seen_at) VALUES (:hash, :now) ON CONFLICT DO NOTHING",
            hash=_hash(uri),
            now=now_ms(),
        )
        == 1
    )


def forget(tx: Writer, uri: str) -> None:
    """It was not acted on after all: when it comes again, it is new."""
    tx.run("DELETE FROM seen_activities WHERE hash = :hash", hash=_hash(uri))


def clean_up(tx: Writer, now: int) -> int:
    """Forget what nobody will repeat any more."""
    return tx.run("DELETE FROM seen_activities WHERE seen_at < :before", before=now - KEPT_MS)


def _hash(uri: str) -> int:
    return int.from_bytes(hashlib.blake2b(uri.encode(errors="replace"), digest_size=8).digest(), signed=True)
