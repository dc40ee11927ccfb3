"""Tombstones: deletions that were received before the post they delete. Owns the table `tombstones`.

A late Create of a post that is already deleted is ignored. A tombstone is bound to the actor of the Delete,
so that nobody can keep the posts of others away by claiming to delete them.
"""

from __future__ import annotations

import hashlib

from node.database import Reader, Writer
from node.ids import now_ms
from node.models.account import Account

RETENTION_MS = 90 * 24 * 3600 * 1000


def record(tx: Writer, actor: Account, uri: str) -> None:
    """Remembers that an actor deleted something this node does not have."""
    tx.run(
        "INSERT INTO tombstones (uri, created_at) VALUES (:uri, :now) ON CONFLICT DO NOTHING",
        uri=tombstone_key(actor, uri),
        now=now_ms(),
    )


def is_tombstoned(tx: Reader, author: Account, uri: str) -> bool:
    """Returns whether this author has deleted this URI before it was received."""
    return tx.value("SELECT 1 FROM tombstones WHERE uri = :uri", uri=tombstone_key(author, uri)) is not None


def tombstone_key(actor: Account, uri: str) -> str:
    """Returns a hash of both URIs in 32 characters, however long they are."""
    return hashlib.blake2b(f"{actor.uri} {uri}".encode(errors="replace"), digest_size=16).hexdigest()


def clean_up(tx: Writer, now: int) -> int:
    """Deletes tombstones older than `RETENTION_MS`."""
    return tx.run(
        """DELETE FROM tombstones WHERE uri IN (
               SELECT uri FROM tombstones WHERE created_at < :before ORDER BY created_at LIMIT 500)""",
        before=now - RETENTION_MS,
    )
