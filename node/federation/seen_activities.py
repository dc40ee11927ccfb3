"""Which received activities were already acted on, to drop duplicates. Owns the table `seen_activities`.

Servers send an activity more than once: after a lost response, through a second inbox, in a replay. Only a
64-bit hash of its id is kept, for `RETENTION_MS`; at ten million rows the chance that a new activity is taken
for a duplicate is one in a million million.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from node.database import Writer
from node.ids import now_ms

RETENTION_MS = 120 * 24 * 3600 * 1000
_ROWS_AT_ONCE = 64


class UnseenActivities:
    """Which activities of one unit of work are received for the first time. Made by `unseen_activities`."""

    def __init__(self, tx: Writer, new: set[int]) -> None:
        self._tx = tx
        self._new = new

    def mark_seen(self, uri: str) -> bool:
        """Marks an activity as seen; True if it was not before."""
        hash_ = _hash(uri)
        if hash_ not in self._new:
            return bool(_insert(self._tx, [hash_]))
        self._new.remove(hash_)
        return True

    def unmark_seen(self, uri: str) -> None:
        """Forgets that an activity was seen, because it was not acted on:
        when it is received again, it counts as new."""
        self._new.add(_hash(uri))


@contextmanager
def unseen_activities(tx: Writer, uris: Iterable[str]) -> Iterator[UnseenActivities]:
    """Prepares `mark_seen` for many activities in few statements; those that are never marked stay new."""
    hashes = sorted({_hash(uri) for uri in uris})
    new: set[int] = set()
    for start in range(0, len(hashes), _ROWS_AT_ONCE):
        new |= _insert(tx, hashes[start : start + _ROWS_AT_ONCE])
    yield UnseenActivities(tx, new)
    if new:
        tx.run("DELETE FROM seen_activities WHERE hash IN (:hashes)", hashes=new)


def _insert(tx: Writer, hashes: list[int]) -> set[int]:
    """Inserts hashes; returns those that were not there."""
    # Few shapes of statement, so that each is prepared once: the last is repeated up to a power of two.
    size = 1 << (len(hashes) - 1).bit_length()
    values = {f"hash_{n}": hashes[min(n, len(hashes) - 1)] for n in range(size)}
    places = ", ".join(f"(:hash_{n}, :now)" for n in range(size))
    rows = tx.all(
        f"""INSERT INTO seen_activities (hash, seen_at) VALUES {places}
            ON CONFLICT DO NOTHING RETURNING hash""",  # noqa: S608
        **values,
        now=now_ms(),
    )
    return {row["hash"] for row in rows}


def clean_up(tx: Writer, now: int) -> int:
    """Deletes hashes older than `RETENTION_MS`; returns how many."""
    return tx.run("DELETE FROM seen_activities WHERE seen_at < :before", before=now - RETENTION_MS)


def _hash(uri: str) -> int:
    return int.from_bytes(hashlib.blake2b(uri.encode(errors="replace"), digest_size=8).digest(), signed=True)
