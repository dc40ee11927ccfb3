"""Edits that were received before the post they edit. Owns the table `early_updates`.

Servers deliver in parallel: an Update can overtake the Create of its post, which then would bring back the text before
the edit. What can be kept so is little and for a day, and only the import of its author's post takes it out. Of an edit
that is not kept itself the id of its post is remembered, and the post is fetched once it is imported. Where there is too much,
who sent most loses: no server pushes out what others sent, and no account what others of its server did.
"""

from __future__ import annotations

import hashlib
import itertools

from node.database import Reader, Writer
from node.ids import new_id
from node.models import deletion_hooks
from node.models.account import Account

RETENTION_MS = 24 * 3600 * 1000
MAX_PER_ACCOUNT, MAX_PER_HOST, MAX_ROWS = 100, 1000, 4000
MAX_DOCUMENT_LENGTH = 32 * 1024
MAX_LENGTH_PER_ACCOUNT = 10 * MAX_DOCUMENT_LENGTH
"""How long the edits of one account that are kept themselves may be in all; of others the ids are remembered."""


def keep(tx: Writer, author: Account, uri: str, document: str, *, edited_at: int) -> None:
    """Keeps the Update of a post that is not stored yet; of several the latest edit. '' remembers the id alone.

    So does a document that is longer than `MAX_DOCUMENT_LENGTH`, and one beyond the latest of its account that have
    `MAX_LENGTH_PER_ACCOUNT` together. Of an account the latest `MAX_PER_ACCOUNT` are kept, of a server `MAX_PER_HOST`
    and of all `MAX_ROWS`.
    """
    tx.run(
        """INSERT INTO early_updates (id, uri, account_id, host, document, edited_at)
           VALUES (:id, :uri, :account, (SELECT host FROM accounts WHERE id = :account), :document, :edited_at)
           ON CONFLICT (uri) DO UPDATE SET document = excluded.document, edited_at = excluded.edited_at
           WHERE early_updates.edited_at <= excluded.edited_at""",
        id=new_id(),
        uri=row_key(author, uri),
        account=author.id,
        document=document if len(document) <= MAX_DOCUMENT_LENGTH else "",
        edited_at=edited_at,
    )
    rows = tx.all(
        "SELECT id, length(document) AS length FROM early_updates WHERE account_id = :id ORDER BY id DESC",
        id=author.id,
    )
    totals = itertools.accumulate(row["length"] for row in rows)
    if surplus := [
        row["id"]
        for row, total in zip(rows, totals, strict=True)
        if row["length"] and total > MAX_LENGTH_PER_ACCOUNT
    ]:
        tx.run("UPDATE early_updates SET document = '' WHERE id IN (:ids)", ids=surplus)
    if surplus := [row["id"] for row in rows[MAX_PER_ACCOUNT:]]:
        tx.run("DELETE FROM early_updates WHERE id IN (:ids)", ids=surplus)
    _delete_surplus(tx, author)


def _delete_surplus(tx: Writer, author: Account) -> None:
    """Deletes one row where a server has more than it may, or all have: the oldest of the account that has most of the
    server that has most.
    """
    host = tx.value("SELECT host FROM accounts WHERE id = :id", id=author.id)
    if tx.value("SELECT COUNT(*) FROM early_updates WHERE host = :host", host=host) <= MAX_PER_HOST:
        if tx.value("SELECT COUNT(*) FROM early_updates") <= MAX_ROWS:
            return
        host = tx.value(
            "SELECT host FROM early_updates GROUP BY host ORDER BY COUNT(*) DESC, MIN(id) LIMIT 1"
        )
    tx.run(
        """DELETE FROM early_updates WHERE id = (
               SELECT MIN(id) FROM early_updates WHERE host = :host
               GROUP BY account_id ORDER BY COUNT(*) DESC, MIN(id) LIMIT 1)""",
        host=host,
    )


def is_kept(tx: Reader, author: Account, uri: str) -> bool:
    """Returns whether an Update of a post by this author is kept."""
    return tx.value("SELECT 1 FROM early_updates WHERE uri = :uri", uri=row_key(author, uri)) is not None


def take(tx: Writer, author: Account, uri: str) -> str | None:
    """Removes and returns the Update that was kept for a post of this author; '' if only its id was."""
    found = tx.value(
        "DELETE FROM early_updates WHERE uri = :uri RETURNING document", uri=row_key(author, uri)
    )
    return None if found is None else str(found)


def row_key(author: Account, uri: str) -> str:
    """Returns a hash of both URIs in 32 characters: nobody can keep an Update for the post of somebody else."""
    return hashlib.blake2b(f"{author.uri} {uri}".encode(errors="replace"), digest_size=16).hexdigest()


def clean_up(tx: Writer, now: int) -> int:
    """Deletes a batch of what was kept longer than `RETENTION_MS`; returns how many."""
    return tx.run(
        """DELETE FROM early_updates WHERE id IN (
               SELECT id FROM early_updates WHERE id < :before ORDER BY id LIMIT 500)""",
        before=(now - RETENTION_MS) << 16,
    )


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the Updates that were kept for an account."""
    tx.run("DELETE FROM early_updates WHERE account_id = :id", id=account.id)
