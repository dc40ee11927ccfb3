"""PostgreSQL: units of work in a small pool of threads with one connection each.

A unit that fails with a serialization failure or a deadlock is run again from its start, which is safe because
it is a plain function that changed nothing but the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg.sql import SQL, Identifier

from node.database import migrate
from node.database.core import Row, Site, bind, number_parameters
from node.database.postgres_pool import PostgresPool, Slot
from node.database.public_changes import PublicChanges, is_public_change
from node.database.reader_class import SEPARATE, ReaderClass, reader_class, report_stopped

P = ParamSpec("P")
T = TypeVar("T")

CONNECTIONS = 4
MAX_TRIES = 5
WITHOUT_STATISTICS_BYTES = 64 * 1024  # a table of this size is read whole in less time than it takes to plan

log = logging.getLogger("tintype.database")


class PostgresReader:
    """Reads through a cursor with `$1` parameters and tuples: names and dicts cost psycopg a third more CPU."""

    def __init__(self, cursor: psycopg.RawCursor[Any], site: Site, slot: Slot) -> None:
        self._cursor = cursor
        self._slot = slot
        self.site = site
        self.statement = ""  # the last one

    def all(self, sql: str, /, **values: Any) -> list[Row]:
        found = self._execute(sql, values).fetchall()
        if not found:
            return []
        names = self._columns()
        return [dict(zip(names, row, strict=True)) for row in found]

    def one(self, sql: str, /, **values: Any) -> Row | None:
        row = self._execute(sql, values).fetchone()
        return None if row is None else dict(zip(self._columns(), row, strict=True))

    def value(self, sql: str, /, **values: Any) -> Any:
        row = self._execute(sql, values).fetchone()
        return None if row is None else row[0]

    def _execute(self, sql: str, values: Mapping[str, Any]) -> psycopg.RawCursor[Any]:
        self.statement = sql
        sql, values = bind(sql, values)
        statement, names = number_parameters(sql)
        self._slot.since = time.monotonic()
        return self._cursor.execute(statement, [values[name] for name in names])

    def _columns(self) -> list[str]:
        """Returns the column names of the last result."""
        result = self._cursor.pgresult
        assert result is not None
        return [(result.fname(n) or b"").decode() for n in range(result.nfields)]


class PostgresWriter(PostgresReader):
    def __init__(
        self, cursor: psycopg.RawCursor[Any], site: Site, slot: Slot, wake: Callable[[str], None]
    ) -> None:
        super().__init__(cursor, site, slot)
        self.wake = wake
        self.hooks: list[Callable[[], None]] = []
        self.has_changed_public = False

    def run(self, sql: str, /, **values: Any) -> int:
        return self._execute(sql, values).rowcount

    def many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        self._note(sql)
        statement, names = number_parameters(sql)
        parameters = [[row[name] for name in names] for row in rows]
        self._slot.since = time.monotonic()
        if len(parameters) == 1:
            # A single row needs no pipeline, which would cost another round trip.
            self._cursor.execute(statement, parameters[0])
        elif parameters:
            self._cursor.executemany(statement, parameters)

    def after_commit(self, hook: Callable[[], None]) -> None:
        self.hooks.append(hook)

    def _execute(self, sql: str, values: Mapping[str, Any]) -> psycopg.RawCursor[Any]:
        self._note(sql)
        return super()._execute(sql, values)

    def _note(self, sql: str) -> None:
        self.has_changed_public = self.has_changed_public or is_public_change(sql)


class PostgresDatabase:
    """Runs units of work on one PostgreSQL database. Made by `open_postgres`."""

    def __init__(self, url: str, site: Site, size: int = CONNECTIONS) -> None:
        self.site = site
        self.public_changes = PublicChanges()
        # One thread and connection each, opened when first needed.
        self._separate = {kind: PostgresPool(url, 1) for kind in SEPARATE}
        self.wake: Callable[[str], None] = lambda kind: None
        self._pool = PostgresPool(url, size)

    def _wake(self, kind: str) -> None:
        self.wake(kind)

    async def read(self, unit: Callable[Concatenate[Any, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        kind = reader_class.get()

        def work(slot: Slot, connection: psycopg.Connection[Any]) -> T:
            with psycopg.RawCursor(connection) as cursor:
                cursor.execute(_begin(kind), prepare=False)
                tx = PostgresReader(cursor, self.site, slot)
                try:
                    return unit(tx, *args, **kwargs)
                except psycopg.errors.QueryCanceled:
                    if not kind.limit:
                        raise
                    raise report_stopped(tx.statement, kind) from None
                finally:
                    with contextlib.suppress(psycopg.OperationalError):
                        cursor.execute("ROLLBACK")

        return await self._separate.get(kind, self._pool).run(work)

    async def write(self, unit: Callable[Concatenate[Any, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        def work(slot: Slot, connection: psycopg.Connection[Any]) -> tuple[T, list[Callable[[], None]]]:
            for attempt in range(MAX_TRIES):
                try:
                    with connection.transaction(), psycopg.RawCursor(connection) as cursor:
                        tx = PostgresWriter(cursor, self.site, slot, self._wake)
                        result = unit(tx, *args, **kwargs)
                        slot.is_committing = True
                    if tx.has_changed_public:  # here, where a caller that is cancelled cannot prevent it
                        self.public_changes.record()
                    return result, tx.hooks
                except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                    slot.is_committing = False
                    if attempt == MAX_TRIES - 1:
                        raise
            raise AssertionError("unreachable")

        result, hooks = await self._pool.run(work)
        for hook in hooks:
            hook()
        return result

    async def migrate(self) -> None:
        await self._pool.run(_migrate, is_patient=True)

    async def close(self) -> None:
        await asyncio.gather(*(pool.close() for pool in (*self._separate.values(), self._pool)))


def _begin(kind: ReaderClass) -> str:
    """Returns what begins a read: one snapshot for the whole unit, so that a page never shows half of another
    unit's changes, and the time limit of each statement."""
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    return f"{begin}; SET LOCAL statement_timeout = {int(kind.limit * 1000)}" if kind.limit else begin


async def open_postgres(url: str, site: Site) -> PostgresDatabase:
    """Connects, migrates, and returns the database. Raises DatabaseUnavailable."""
    database = PostgresDatabase(url, site)
    try:
        await database.migrate()
    except BaseException:
        await database.close()
        raise
    return database


def _migrate(slot: Slot, connection: psycopg.Connection[Any]) -> None:
    with connection.cursor() as cursor:
        migrate.migrate_postgres(_Cursor(connection, cursor))
        _take_missing_statistics(cursor)


def _take_missing_statistics(cursor: psycopg.Cursor[Any]) -> None:
    """Analyzes the tables with rows of which the server has no statistics, as after a restore from a dump.

    It would do so by itself within some minutes, in which a home timeline may read whole tables. One that somebody
    else is analyzing, or makes an index of, is left to them.
    """
    cursor.execute(
        """SELECT c.relname FROM pg_class c
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND pg_relation_size(c.oid) > %s
             AND NOT EXISTS (SELECT 1 FROM pg_stats s WHERE s.schemaname = 'public' AND s.tablename = c.relname)
           ORDER BY c.relname""",
        [WITHOUT_STATISTICS_BYTES],
    )
    names = [row[0] for row in cursor.fetchall()]
    if not names:
        return
    log.info("taking statistics of %d tables that have none, as after a restore", len(names))
    for name in names:
        cursor.execute(SQL("ANALYZE (SKIP_LOCKED) {}").format(Identifier(name)))


class _Cursor:
    """What `migrate_postgres` needs: transactions of the connection, rows as tuples."""

    def __init__(self, connection: psycopg.Connection[Any], cursor: psycopg.Cursor[Any]) -> None:
        self.transaction = connection.transaction
        self.execute = cursor.execute
