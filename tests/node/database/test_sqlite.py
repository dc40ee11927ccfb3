"""SQLite: one writer with group commit, readers that cannot write, and a file that only one process writes."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable
from pathlib import Path

import aiosqlite
import pytest

from node.database import Reader, Site, Writer, open_database, sqlite
from node.database.lock import DatabaseInUse, acquire
from node.database.reserve import MIN_BYTES
from node.database.sqlite import MAX_UNITS_PER_COMMIT, open_sqlite
from node.database.sqlite_connection import SqliteConnection, run_on_thread
from node.errors import DatabaseFull, DatabaseUnavailable

SITE = Site("https", "a.test", b"a secret that only the tests know")


def put(tx: Writer, key: str) -> None:
    tx.run("INSERT INTO settings (key, value) VALUES (:key, 'x')", key=key)


def put_many(tx: Writer) -> None:
    for n in range(1000):
        put(tx, f"test {n} {'x' * 4000}")


def number_of_settings(tx: Reader) -> int:
    return int(tx.value("SELECT COUNT(*) FROM settings WHERE key LIKE 'test%'"))


async def test_a_database_opened_beside_another_process_cannot_be_written(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'tintype.db'}"
    first = await open_database(url, SITE)
    beside = await open_database(url, SITE, read_only=True)
    try:
        assert await beside.read(lambda tx: tx.value("SELECT COUNT(*) FROM accounts")) == 0
        with pytest.raises(PermissionError):
            await beside.write(lambda tx: tx.run("DELETE FROM accounts"))
    finally:
        await beside.close()
        await first.close()


async def test_the_private_parts_of_aiosqlite_are_still_there() -> None:
    """node/database/sqlite_connection.py runs units through the queue of a connection's thread, which it opens again
    by its connector; a new aiosqlite must be checked."""
    async with aiosqlite.connect(":memory:") as connection:
        future = asyncio.get_running_loop().create_future()
        connection._tx.put_nowait((future, lambda: connection._conn.execute("SELECT 7").fetchone()[0]))
        assert await future == 7
        assert isinstance(connection._connection, sqlite3.Connection)
        assert connection._thread.is_alive()
        connection._connector().close()


async def test_the_folder_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    database = await open_sqlite(str(tmp_path / "data" / "a.db"), SITE)
    try:
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        assert await database.read(lambda tx: tx.value("PRAGMA journal_mode")) == "wal"
        assert await database.read(lambda tx: tx.value("PRAGMA foreign_keys")) == 1
    finally:
        await database.close()


async def test_more_units_than_fit_in_one_commit_are_all_written(tmp_path: Path) -> None:
    database = await open_sqlite(str(tmp_path / "a.db"), SITE)
    try:
        count = 2 * MAX_UNITS_PER_COMMIT + 1
        await asyncio.gather(*[database.write(put, f"test {n}") for n in range(count)])

        assert await database.read(number_of_settings) == count
    finally:
        await database.close()


async def test_closing_waits_for_units_that_are_still_queued(tmp_path: Path) -> None:
    database = await open_sqlite(str(tmp_path / "a.db"), SITE)
    units = [asyncio.create_task(database.write(put, f"test {n}")) for n in range(100)]
    await asyncio.sleep(0)

    await database.close()

    await asyncio.gather(*units)
    again = await open_sqlite(str(tmp_path / "a.db"), SITE)
    assert await again.read(number_of_settings) == 100
    await again.close()


async def test_a_database_that_cannot_be_opened_leaves_no_lock_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_text("this is not a database, and it is long enough to be read as one" * 20)

    with pytest.raises(Exception, match="not a database"):
        await open_sqlite(str(path), SITE)

    (await acquire(str(path), timeout_seconds=0)).release()


async def test_closing_releases_the_file_for_the_next_process(tmp_path: Path) -> None:
    database = await open_sqlite(str(tmp_path / "a.db"), SITE)
    with pytest.raises(DatabaseInUse):
        await acquire(str(tmp_path / "a.db"), timeout_seconds=0)

    await database.close()

    (await acquire(str(tmp_path / "a.db"), timeout_seconds=0)).release()


def _remove(file: Path) -> None:
    file.unlink()


def _make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _remove_tables(file: Path) -> None:
    file.unlink()
    sqlite3.connect(file).close()


@pytest.mark.parametrize("lose", [_remove, _make_folder, _remove_tables])
async def test_a_file_that_is_lost_is_unavailable_and_no_empty_database(
    tmp_path: Path, lose: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "REOPEN_SECONDS", 0.01)
    file, copy = tmp_path / "t.db", tmp_path / "copy"
    database = await open_sqlite(str(file), SITE)
    try:
        await database.write(lambda tx: tx.run("CREATE TABLE kept (n INTEGER)"))
        await database.write(
            lambda tx: tx.many("INSERT INTO kept VALUES (:n)", [{"n": n} for n in range(50)])
        )
        with contextlib.closing(sqlite3.connect(copy)) as target:
            await database.read(lambda tx: tx._connection.backup(target))  # type: ignore[attr-defined]
        writer = database._writer
        assert writer is not None
        checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"  # else the log could restore the file
        await run_on_thread(writer, lambda: writer._conn.execute(checkpoint).fetchall())
        lose(file)

        async def outcomes(seconds: float) -> set[str]:
            found = set()
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                for run in (database.read, database.write):
                    try:
                        found.add(str(await run(lambda tx: tx.value("SELECT COUNT(*) FROM kept"))))
                    except DatabaseUnavailable:
                        found.add("unavailable")
            return found

        while "unavailable" not in await outcomes(0.05):
            database._reopen_if_damaged(_damaged(database))
        assert await outcomes(0.5) == {"unavailable"}
        assert file.is_file() == (lose is _remove_tables)

        if file.is_dir():
            file.rmdir()
        shutil.copyfile(copy, file)
        async with asyncio.timeout(20):
            while "unavailable" in await outcomes(0.1):
                pass
        assert await outcomes(0.1) == {"50"}
    finally:
        await database.close()


async def test_a_quota_is_a_full_disk_and_no_damage(tmp_path: Path) -> None:
    """SQLite calls it an I/O error. The space that was kept is given away, and reading goes on all the time."""
    database = await open_sqlite(str(tmp_path / "t.db"), SITE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        await database.write(put, "test")
        reserve = tmp_path / "t.db.reserve"
        assert reserve.exists()

        resource.setrlimit(resource.RLIMIT_FSIZE, (MIN_BYTES // 2, limits[1]))
        with pytest.raises(DatabaseFull):
            await database.write(put_many)
        assert not reserve.exists()
        before = await database.read(number_of_settings)
        for _ in range(3):
            with pytest.raises(DatabaseFull):
                await database.write(put, "test again" + "x" * 8000)
        assert database._reopening is None
        assert await database.read(number_of_settings) == before

        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        await database.write(put, "test when there is room")
        assert await database.read(number_of_settings) == before + 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        await database.close()


def _damaged(database: sqlite.SqliteDatabase) -> SqliteConnection:
    """A connection that has noticed: what is cached is read without the file."""
    connection = database._readers[0]
    connection.is_damaged = True
    return connection
