"""Reads pages of which not every row is shown, and ends after a bounded number of rows. Owns no table.

What is the same for every viewer (public, with photos, by somebody) is answered by an index made for it. Blocks, mutes
and limited servers cannot be: a viewer may have blocked whoever wrote the last 100,000 posts. So a page looks at
`MAX_VISITED` rows at most and says where the next one begins, instead of walking down to the next row that it may show.

A `Walk` names rows in an index by their key. The query of a page reads from the same rows, and adds conditions of its
own; `clause` keeps it within the walk. A page of several walks (posts and boosts) ends where the first of them does, so
that the next page misses nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from node.database.core import Reader, Row
from node.paging import Found, Page

MAX_VISITED = 400
# Times the size of the page: usually enough, and the end of so short a walk costs next to nothing.
FIRST_LOOK = 3


class Walk(NamedTuple):
    """Rows in the order of an index: `key` is the column of the page's ids, `rows` the SQL from the table's name on."""

    key: str
    rows: str


def clause(page: Page, key: str) -> str:
    """Returns the SQL after a `WHERE …` of a query that `read` runs: bounds, order and limit."""
    if page.min_id:
        bounds = f"AND {key} > :page_above AND {key} < (SELECT stop FROM walked)"  # noqa: S608
    else:
        bounds = f"AND {key} < :page_below AND {key} > (SELECT stop FROM walked)"  # noqa: S608
    return f"{bounds} ORDER BY {key} {page.order} LIMIT :page_limit"


def read(
    tx: Reader, page: Page, walks: Sequence[Walk], sql: str, /, *, id_column: str = "id", **values: Any
) -> Found[Row]:
    """Returns a page of the rows of a query, which ends with `clause` and has the page's ids in `id_column`.

    The query may begin with a comma and further common tables.
    """
    stop_sql = _stop_sql(tuple(walks), bool(page.min_id))
    values |= page.values
    rows: list[Row] = []
    for visited in (min(FIRST_LOOK * page.size, MAX_VISITED), MAX_VISITED):
        rows = tx.all(_with_stop(stop_sql, bool(page.min_id), sql), **values, page_visited=visited)
        if len(rows) >= page.size:
            stop = rows[-1][id_column]
            break
        stop = tx.value(f"SELECT {stop_sql}", **values, page_visited=visited)
        if stop is None:
            break
    found = page.newest_first(rows)
    if page.min_id:
        return Found(found, found[-1][id_column] if found else None, stop)
    return Found(found, stop)


def merged(page: Page, parts: Sequence[str], columns: str = "*") -> str:
    """Builds the query of one page of several lists, each of which ends with `clause`; equal rows come once."""
    union = " UNION ".join(
        f"SELECT {columns} FROM ({part}) AS part_{n}"  # noqa: S608
        for n, part in enumerate(parts)
    )
    return f"SELECT * FROM ({union}) AS parts ORDER BY id {page.order} LIMIT :page_limit"  # noqa: S608


@functools.lru_cache(maxsize=512)
def _with_stop(stop_sql: str, is_upwards: bool, sql: str) -> str:
    past, end = ("+ 1", ":page_below") if is_upwards else ("- 1", ":page_above")
    return f"WITH walked (stop) AS MATERIALIZED (SELECT COALESCE({stop_sql} {past}, {end})) {sql}"


@functools.lru_cache(maxsize=512)
def _stop_sql(walks: tuple[Walk, ...], is_upwards: bool) -> str:
    """Returns SQL for the last key that is looked at; NULL where all walks end before that."""
    order = "ASC" if is_upwards else "DESC"
    stops = [
        f"""(SELECT {key} FROM {rows} AND {key} < :page_below AND {key} > :page_above
             ORDER BY {key} {order} LIMIT 1 OFFSET :page_visited - 1)"""  # noqa: S608
        for key, rows in walks
    ]
    if len(stops) == 1:
        return stops[0]
    union = " UNION ALL ".join(f"SELECT {stop} AS stop" for stop in stops)
    return f"(SELECT {'MIN' if is_upwards else 'MAX'}(stop) FROM ({union}) AS stops)"  # noqa: S608
