"""Idempotency keys: a post sent twice with the same key is created once. Owns the table `idempotency_keys`.

An app that received no response sends the request again. `claim` and `record_post` belong in the unit of work
that creates the post, so that both are committed together; two requests at the same moment wait for each other
on the table's primary key.
"""

from __future__ import annotations

import hashlib

from node.database import Reader, Writer
from node.ids import now_ms
from node.models.account import Account

RETENTION_MS = 24 * 3600 * 1000


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def claim(tx: Writer, account: Account, key: str) -> int | None:
    """Claims a key: returns the id of the post that was created with it, or None:
    then create it and call `record_post`."""
    first = tx.value(
        """INSERT INTO idempotency_keys (account_id, hash, post_id, created_at)
           VALUES (:account, :hash, 0, :now)
           ON CONFLICT DO NOTHING RETURNING post_id""",
        account=account.id,
        hash=_hash(key),
        now=now_ms(),
    )
    return None if first is not None else find_post(tx, account, key)


def find_post(tx: Reader, account: Account, key: str) -> int | None:
    """Returns the id of the post that was created with a key; None without one."""
    post_id: int | None = tx.value(
        """SELECT post_id FROM idempotency_keys WHERE account_id = :account AND hash = :hash""",
        account=account.id,
        hash=_hash(key),
    )
    return post_id or None


def record_post(tx: Writer, account: Account, key: str, post_id: int) -> None:
    """Stores the post that was created with a claimed key."""
    tx.run(
        """UPDATE idempotency_keys SET post_id = :post_id WHERE account_id = :account AND hash = :hash""",
        post_id=post_id,
        account=account.id,
        hash=_hash(key),
    )


def clean_up(tx: Writer, now: int) -> int:
    """Deletes keys older than a day: by then an app has stopped trying."""
    before = now - RETENTION_MS
    # A range of the index, because SQLite reads the whole table for the keys of a batch.
    last = tx.value(
        """SELECT created_at FROM idempotency_keys WHERE created_at < :before
           ORDER BY created_at LIMIT 1 OFFSET 499""",
        before=before,
    )
    end = before if last is None else last + 1
    return tx.run("DELETE FROM idempotency_keys WHERE created_at < :end", end=end)
