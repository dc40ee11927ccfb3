"""Lists the accounts of one kind of row: who likes a post, who boosted it, who follows whom. Owns no table.

The modules that own the tables call it. The rule guarded here: no suspended or deleted account is listed, and none
that has blocked the viewer or is blocked by them.
"""

from __future__ import annotations

from node.database import Reader, build, columns
from node.database.bounded_pages import Walk, clause, read
from node.models.account import Account, ListedAccount
from node.models.visibility import no_block
from node.paging import Found, Page


def visible_accounts(
    tx: Reader, table: str, column: str, condition: str, viewer_id: int, page: Page, **values: object
) -> Found[ListedAccount]:
    """Returns the accounts whose ids a column of the matching rows holds, the latest row first, paged by its id.

    `condition` is SQL about the row, which it calls `t`; `values` are its named values. `viewer_id` is 0 for an
    anonymous viewer.
    """
    walk = Walk("t.id", f"{table} t WHERE {condition}")
    found = read(
        tx,
        page,
        [walk],
        f"""SELECT t.id AS listed_id, {columns(Account, "a")}
            FROM {table} t JOIN accounts a ON a.id = t.{column}
            WHERE {condition} AND a.suspended_at IS NULL AND a.deleted_at IS NULL
              AND {no_block("a.id")} {clause(page, "t.id")}""",  # noqa: S608
        id_column="listed_id",
        viewer=viewer_id,
        **values,
    )
    return found.replaced_by([ListedAccount(row["listed_id"], build(Account, row)) for row in found])
