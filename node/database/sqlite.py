"""SQLite: one writing connection with group commit, and read-only connections.

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
import logging
import math
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from node.database import migrate
from node.database.core import Row, Site, bind
from node.database.lock import Lock, acquire
from node.database.public_changes import PublicChanges, is_public_change
from node.database.reader_class import SEPARATE, reader_class, report_stopped
from node.database.reserve import Reserve
from node.database.sqlite_connection import (
    SqliteConnection,
    close_all,
    connect,
    explain,
    is_full,
    run_on_thread,
)
from node.errors import DatabaseFull, DatabaseUnavailable

log = logging.getLogger("tintype.database")

P = ParamSpec("P")
T = TypeVar("T")

READER_CONNECTIONS = 2
MAX_UNITS_PER_COMMIT = 64
CLOSE_SECONDS = 1.5
REOPEN_SECONDS = 1.0  # between two attempts to open a file again that could not be read
REOPEN_AGAIN_SECONDS = 30.0  # before that is tried again, when only a part of the file is damaged


class SqliteReader:
    def __init__(self, connection: sqlite3.Connection, site: Site) -> None:
        self._connection = connection
        self.site = site
        self.statement = ""  # the last one

    def all(self, sql: str, /, **values: Any) -> list[Row]:
        self.statement = sql
        return self._connection.execute(*bind(sql, values)).fetchall()

    def one(self, sql: str, /, **values: Any) -> Row | None:
        self.statement = sql
        row: Row | None = self._connection.execute(*bind(sql, values)).fetchone()
        return row

    def value(self, sql: str, /, **values: Any) -> Any:
        self.statement = sql
        row = self._connection.execute(*bind(sql, values)).fetchone()
        return None if row is None else row[0]


class SqliteWriter(SqliteReader):
    def __init__(self, connection: sqlite3.Connection, site: Site, wake: Callable[[str], None]) -> None:
        super().__init__(connection, site)
        self.wake = wake
        self.hooks: list[Callable[[], None]] = []
        self.has_changed_public = False

    def all(self, sql: str, /, **values: Any) -> list[Row]:
        self._note(sql)
        return super().all(sql, **values)

    def one(self, sql: str, /, **values: Any) -> Row | None:
        self._note(sql)
        return super().one(sql, **values)

    def value(self, sql: str, /, **values: Any) -> Any:
        self._note(sql)
        return super().value(sql, **values)

    def run(self, sql: str, /, **values: Any) -> int:
        self._note(sql)
        return self._connection.execute(*bind(sql, values)).rowcount

    def many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        self._note(sql)
        self._connection.executemany(sql, rows)

    def _note(self, sql: str) -> None:
        self.has_changed_public = self.has_changed_public or is_public_change(sql)

    def after_commit(self, hook: Callable[[], None]) -> None:
        self.hooks.append(hook)


_WaitingUnit = tuple[Callable[[Any], Any], asyncio.Future[Any]]
_UnitResult = tuple[Any, BaseException | None, list[Callable[[], None]]]


class SqliteDatabase:
    """Runs units of work on one SQLite file. Made by `open_sqlite`."""

    def __init__(
        self,
        site: Site,
        writer: SqliteConnection | None,
        readers: list[SqliteConnection],
        lock: Lock | None,
        reserve: Reserve | None = None,
    ) -> None:
        self.site = site
        self.public_changes = PublicChanges()
        self._reserve = reserve
        self.wake: Callable[[str], None] = lambda kind: None
        self._writer = writer
        self._lock = lock
        self._readers = readers
        self._shared = readers[:READER_CONNECTIONS]
        self._separate = dict(zip(SEPARATE, readers[READER_CONNECTIONS:], strict=False))
        self._waiting: collections.deque[_WaitingUnit] = collections.deque()
        self._writing: asyncio.Task[None] | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._reopened_at = -math.inf
        self._reader_index = 0

    def _wake(self, kind: str) -> None:
        self.wake(kind)

    async def read(self, unit: Callable[Concatenate[Any, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        kind = reader_class.get()
        connection = self._separate.get(kind)
        if connection is None:
            self._reader_index = (self._reader_index + 1) % len(self._shared)
            connection = self._shared[self._reader_index]

        def work() -> T:
            raw = connection._conn
            tx = SqliteReader(raw, self.site)
            raw.execute("BEGIN")
            try:
                if kind.limit:
                    connection.stops_at = time.monotonic() + kind.limit
                return unit(tx, *args, **kwargs)
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
                    raise
                raise report_stopped(tx.statement, kind) from None
            finally:
                connection.stops_at = math.inf
                with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
                    raw.execute("ROLLBACK")

        try:
            return await run_on_thread(connection, work)
        except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            self._reopen_if_damaged(connection)
            if (explained := explain(error)) is not error:
                raise explained from error
            raise

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
                group: list[_WaitingUnit] = []
                while self._waiting and len(group) < MAX_UNITS_PER_COMMIT:
                    group.append(self._waiting.popleft())
                for (_, future), (result, failure, hooks) in zip(
                    group, await self._commit_group(group), strict=True
                ):
                    for hook in hooks:
                        hook()
                    if future.done():
                        continue
                    if failure is None:
                        future.set_result(result)
                    else:
                        self._reopen_if_damaged(self._writer)
                        future.set_exception(explain(failure))
                        future.exception()  # the caller may have been cancelled: mark it as retrieved
        finally:
            self._writing = None

    async def _commit_group(self, group: Sequence[_WaitingUnit]) -> list[_UnitResult]:
        """Commits units together; if the transaction as a whole fails, each alone: the disk may be full for one only."""
        assert self._writer is not None
        try:
            results = await run_on_thread(self._writer, functools.partial(self._commit, self._writer, group))
            if self._reserve is not None and self._reserve.is_due():
                await asyncio.to_thread(self._reserve.fill)
            return results
        except sqlite3.Error as error:
            is_disk_full = is_full(error) or not await self._has_room()
            if is_disk_full:
                self._writer.is_damaged = False  # an I/O error of a quota: what was written is whole
                if self._reserve is not None and self._reserve.release():
                    return await self._commit_group(group)
            self._reopen_if_damaged(self._writer)
            if len(group) > 1:
                return [result for unit in group for result in await self._commit_group([unit])]
            return [(None, DatabaseFull(str(error)) if is_disk_full else error, [])]
        except BaseException as error:
            return [(None, error, []) for _ in group]

    def _commit(self, writer: SqliteConnection, group: Sequence[_WaitingUnit]) -> list[_UnitResult]:
        raw = writer._conn
        results: list[_UnitResult] = []
        has_changed_public = False
        raw.execute("BEGIN IMMEDIATE")
        try:
            for work, _ in group:
                tx = SqliteWriter(raw, self.site, self._wake)
                raw.execute("SAVEPOINT unit")
                try:
                    result = work(tx)
                except BaseException as error:
                    if not raw.in_transaction:
                        raise  # SQLite has rolled back everything: the disk is full, or cannot be read
                    raw.execute("ROLLBACK TO unit")
                    results.append((None, error, []))
                else:
                    results.append((result, None, tx.hooks))
                    has_changed_public = has_changed_public or tx.has_changed_public
                raw.execute("RELEASE unit")
            raw.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
                raw.execute("ROLLBACK")
            raise
        if has_changed_public:
            self.public_changes.record()
        return results

    async def _has_room(self) -> bool:
        return self._reserve is None or await asyncio.to_thread(self._reserve.has_room)

    def _reopen_if_damaged(self, connection: SqliteConnection | None) -> None:
        is_due = time.monotonic() - self._reopened_at > REOPEN_AGAIN_SECONDS
        if connection is not None and connection.is_damaged and self._reopening is None and is_due:
            self._reopening = asyncio.create_task(self._reopen())

    async def _reopen(self) -> None:
        """Opens the file anew until it can be read: somebody may repair it, or put back a backup.

        All connections are closed first, because they share what they know of its log.
        """
        connections = [*self._readers, *([self._writer] if self._writer else ())]
        is_damaged = True
        while is_damaged:
            await asyncio.sleep(REOPEN_SECONDS)
            try:
                for connection in connections:
                    await run_on_thread(connection, connection.shut, is_reopening=True)
                for connection in reversed(connections):
                    await run_on_thread(connection, connection.reopen, is_reopening=True)
                    await run_on_thread(connection, connection.read_schema, is_reopening=True)
                for connection in connections:  # only now: until here it may be any file
                    await run_on_thread(connection, connection.resume, is_reopening=True)
                is_damaged = False
            except (sqlite3.Error, UnicodeDecodeError, DatabaseUnavailable) as error:
                log.debug("the database file still cannot be used: %s", error)
        log.warning("the database file has been opened again")
        self._reopened_at = time.monotonic()
        self._reopening = None

    async def close(self) -> None:
        """Waits for the units that are queued, and closes the file; leaves it after `CLOSE_SECONDS` if it hangs."""
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.wait([self._reopening])
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                while self._writing is not None:
                    await asyncio.wait([self._writing])
                await close_all(*self._readers, *([self._writer] if self._writer else ()))
        except TimeoutError:
            log.warning("the database did not answer, so it is left as it is")
            return  # the lock stays: a thread may still write
        if self._lock is not None:
            self._lock.release()


async def _readers(path: str, number: int) -> list[SqliteConnection]:
    opened: list[SqliteConnection] = []
    try:
        for _ in range(number):
            opened.append(  # noqa: PERF401 - those that are open are closed if the next cannot be opened
                await connect(path, "query_only = ON", "wal_autocheckpoint = 0", "cache_size = -8000")
            )
    except BaseException:
        await close_all(*opened)
        raise
    return opened


async def open_read_only(path: str, site: Site) -> SqliteDatabase:
    """Opens a file for reading only, while another process may write it. Does not migrate it."""
    try:
        return SqliteDatabase(site, None, await _readers(path, READER_CONNECTIONS), None)
    except sqlite3.Error as error:
        if (explained := explain(error)) is not error:
            raise explained from error
        raise


async def open_sqlite(path: str, site: Site) -> SqliteDatabase:
    """Opens and migrates the file, creating it and its folder when missing.

    Raises DatabaseInUse, or DatabaseUnavailable for a file that cannot be read and written.
    """
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = await acquire(path)
    reserve = Reserve(path)
    try:
        return await _open_locked(path, site, lock, reserve)
    except DatabaseUnavailable as error:
        is_disk_full = isinstance(error, DatabaseFull) or not reserve.has_room()
        if not (is_disk_full and reserve.release()):
            raise
    return await _open_locked(path, site, await acquire(path), reserve)


async def _open_locked(path: str, site: Site, lock: Lock, reserve: Reserve) -> SqliteDatabase:
    """Opens and migrates the file; releases the lock if that fails."""
    writer = None
    try:
        writer = connection = await connect(
            path,
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "wal_autocheckpoint = 1000",
            "journal_size_limit = 16777216",
            "cache_size = -16000",
        )
        await run_on_thread(connection, lambda: migrate.migrate_sqlite(connection._conn), None)
        readers = await _readers(path, READER_CONNECTIONS + len(SEPARATE))
    except BaseException as error:
        if writer is not None:
            await close_all(writer)
        lock.release()
        if (explained := explain(error)) is not error:
            raise explained from error
        raise
    return SqliteDatabase(site, writer, readers, lock, reserve)
