"""Tombstones: deletions that came before what they delete. Owns the table `tombstones`.

A late Create of something already deleted stays out. A tombstone is bound to the actor who deleted, so
that nobody can keep the posts of others away by claiming to delete them.
"""

from __future__ import annotations

import hashlib

from node.database import Reader, Writer
from node.ids import now_ms
from node.models.account import Account

KEPT_MS = 90 * 24 * 3600 * 1000


def bury(tx: Writer, actor: Account, uri: str) -> None:
    """Remember that an actor deleted something that is not here."""
    tx.run(
        "INSERT INTO tombstones (uri, created_at) VALUES (:uri, :now) ON CONFLICT DO NOTHING",
        uri=grave(actor, uri),
        now=now_ms(),
    )


def is_buried(tx: Reader, author: Account, uri: str) -> bool:
    return tx.value("SELECT 1 FROM tombstones WHERE uri = :uri", uri=grave(author, uri)) is not None


def grave(actor: Account, uri: str) -> str:
    """Both addresses in few bytes, however long they are."""
    return hashlib.blake2b(f"{actor.uri} {uri}".encode(errors="replace"), digest_size=16).hexdigest()


def clean_up(tx: Writer, now: int) -> None:
    """Forget deletions of what never came."""
    tx.run("DELETE FROM tombstones WHERE created_at < :before", before=now - KEPT_MS)
