"""Walks through a table one account at a time, for the clean-up. Owns no table."""

from __future__ import annotations

from collections.abc import Callable

from node.database.core import Writer


def trim_next_account(tx: Writer, table: str, after: int | None, trim: Callable[[int], int]) -> int | None:
    """Trims the rows of the next account in a table with an `account_id`; returns where to go on, None at the end.

    `trim` deletes a batch of an account's rows and returns how many: while there were some, the account comes again.
    """
    account_id: int | None = tx.value(
        f"SELECT MIN(account_id) FROM {table} WHERE account_id > :after",  # noqa: S608
        after=after or 0,
    )
    if account_id is None:
        return None
    return after or 0 if trim(account_id) else account_id
