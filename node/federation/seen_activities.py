"""Which received activities were already acted on, and in which order. Owns the table `seen_activities`.

Servers send an activity more than once: after a lost response, through a second inbox, in a replay. Only a
64-bit hash of its id is kept, for `RETENTION_MS`; at ten million rows the chance that a new activity is taken
for a duplicate is one in a million million.

Many servers derive the id of a Follow or a Like from the two it joins, so that they use it again after an Undo.
Its id by itself proves nothing then. But a request that somebody recorded and sends again carries the time it was
signed at, and that no one else can change. So each key holds the latest such time, and only what was signed later
counts. One kind of key is an id. The other is a relation, for example that one account follows another, whatever ids
it is given: an activity older than the last one that set or ended it does nothing, in whatever order they arrive.

Signatures are dated to the second. Within one:
- What differs from the last request under an id counts: two edits, or a Follow after the Undo of an older Follow.
- What is the same, content and second, is a replay. A server signs Follow, Undo, Follow with one id in one second into
  the same bytes as a replay of the first (RSA and Ed25519 add nothing random), so the last Follow has no effect. Its
  sender can follow again a second later; the other choice would let whoever has recorded a request make a follower of
  somebody who left.
- An Undo ends what was signed in its own second, and if nothing is there to end, what arrives later with that second
  is what it has overtaken (`supersede` with the next second).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from node.database import Row, Writer
from node.ids import now_ms

RETENTION_MS = 120 * 24 * 3600 * 1000

_ROWS_AT_ONCE = 64


class SeenRequest(NamedTuple):
    """When a request was signed (seconds), and a hash of its content if its id may be used again."""

    signed_at: int = 0
    content: int = 0


_UNDATED = SeenRequest()


class UnseenActivities:
    """Which activities of one unit of work are received for the first time. Made by `unseen_activities`."""

    def __init__(self, tx: Writer, new: dict[int, SeenRequest]) -> None:
        self._tx = tx
        self._new = new

    def is_duplicate(self, uri: str, request: SeenRequest = _UNDATED, *, is_repeatable: bool = False) -> bool:
        """Returns whether this activity was acted on already.

        One that is repeatable, whose id may be used again, is no duplicate if it was signed later, or in the same
        second with another content.
        """
        hash_ = hash_of(uri)
        row = self._row(hash_)
        if row is None or not is_repeatable:
            return row is not None
        if request.signed_at != row["signed_at"]:
            return bool(request.signed_at < row["signed_at"])
        if request.content == row["content"]:
            return True
        return self._row(_hash_in_second(hash_, request)) is not None

    def mark_seen(self, uri: str, request: SeenRequest = _UNDATED) -> None:
        """Marks an activity as acted on, by this request."""
        hash_ = hash_of(uri)
        row = self._row(hash_)
        if self._new.pop(hash_, None) == request:
            return
        if row is not None and row["content"] and row["signed_at"] == request.signed_at:
            before = SeenRequest(row["signed_at"], row["content"])
            self._mark(_hash_in_second(hash_, before), before)
        self._mark(hash_, request)

    def is_outdated(self, key: str, signed_at: int) -> bool:
        """Returns whether something was recorded under a key that was signed later."""
        row = self._row(hash_of(key))
        return row is not None and bool(row["signed_at"] > signed_at)

    def supersede(self, key: str, signed_at: int) -> None:
        """Makes everything under a key outdated, or a duplicate, that was signed before this time."""
        hash_ = hash_of(key)
        row = self._row(hash_)
        if self._new.pop(hash_, None) == (signed_at, 0):
            return
        if row is None or row["signed_at"] < signed_at:
            self._mark(hash_, SeenRequest(signed_at))

    def _row(self, hash_: int) -> Row | None:
        if hash_ in self._new:
            return None
        return self._tx.one("SELECT signed_at, content FROM seen_activities WHERE hash = :hash", hash=hash_)

    def _mark(self, hash_: int, request: SeenRequest) -> None:
        self._tx.run(
            """INSERT INTO seen_activities (hash, seen_at, signed_at, content)
               VALUES (:hash, :seen_at, :signed_at, :content)
               ON CONFLICT (hash) DO UPDATE SET
                   seen_at = excluded.seen_at, signed_at = excluded.signed_at, content = excluded.content""",
            hash=hash_,
            seen_at=now_ms(),
            signed_at=request.signed_at,
            content=request.content,
        )


@contextmanager
def unseen_activities(tx: Writer, requests: Mapping[str, SeenRequest]) -> Iterator[UnseenActivities]:
    """Prepares `mark_seen` and `supersede` for many keys in few statements; those that are never marked stay new."""
    prepared = {hash_of(key): request for key, request in requests.items()}
    hashes = sorted(prepared)
    new: dict[int, SeenRequest] = {}
    for start in range(0, len(hashes), _ROWS_AT_ONCE):
        inserted = _insert(tx, hashes[start : start + _ROWS_AT_ONCE], prepared)
        new |= {hash_: prepared[hash_] for hash_ in inserted}
    yield UnseenActivities(tx, new)
    if new:
        tx.run("DELETE FROM seen_activities WHERE hash IN (:hashes)", hashes=list(new))


def _insert(tx: Writer, hashes: list[int], requests: Mapping[int, SeenRequest]) -> set[int]:
    """Inserts hashes; returns those that were not there."""
    # Few shapes of statement, so that each is prepared once: the last is repeated up to a power of two.
    size = 1 << (len(hashes) - 1).bit_length()
    filled = hashes + hashes[-1:] * (size - len(hashes))
    values: dict[str, int] = {}
    for n, hash_ in enumerate(filled):
        signed_at, content = requests[hash_]
        values |= {f"hash_{n}": hash_, f"signed_{n}": signed_at, f"content_{n}": content}
    places = ", ".join(f"(:hash_{n}, :now, :signed_{n}, :content_{n})" for n in range(size))
    rows = tx.all(
        f"""INSERT INTO seen_activities (hash, seen_at, signed_at, content) VALUES {places}
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


def hash_of(text: str) -> int:
    """Returns a 64-bit hash of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest(), signed=True)


def _hash_in_second(hash_: int, request: SeenRequest) -> int:
    """Returns the key of a request after which another was acted on under the same id, signed in the same second."""
    return hash_of(f"{hash_} {request.signed_at} {request.content}")
