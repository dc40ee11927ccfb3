"""PostgreSQL: units of work in a small pool of threads with one connection each.

A unit that fails with a serialization failure or a deadlock is run again from its start, which is safe because
it is a plain function that changed nothing but the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg

from node.database import migrate
from node.database.core import Row, Site, bind, number_parameters

P = ParamSpec("P")
T = TypeVar("T")

CONNECTIONS = 4
MAX_TRIES = 5


class PostgresReader:
    """Reads through a cursor with `$1` parameters and tuples: names and dicts cost psycopg a third more CPU."""

    def __init__(self, cursor: psycopg.RawCursor[Any], site: Site) -> None:
        self._cursor = cursor
        self.site = site

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
        sql, values = bind(sql, values)
        statement, names = number_parameters(sql)
        return self._cursor.execute(statement, [values[name] for name in names])

    def _columns(self) -> list[str]:
        """Returns the column names of the last result."""
        result = self._cursor.pgresult
        assert result is not None
        return [(result.fname(n) or b"").decode() for n in range(result.nfields)]


class PostgresWriter(PostgresReader):
    def __init__(self, cursor: psycopg.RawCursor[Any], site: Site, wake: Callable[[str], None]) -> None:
        super().__init__(cursor, site)
        self.wake = wake
        self.hooks: list[Callable[[], None]] = []

    def run(self, sql: str, /, **values: Any) -> int:
        return self._execute(sql, values).rowcount

    def many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        statement, names = number_parameters(sql)
        parameters = [[row[name] for name in names] for row in rows]
        if len(parameters) == 1:
            # A single row needs no pipeline, which would cost another round trip.
            self._cursor.execute(statement, parameters[0])
        elif parameters:
            self._cursor.executemany(statement, parameters)

    def after_commit(self, hook: Callable[[], None]) -> None:
        self.hooks.append(hook)


class PostgresDatabase:
    """Runs units of work on one PostgreSQL database. Made by `open_postgres`."""

    def __init__(self, url: str, site: Site, size: int = CONNECTIONS) -> None:
        self.site = site
        self.wake: Callable[[str], None] = lambda kind: None
        self._url = url
        self._threads = ThreadPoolExecutor(size, "postgres")
        self._connections: queue.SimpleQueue[psycopg.Connection[Any] | None] = queue.SimpleQueue()
        for _ in range(size):
            self._connections.put(None)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            self._url,
            autocommit=True,
            prepare_threshold=2,
            application_name="tintype",
            options="-c timezone=UTC",
        )

    def _run(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        connection = self._connections.get()
        try:
            if connection is None or connection.closed:
                connection = self._connect()
            return work(connection)
        finally:
            if connection is not None and connection.closed:
                connection = None
            self._connections.put(connection)

    async def _on_thread(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        return await asyncio.shield(
            asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)
        )

    def _wake(self, kind: str) -> None:
        self.wake(kind)

    async def read(self, unit: Callable[Concatenate[Any, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        def work(connection: psycopg.Connection[Any]) -> T:
            # One snapshot for the whole unit: a page never shows half of another unit's changes.
            with psycopg.RawCursor(connection) as cursor:
                cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                try:
                    return unit(PostgresReader(cursor, self.site), *args, **kwargs)
                finally:
                    with contextlib.suppress(psycopg.OperationalError):
                        cursor.execute("ROLLBACK")

        return await self._on_thread(work)

    async def write(self, unit: Callable[Concatenate[Any, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        def work(connection: psycopg.Connection[Any]) -> tuple[T, list[Callable[[], None]]]:
            for attempt in range(MAX_TRIES):
                try:
                    with connection.transaction(), psycopg.RawCursor(connection) as cursor:
                        tx = PostgresWriter(cursor, self.site, self._wake)
                        return unit(tx, *args, **kwargs), tx.hooks
                except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                    if attempt == MAX_TRIES - 1:
                        raise
            raise AssertionError("unreachable")

        result, hooks = await self._on_thread(work)
        for hook in hooks:
            hook()
        return result

    async def close(self) -> None:
        def work() -> None:
            while not self._connections.empty():
                connection = self._connections.get()
                if connection is not None:
                    connection.close()

        self._threads.shutdown(wait=True)
        await asyncio.to_thread(work)


async def open_postgres(url: str, site: Site) -> PostgresDatabase:
    """Connects, migrates, and returns the database."""
    database = PostgresDatabase(url, site)
    try:
        await database._on_thread(_migrate)
    except BaseException:
        await database.close()
        raise
    return database


def _migrate(connection: psycopg.Connection[Any]) -> None:
    with connection.cursor() as cursor:
        migrate.migrate_postgres(_Cursor(connection, cursor))


class _Cursor:
    """What `migrate_postgres` needs: transactions of the connection, rows as tuples."""

    def __init__(self, connection: psycopg.Connection[Any], cursor: psycopg.Cursor[Any]) -> None:
        self.transaction = connection.transaction
        self.execute = cursor.execute
