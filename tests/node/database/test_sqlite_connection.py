"""One connection with its thread: errors of the file are told apart, and nobody waits for a thread that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.database import Site
from node.database.sqlite import SqliteReader
from node.database.sqlite_connection import SqliteConnection, close_all, connect, explain, run_on_thread
from node.errors import DatabaseUnavailable, Invalid

SITE = Site("https", "a.test", b"a secret that only the tests know")


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[SqliteConnection]:
    connection = await connect(str(tmp_path / "a.db"))
    yield connection
    await close_all(connection)


def raised_by(connection: sqlite3.Connection, sql: str) -> sqlite3.Error:
    with pytest.raises(sqlite3.Error) as raised:
        connection.execute(sql).fetchall()
    return raised.value


def test_errors_of_the_file_are_told_from_those_of_a_statement(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database" * 1000)
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "text.db")) as text,
        contextlib.closing(sqlite3.connect(":memory:")) as empty,
    ):
        damaged = raised_by(text, "SELECT * FROM sqlite_master")
        other = raised_by(empty, "SELECT * FROM nothing")

    explained = explain(damaged)
    assert isinstance(explained, DatabaseUnavailable)
    assert not explained.is_temporary
    assert "file is not a database" in str(explained)
    assert explain(other) is other
    assert isinstance(explain(OverflowError()), Invalid)
    assert explain(KeyError("a")).args == ("a",)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST(x'8f' AS TEXT)",
        "SELECT * FROM renamed",
        "SELECT json_extract('{}', CAST(x'8f' AS TEXT))",
    ],
    ids=["value", "name of a column", "text in an error"],
)
async def test_text_that_is_not_utf8_is_damage_of_the_file(connection: SqliteConnection, sql: str) -> None:
    def work() -> None:
        raw = connection._conn
        raw.execute("CREATE TABLE renamed (abc)")
        raw.execute("PRAGMA writable_schema = ON")
        raw.execute(
            "UPDATE sqlite_master SET sql = CAST(replace(CAST(sql AS BLOB), 'abc', x'8f6263') AS TEXT)"
        )
        raw.execute("PRAGMA schema_version = 55")
        SqliteReader(raw, SITE).all(sql)

    with pytest.raises(sqlite3.DatabaseError) as raised:
        await run_on_thread(connection, work)

    assert connection.is_damaged
    explained = explain(raised.value)
    assert isinstance(explained, DatabaseUnavailable)
    assert not explained.is_temporary
    assert "damaged" in str(explained)


@pytest.mark.parametrize("is_in_unit", [True, False], ids=["a unit", "nothing of SQLite"])
def test_other_bytes_that_cannot_be_decoded_are_no_damage_of_the_file(is_in_unit: bool) -> None:
    with pytest.raises(UnicodeDecodeError) as raised:
        b"\x8f".decode()
    error = raised.value if is_in_unit else UnicodeDecodeError("utf-8", b"\x8f", 0, 1, "invalid")

    assert explain(error) is error


async def test_who_waits_for_a_thread_that_hangs_is_told(connection: SqliteConnection) -> None:
    release = threading.Event()

    with pytest.raises(DatabaseUnavailable):
        await run_on_thread(connection, lambda: release.wait(60), 0.05)
    with pytest.raises(DatabaseUnavailable):  # at once: it is known to hang
        await asyncio.wait_for(run_on_thread(connection, lambda: 1, None), 5)

    release.set()
    async with asyncio.timeout(10):
        while connection.is_stuck:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert await run_on_thread(connection, lambda: 1) == 1


async def test_what_nobody_waits_for_any_more_is_not_begun(connection: SqliteConnection) -> None:
    release, begun = threading.Event(), list[int]()
    busy = asyncio.create_task(run_on_thread(connection, lambda: release.wait(60)))
    await asyncio.sleep(0.01)
    left = asyncio.create_task(run_on_thread(connection, lambda: begun.append(1)))
    await asyncio.sleep(0.01)
    left.cancel()

    release.set()
    await busy
    await run_on_thread(connection, lambda: None)

    assert begun == []


async def test_a_file_that_cannot_be_opened_leaves_no_thread_behind(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "text.db").write_text("no database" * 1000)
    before = set(threading.enumerate())

    for name in ("folder.db", "text.db"):
        with pytest.raises(sqlite3.Error):
            await connect(str(tmp_path / name), "journal_mode = WAL")

    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()


async def test_a_file_is_opened_again(connection: SqliteConnection) -> None:
    await run_on_thread(connection, lambda: connection._conn.execute("CREATE TABLE migrations (number)"))
    await run_on_thread(connection, connection.shut, is_reopening=True)
    with pytest.raises(DatabaseUnavailable):
        await run_on_thread(connection, lambda: 1)

    await run_on_thread(connection, connection.reopen, is_reopening=True)
    with pytest.raises(DatabaseUnavailable):
        await run_on_thread(connection, connection.read_schema)
    await run_on_thread(connection, connection.resume, is_reopening=True)

    await run_on_thread(connection, connection.read_schema)
