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
        statement, names = number_parameters(bind(sql, values)[0])
        bound = bind(sql, values)[1]
        cursor = self._tx._cursor
        # EXPLAIN ANALYZE does what the statement does, which is done again afterwards.
        cursor.execute("SAVEPOINT counted")
        cursor.execute(
            b"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement, [bound[name] for name in names]
        )
        plan = cursor.fetchone()[0]
        cursor.execute("ROLLBACK TO SAVEPOINT counted")
        return _rows((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


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
