"""SQLite: one writing connection with group commit, and two read-only connections.

Exactly one connection writes and checkpoints, because every SQLite before 3.51.3 can corrupt a WAL
that two connections reset at once; `lock` keeps other processes out. Units that wait together share one
transaction, each inside its own savepoint, so one fsync-free commit serves many of them and a failing unit
rolls back no other.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import functools
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import aiosqlite

from node.database import migrate
from node.database.core import Row, Site, bind
from node.database.lock import Lock, acquire

P = ParamSpec("P")
T = TypeVar("T")

READER_CONNECTIONS = 2
MAX_UNITS_PER_COMMIT = 64


class SqliteReader:
    def __init__(self, connection: sqlite3.Connection, site: Site) -> None:
        self._connection = connection
        self.site = site

    def all(self, sql: str, /, **values: Any) -> list[Row]:
        return self._connection.execute(*bind(sql, values)).fetchall()

    def one(self, sql: str, /, **values: Any) -> Row | None:
        row: Row | None = self._connection.execute(*bind(sql, values)).fetchone()
        return row

    def value(self, sql: str, /, **values: Any) -> Any:
        row = self._connection.execute(*bind(sql, values)).fetchone()
        return None if row is None else row[0]


class SqliteWriter(SqliteReader):
    def __init__(self, connection: sqlite3.Connection, site: Site, wake: Callable[[str], None]) -> None:
        super().__init__(connection, site)
        self.wake = wake
        self.hooks: list[Callable[[], None]] = []

    def run(self, sql: str, /, **values: Any) -> int:
        return self._connection.execute(*bind(sql, values)).rowcount

    def many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        self._connection.executemany(sql, rows)

    def after_commit(self, hook: Callable[[], None]) -> None:
        self.hooks.append(hook)


async def _on_thread(connection: aiosqlite.Connection, work: Callable[[], T]) -> T:
    """Runs all of `work` on the connection's own thread: the one private call of aiosqlite, held by a contract test.

    A client that disconnects cancels only the waiting, never the work: that is in the thread's queue by then.
    """
    result: T = await connection._execute(work)  # type: ignore[no-untyped-call]
    return result


class SqliteDatabase:
    """Runs units of work on one SQLite file. Made by `open_sqlite`."""

    def __init__(
        self,
        site: Site,
        writer: aiosqlite.Connection | None,
        readers: list[aiosqlite.Connection],
        lock: Lock | None,
    ) -> None:
        self.site = site
        self.wake: Callable[[str], None] = lambda kind: None
        self._writer = writer
        self._lock = lock
        self._readers = readers
        self._free: collections.deque[aiosqlite.Connection] = collections.deque(readers)
        self._waiting: collections.deque[tuple[Callable[[Any], Any], asyncio.Future[Any]]] = (
            collections.deque()
        )
        self._writing: asyncio.Task[None] | None = None
        self._reader_index = 0

    def _wake(self, kind: str) -> None:
        self.wake(kind)

    async def read(self, unit: Callable[Concatenate[Any, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        self._reader_index = (self._reader_index + 1) % len(self._readers)
        connection = self._readers[self._reader_index]

        def work() -> T:
            raw = connection._conn
            raw.execute("BEGIN")
            try:
                return unit(SqliteReader(raw, self.site), *args, **kwargs)
            finally:
                raw.execute("ROLLBACK")

        return await _on_thread(connection, work)

    async def write(self, unit: Callable[Concatenate[Any, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if self._writer is None:
            raise PermissionError("this database was opened for reading only")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((lambda tx: unit(tx, *args, **kwargs), future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await asyncio.shield(future)

    async def _write_all(self) -> None:
        """Commits group after group until no unit waits."""
        try:
            while self._waiting:
                group: list[tuple[Callable[[Any], Any], asyncio.Future[Any]]] = []
                while self._waiting and len(group) < MAX_UNITS_PER_COMMIT:
                    group.append(self._waiting.popleft())
                assert self._writer is not None
                commit = functools.partial(self._commit, self._writer._conn, group)
                try:
                    results = await _on_thread(self._writer, commit)
                except BaseException as error:
                    for _, future in group:
                        if not future.done():
                            future.set_exception(error)
                            future.exception()  # the caller may have been cancelled: mark it as retrieved
                    continue
                for (_, future), (result, failure, hooks) in zip(group, results, strict=True):
                    for hook in hooks:
                        hook()
                    if future.done():
                        continue
                    if failure is None:
                        future.set_result(result)
                    else:
                        future.set_exception(failure)
                        future.exception()
        finally:
            self._writing = None

    def _commit(
        self,
        raw: sqlite3.Connection,
        group: Sequence[tuple[Callable[[Any], Any], asyncio.Future[Any]]],
    ) -> list[tuple[Any, BaseException | None, list[Callable[[], None]]]]:
        results: list[tuple[Any, BaseException | None, list[Callable[[], None]]]] = []
        raw.execute("BEGIN IMMEDIATE")
        try:
            for work, _ in group:
                tx = SqliteWriter(raw, self.site, self._wake)
                raw.execute("SAVEPOINT unit")
                try:
                    result = work(tx)
                except BaseException as error:
                    raw.execute("ROLLBACK TO unit")
                    results.append((None, error, []))
                else:
                    results.append((result, None, tx.hooks))
                raw.execute("RELEASE unit")
            raw.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                raw.execute("ROLLBACK")
            raise
        return results

    async def close(self) -> None:
        while self._writing is not None:
            await asyncio.wait([self._writing])
        for reader in self._readers:
            await reader.close()
        if self._writer is not None:
            await self._writer.close()
        if self._lock is not None:
            self._lock.release()


async def _connect(path: str, *pragmas: str) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path, isolation_level=None, cached_statements=512)

    def prepare() -> None:
        raw = connection._conn
        raw.row_factory = sqlite3.Row
        for pragma in ("busy_timeout = 5000", "foreign_keys = ON", "temp_store = MEMORY", *pragmas):
            raw.execute(f"PRAGMA {pragma}")

    await _on_thread(connection, prepare)
    return connection


async def _readers(path: str) -> list[aiosqlite.Connection]:
    return [
        await _connect(path, "query_only = ON", "wal_autocheckpoint = 0", "cache_size = -8000")
        for _ in range(READER_CONNECTIONS)
    ]


async def open_read_only(path: str, site: Site) -> SqliteDatabase:
    """Opens a file for reading only, while another process may write it. Does not migrate it."""
    return SqliteDatabase(site, None, await _readers(path), None)


async def open_sqlite(path: str, site: Site) -> SqliteDatabase:
    """Opens and migrates the file, creating it and its folder when missing. Raises DatabaseInUse."""
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = await acquire(path)
    writer = None
    try:
        writer = connection = await _connect(
            path,
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "wal_autocheckpoint = 1000",
            "journal_size_limit = 16777216",
            "cache_size = -16000",
        )
        await _on_thread(connection, lambda: migrate.migrate_sqlite(connection._conn))
        readers = await _readers(path)
    except BaseException:
        if writer is not None:
            await writer.close()
        lock.release()
        raise
    return SqliteDatabase(site, writer, readers, lock)
