"""Which received activities were already acted on, to drop duplicates. Owns the table `seen_activities`.

Servers send an activity more than once: after a lost response, through a second inbox, in a replay. Only a
64-bit hash of its id is kept, for `RETENTION_MS`; at ten million rows the chance that a new activity is taken
for a duplicate is one in a million million.

Many servers derive the id of a Follow or a Like from the two it joins, so that they use it again after an Undo.
What such an activity does is decided by what stands, and its id by itself proves nothing. But a request that
somebody recorded and sends again carries the time it was signed at, and that no one else can change: under
one id, only a request signed later than the last one is acted on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from node.database import Writer
from node.ids import now_ms

RETENTION_MS = 120 * 24 * 3600 * 1000
SAME_SECOND_MS = 5000
"""Signatures are dated to the second: this long after the first, another of the same second may be a new request."""

_ROWS_AT_ONCE = 64


class UnseenActivities:
    """Which activities of one unit of work are received for the first time. Made by `unseen_activities`."""

    def __init__(self, tx: Writer, new: dict[int, int]) -> None:
        self._tx = tx
        self._new = new

    def is_duplicate(self, uri: str, signed_at: int = 0, *, is_repeatable: bool = False) -> bool:
        """Returns whether this activity was acted on already.

        Of one that is repeatable, whose id may be used again, only if it was signed no later than it was then.
        """
        hash_ = _hash(uri)
        if hash_ in self._new:
            return False
        row = self._tx.one("SELECT seen_at, signed_at FROM seen_activities WHERE hash = :hash", hash=hash_)
        if row is None or not is_repeatable:
            return row is not None
        if signed_at != row["signed_at"]:
            return bool(signed_at < row["signed_at"])
        return bool(now_ms() - row["seen_at"] > SAME_SECOND_MS)

    def mark_seen(self, uri: str, signed_at: int = 0) -> None:
        """Marks an activity as acted on, by a request that was signed at this time (seconds)."""
        hash_ = _hash(uri)
        if self._new.pop(hash_, None) != signed_at:
            self._mark(hash_, signed_at, now_ms())

    def _mark(self, hash_: int, signed_at: int, seen_at: int) -> None:
        self._tx.run(
            """INSERT INTO seen_activities (hash, seen_at, signed_at) VALUES (:hash, :seen_at, :signed_at)
               ON CONFLICT (hash) DO UPDATE SET seen_at = excluded.seen_at, signed_at = excluded.signed_at""",
            hash=hash_,
            seen_at=seen_at,
            signed_at=signed_at,
        )

    def withdraw(self, uri: str, signed_at: int, *, has_arrived: bool = False) -> None:
        """Makes an activity a duplicate that was signed before its Undo, at this time, and arrives after it.

        One that has not arrived yet, as far as is known, is also one that was signed in the same second: what is
        undone at once is mostly overtaken. Whatever is signed later counts, under the same id too.
        """
        hash_ = _hash(uri)
        row = None
        if hash_ not in self._new:
            row = self._tx.one(
                "SELECT seen_at, signed_at FROM seen_activities WHERE hash = :hash", hash=hash_
            )
        if row is not None:
            # An Undo that comes twice does not open the second again that the first one has closed.
            seen_at = now_ms() if has_arrived else row["seen_at"]
            self._mark(hash_, max(signed_at, row["signed_at"]), seen_at)
        elif has_arrived:
            self.mark_seen(uri, signed_at)
        else:
            self._new.pop(hash_, None)
            self._mark(hash_, signed_at, now_ms() - SAME_SECOND_MS - 1)


@contextmanager
def unseen_activities(tx: Writer, signed_at: Mapping[str, int]) -> Iterator[UnseenActivities]:
    """Prepares `mark_seen` for many activities in few statements; those that are never marked stay new.

    `signed_at` holds the time (seconds) at which each was signed, by its key.
    """
    times = {_hash(uri): seconds for uri, seconds in signed_at.items()}
    hashes = sorted(times)
    new: dict[int, int] = {}
    for start in range(0, len(hashes), _ROWS_AT_ONCE):
        inserted = _insert(tx, hashes[start : start + _ROWS_AT_ONCE], times)
        new |= {hash_: times[hash_] for hash_ in inserted}
    yield UnseenActivities(tx, new)
    if new:
        tx.run("DELETE FROM seen_activities WHERE hash IN (:hashes)", hashes=list(new))


def _insert(tx: Writer, hashes: list[int], times: Mapping[int, int]) -> set[int]:
    """Inserts hashes; returns those that were not there."""
    # Few shapes of statement, so that each is prepared once: the last is repeated up to a power of two.
    size = 1 << (len(hashes) - 1).bit_length()
    filled = hashes + hashes[-1:] * (size - len(hashes))
    values = {f"hash_{n}": hash_ for n, hash_ in enumerate(filled)}
    values |= {f"signed_{n}": times[hash_] for n, hash_ in enumerate(filled)}
    places = ", ".join(f"(:hash_{n}, :now, :signed_{n})" for n in range(size))
    rows = tx.all(
        f"""INSERT INTO seen_activities (hash, seen_at, signed_at) VALUES {places}
            ON CONFLICT DO NOTHING RETURNING hash""",  # noqa: S608
        **values,
        now=now_ms(),
    )
    return {row["hash"] for row in rows}


def clean_up(tx: Writer, now: int) -> int:
    """Deletes hashes older than `RETENTION_MS`; returns how many."""
    return tx.run(
        """DELETE FROM seen_activities WHERE hash IN (
               SELECT hash FROM seen_activities WHERE seen_at < :before ORDER BY seen_at LIMIT 500)""",
        before=now - RETENTION_MS,
    )


def _hash(uri: str) -> int:
    return int.from_bytes(hashlib.blake2b(uri.encode(errors="replace"), digest_size=8).digest(), signed=True)
