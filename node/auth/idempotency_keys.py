"""A post sent twice with the same key is made once. Owns the table `idempotency_keys`.

An app that heard no answer sends again. `claim` and `remember` belong in the unit of work that makes the
post, so that the key and the post become true together; two at the same moment wait for each other on the
table's primary key.
"""

from __future__ import annotations

import hashlib

from node.database import Writer
from node.ids import now_ms
from node.models.account import Account

KEPT = 24 * 3600 * 1000


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def claim(tx: Writer, who: Account, key: str) -> int | None:
    """The id of the post that was made with this key, or None: then make it, and `remember` it."""
    first = tx.value(
        """INSERT INTO idempotency_keys (account_id, hash, post_id, created_at)
           VALUES (:who, :hash, 0, :now)
           ON CONFLICT DO NOTHING RETURNING post_id""",
        who=who.id,
        hash=_hash(key),
        now=now_ms(),
    )
    if first is not None:
        return None
    known: int | None = tx.value(
        """SELECT post_id FROM idempotency_keys WHERE account_id = :who AND hash = :hash""",
        who=who.id,
        hash=_hash(key),
    )
    return known or None


def remember(tx: Writer, who: Account, key: str, post_id: int) -> None:
    tx.run(
        """UPDATE idempotency_keys SET post_id = :post_id WHERE account_id = :who AND hash = :hash""",
        post_id=post_id,
        who=who.id,
        hash=_hash(key),
    )


def clean_up(tx: Writer, now: int) -> None:
    """Forget keys older than a day: by then an app has stopped asking."""
    tx.run("""DELETE FROM idempotency_keys WHERE created_at < :before""", before=now - KEPT)
