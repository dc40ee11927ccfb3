"""Counts what each query does, not how long it takes: `node.db = Counting(node.db, engine)`.

SQLite counts the steps of its virtual machine, PostgreSQL (`EXPLAIN ANALYZE`) the rows that every node of the plan
reads, those it throws away included. Both are the same on a fast and on a slow machine.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg.sql

from node.database import Database
from node.database.core import bind, number_parameters
from tests.support.databases import SQLITE

STEPS_PER_CALL = 10


class CountingReader:
    """A reader that adds what each of its queries does to `work`, by the query's text."""

    def __init__(self, tx: Any, engine: str, work: Counter[str]) -> None:
        self._tx, self._engine, self._work = tx, engine, work

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._tx, name)
        if name not in ("all", "one", "value", "run"):
            return method

        def counted(sql: str, /, **values: Any) -> Any:
            if self._engine == SQLITE:
                return self._count_steps(method, sql, values)
            self._work[sql] += self._rows_read(sql, values)
            return method(sql, **values)

        return counted

    def _count_steps(self, method: Callable[..., Any], sql: str, values: dict[str, Any]) -> Any:
        calls = 0

        def count() -> int:
            nonlocal calls
            calls += 1
            return 0

        self._tx._connection.set_progress_handler(count, STEPS_PER_CALL)
        try:
            return method(sql, **values)
        finally:
            self._tx._connection.set_progress_handler(None, 0)
            self._work[sql] += calls * STEPS_PER_CALL

    def _rows_read(self, sql: str, values: dict[str, Any]) -> int:
        sql, expanded = bind(sql, values)
        statement, names = number_parameters(sql)
        bound = [expanded[name] for name in names]
        cursor = self._tx._cursor
        # Prepared, so that the plan is that of the program, which knows no values (see `postgres_pool`).
        types = f" ({', '.join(map(_type_name, bound))})" if bound else ""
        cursor.execute(f"PREPARE counted{types} AS ".encode() + statement, prepare=False)
        given = psycopg.sql.SQL(", ").join(bound).as_string(cursor)
        # EXPLAIN ANALYZE does what the statement does, which is done again afterwards.
        cursor.execute("SAVEPOINT counted")
        cursor.execute(
            "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE counted" + (f" ({given})" if bound else ""),
            prepare=False,
        )
        plan = cursor.fetchone()[0]
        cursor.execute("ROLLBACK TO SAVEPOINT counted", prepare=False)
        cursor.execute("DEALLOCATE counted", prepare=False)
        return _rows((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def _type_name(value: Any) -> str:
    """Returns the type as which psycopg sends a value."""
    if isinstance(value, list):
        return f"{_type_name(value[0]) if value else 'bigint'}[]"
    if value is None:
        return "unknown"
    if isinstance(value, int) and not isinstance(value, bool):
        return "smallint" if abs(value) < 2**15 else "integer" if abs(value) < 2**31 else "bigint"
    return {bool: "boolean", float: "double precision", bytes: "bytea"}.get(type(value), "text")


def _rows(plan: dict[str, Any]) -> int:
    read = plan["Actual Rows"] + sum(value for name, value in plan.items() if name.startswith("Rows Removed"))
    return int(read * plan["Actual Loops"]) + sum(_rows(one) for one in plan.get("Plans", ()))


class _Undone(Exception):
    """Raised at the end of a unit of work whose changes are to be rolled back."""


class Counting:
    """A database that counts the work of the queries of its units of work that only read.

    `count_and_undo` counts that of a unit that writes, and leaves everything as it was.
    """

    def __init__(self, db: Database, engine: str) -> None:
        self._db, self._engine = db, engine
        self.work: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def read(self, unit: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return await self._db.read(self._counted, unit, *args, **kwargs)

    async def write(self, unit: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return await self._db.write(unit, *args, **kwargs)

    async def count_and_undo(self, unit: Callable[[Any], Any]) -> None:
        with contextlib.suppress(_Undone):
            await self._db.write(self._undone, unit)

    def _undone(self, tx: Any, unit: Callable[[Any], Any]) -> None:
        unit(CountingReader(tx, self._engine, self.work))
        raise _Undone

    def _counted(self, tx: Any, unit: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return unit(CountingReader(tx, self._engine, self.work), *args, **kwargs)
