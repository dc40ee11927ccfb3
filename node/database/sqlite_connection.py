"""A connection to a SQLite file with its thread: nobody waits for ever for a disk, and a file that was repaired is read again."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from node.database.core import NOT_STORABLE
from node.errors import DatabaseFull, DatabaseUnavailable, Invalid

T = TypeVar("T")

JOIN_SECONDS = 1.0
STEPS_PER_CHECK = 50_000  # of SQLite's machine; most queries of a page take fewer, so they are never asked
MAX_UNIT_SECONDS = 20.0  # after which who waits for a unit is told that the database does not answer

_UNAVAILABLE = frozenset(
    {
        *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM),
        *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL),
        *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB),
    }
)
_TEMPORARY = frozenset(
    {
        *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM),
        *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL),
    }
)
_REOPENED = frozenset(
    {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB}
)


class DamagedText(sqlite3.DatabaseError):
    """Text in the file, or in what SQLite says of it, is no UTF-8: a name, a value, or SQL."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


_FOLDER = str(Path(__file__).parent)


class SqliteConnection(aiosqlite.Connection):
    """A connection with its thread, which knows whether that thread answers and how to open the file again."""

    def __init__(self, path: str, pragmas: Sequence[str]) -> None:
        connect = functools.partial(sqlite3.connect, path, isolation_level=None, cached_statements=512)
        super().__init__(connect, 64)
        self._path = path
        self._pragmas = ("busy_timeout = 5000", "foreign_keys = ON", "temp_store = MEMORY", *pragmas)
        self.is_stuck = False  # somebody gave up waiting for what the thread does now
        self.is_damaged = False  # the file could not be read
        self._is_shut = False
        self.stops_at = math.inf  # when what the thread does now is stopped

    def prepare(self) -> None:
        self._conn.set_progress_handler(lambda: time.monotonic() > self.stops_at, STEPS_PER_CHECK)
        self._conn.row_factory = sqlite3.Row
        for pragma in self._pragmas:
            self._conn.execute(f"PRAGMA {pragma}")

    def run(self, work: Callable[[], T]) -> T:
        """Runs `work`, on the connection's thread."""
        if self._is_shut:
            raise DatabaseUnavailable("its file is being opened again")
        try:
            return work()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            damage = find_damaged_text(error)
            if damage is not None or _primary_code(error) in _REOPENED:
                self.is_damaged = True
            if damage is None:
                raise
            raise damage from error
        finally:
            self.is_stuck = False

    def shut(self) -> None:
        """Closes the file, not the thread; units of work are refused until `resume`."""
        self._is_shut = True
        with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
            self._conn.close()

    def reopen(self) -> None:
        """Opens the file again. Raises DatabaseUnavailable where there is none: an empty one would be made."""
        if not Path(self._path).is_file():
            raise DatabaseUnavailable("its file is missing")
        self._connection = self._connector()
        self.prepare()

    def resume(self) -> None:
        self.is_damaged = self._is_shut = False

    def read_schema(self) -> None:
        self._conn.execute("SELECT COUNT(*) FROM migrations").fetchone()


def find_damaged_text(error: BaseException) -> DamagedText | None:
    """Returns DamagedText for an error that says that some text could not be decoded; None for any other."""
    if isinstance(error, UnicodeDecodeError):
        # Raised by `sqlite3` itself, so by a line of this package: a unit of work may decode something else.
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is None or str(Path(trace.tb_frame.f_code.co_filename).parent) != _FOLDER:
            return None
    elif not (isinstance(error, sqlite3.OperationalError) and "Could not decode to UTF-8" in str(error)):
        return None
    return DamagedText("the file is damaged: it holds text that is not UTF-8")


def _primary_code(error: BaseException) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_full(error: sqlite3.Error) -> bool:
    """Returns whether no space was left on the disk."""
    return _primary_code(error) == sqlite3.SQLITE_FULL


def explain(error: BaseException) -> BaseException:
    """Returns DatabaseUnavailable for an error of the file or the disk, Invalid for a value that cannot be stored,
    and any other error as it is."""
    if isinstance(error, OverflowError | UnicodeEncodeError):
        invalid = Invalid(NOT_STORABLE)
        invalid.__cause__ = error
        return invalid
    if (damage := find_damaged_text(error)) is not None:
        damage.__cause__ = error
        error = damage
    if not isinstance(error, sqlite3.Error) or _primary_code(error) not in _UNAVAILABLE:
        return error
    if is_full(error):
        explained: DatabaseUnavailable = DatabaseFull(str(error))
    else:
        explained = DatabaseUnavailable(str(error), is_temporary=_primary_code(error) in _TEMPORARY)
    explained.__cause__ = error
    return explained


async def run_on_thread(
    connection: SqliteConnection,
    work: Callable[[], T],
    seconds: float | None = MAX_UNIT_SECONDS,
    *,
    is_reopening: bool = False,
) -> T:
    """Runs all of `work` on the connection's own thread: its queue is the one private part of aiosqlite that is used,
    held by a contract test. Raises DatabaseUnavailable if that takes longer than `seconds`.

    A client that disconnects cancels only the waiting, never work that has begun. What nobody waits for any more is
    not begun.
    """
    if connection._connection is None:
        raise ValueError("this database is closed")
    if connection.is_stuck:
        raise DatabaseUnavailable("its disk does not answer")
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    run = (lambda work: work()) if is_reopening else connection.run
    connection._tx.put_nowait((future, lambda: None if future.done() else run(work)))
    limit = None if seconds is None else loop.call_later(seconds, _give_up, connection, future)
    try:
        result: T = await future
    finally:
        if limit is not None:
            limit.cancel()
    return result


def _give_up(connection: SqliteConnection, future: asyncio.Future[Any]) -> None:
    if not future.done():
        connection.is_stuck = True
        future.set_exception(DatabaseUnavailable(f"it did not answer within {MAX_UNIT_SECONDS:.0f} seconds"))


async def close_all(*connections: SqliteConnection) -> None:
    for connection in connections:
        with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
            await connection.close()


async def connect(path: str, *pragmas: str) -> SqliteConnection:
    connection = SqliteConnection(path, pragmas)
    try:
        await connection
    except BaseException:
        connection._thread.join(JOIN_SECONDS)  # it has been told to end, and would outlive the event loop
        raise
    try:
        await run_on_thread(connection, connection.prepare)
    except BaseException:
        await close_all(connection)
        raise
    return connection
