"""Activities of other servers that were already acted on. Owns `seen_activities`.

Servers repeat themselves: after a lost answer, through a second inbox, in a replay. Only a 64-bit hash of
the id is kept, for some months; at ten million rows the chance that a new activity is taken for an old
one is one in a million million.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from node.database import Writer
from node.ids import now_ms

KEPT_MS = 120 * 24 * 3600 * 1000
_ROWS_AT_ONCE = 64


class Unheard:
    """Which activities of one unit of work are heard for the first time. Made by `first_heard`."""

    def __init__(self, tx: Writer, new: set[int]) -> None:
        self._tx = tx
        self._new = new

    def take(self, uri: str) -> bool:
        """Whether this activity is heard for the first time; from now on it is not."""
        hash_ = _hash(uri)
        if hash_ not in self._new:
            return bool(_insert(self._tx, [hash_]))
        self._new.remove(hash_)
        return True

    def give_back(self, uri: str) -> None:
        """It was not acted on after all: when it comes again, it is new."""
        self._new.add(_hash(uri))


@contextmanager
def first_heard(tx: Writer, uris: Iterable[str]) -> Iterator[Unheard]:
    """Asks of many activities at once what `take` answers for each; those that nobody took stay new."""
    hashes = sorted({_hash(uri) for uri in uris})
    new: set[int] = set()
    for start in range(0, len(hashes), _ROWS_AT_ONCE):
        new |= _insert(tx, hashes[start : start + _ROWS_AT_ONCE])
    yield Unheard(tx, new)
    if new:
        tx.run("DELETE FROM seen_activities WHERE hash IN (:hashes)", hashes=new)


def _insert(tx: Writer, hashes: list[int]) -> set[int]:
    """Remember them; those that were not there."""
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
    """Forget what nobody will repeat any more."""
    return tx.run("DELETE FROM seen_activities WHERE seen_at < :before", before=now - KEPT_MS)


def _hash(uri: str) -> int:
    return int.from_bytes(hashlib.blake2b(uri.encode(errors="replace"), digest_size=8).digest(), signed=True)
