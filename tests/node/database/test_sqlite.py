"""SQLite: one writer with group commit, readers that cannot write, and a file that only one process writes."""

from __future__ import annotations

import asyncio
import inspect
import stat
from pathlib import Path

import aiosqlite
import pytest

from node.database import Reader, Site, Writer, open_database
from node.database.lock import DatabaseInUse, acquire
from node.database.sqlite import MAX_UNITS_PER_COMMIT, open_sqlite

SITE = Site("https", "a.test", b"a secret that only the tests know")


def put(tx: Writer, key: str) -> None:
    tx.run("INSERT INTO settings (key, value) VALUES (:key, 'x')", key=key)


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


def test_the_one_private_call_of_aiosqlite_still_exists() -> None:
    """node/database/sqlite.py runs whole units through it; a new aiosqlite must be checked."""
    assert list(inspect.signature(aiosqlite.Connection._execute).parameters) == [
        "self",
        "fn",
        "args",
        "kwargs",
    ]


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
