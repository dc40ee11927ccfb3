"""Deletes remote accounts to which nothing here refers any more. Owns no table.

Accounts become known by the thousand: whoever likes, is mentioned, or is looked at once. One that has no post, no
follow, like or block, in short no row of another table but its own keys and pictures, and whose actor was not fetched
lately, is deleted with its row, and fetched again when it is met again. A suspension by a moderator keeps the row.
"""

from __future__ import annotations

from node.accounts import accounts
from node.database import Writer
from node.models import deletion_hooks

READ_PER_BATCH = 200

REFERENCES = (
    ("posts", "account_id"),
    ("likes", "account_id"),
    ("boosts", "account_id"),
    ("reactions", "account_id"),
    ("mentions", "account_id"),
    ("tagged_people", "account_id"),
    ("notifications", "by_id"),
    ("follows", "follower_id"),
    ("follows", "followed_id"),
    ("severed_follows", "follower_id"),
    ("severed_follows", "followed_id"),
    ("blocks", "account_id"),
    ("blocks", "target_id"),
    ("mutes", "target_id"),
    ("reports", "by_id"),
    ("reports", "target_id"),
    ("moves", "account_id"),
    ("moves", "target_id"),
    ("quote_stamps", "by_id"),
)
"""(table, column): a row with the account there keeps it."""

_REFERENCED = " UNION ".join(
    f"""SELECT a.id FROM accounts a
        WHERE a.id IN (:ids) AND EXISTS (SELECT 1 FROM {table} t WHERE t.{column} = a.id)"""  # noqa: S608
    for table, column in REFERENCES
)


def delete_batch(tx: Writer, now: int, after: int | None, *, before: int) -> int | None:
    """Deletes some accounts behind a given one; returns where to go on, None at the end.

    Only those that were neither met nor fetched since `before` (milliseconds).
    """
    candidates, last = accounts.remote_not_fetched_since(tx, before, after or 0, READ_PER_BATCH)
    referenced = {row["id"] for row in tx.all(_REFERENCED, ids=[account.id for account in candidates])}
    unused = [account for account in candidates if account.id not in referenced]
    for account in unused:
        deletion_hooks.on_account_deleted.run(tx, account)
        deletion_hooks.on_account_content_deleted.run(tx, account)
    accounts.delete_rows(tx, [account.id for account in unused])
    return last
