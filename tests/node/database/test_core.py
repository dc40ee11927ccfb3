"""Units of work: whole, apart from each other, and the same on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import inspect
import sqlite3

import aiosqlite
import pytest

from node.database import Reader, Writer, migrate
from node.node import Node


def keep(tx: Writer, key: str, value: str) -> None:
    tx.run("INSERT INTO settings (key, value) VALUES (:key, :value)", key=key, value=value)


def kept(tx: Reader) -> list[str]:
    return [row["key"] for row in tx.all("SELECT key FROM settings WHERE key LIKE 'test%' ORDER BY key")]


async def test_what_one_unit_does_becomes_true_together_or_not_at_all(node: Node) -> None:
    def half(tx: Writer) -> None:
        keep(tx, "test 1", "x")
        raise RuntimeError("and then the lights went out")

    with pytest.raises(RuntimeError, match="lights"):
        await node.db.write(half)

    assert await node.db.read(kept) == []


async def test_a_unit_that_fails_takes_none_of_its_neighbours_with_it(node: Node) -> None:
    def bad(tx: Writer) -> None:
        keep(tx, "test bad", "x")
        keep(tx, "test bad", "twice")

    results = await asyncio.gather(
        *[node.db.write(keep, f"test {n}", "x") for n in range(5)],
        node.db.write(bad),
        *[node.db.write(keep, f"test {n}", "x") for n in range(5, 9)],
        return_exceptions=True,
    )

    assert [n for n, result in enumerate(results) if result is not None] == [5]
    assert await node.db.read(kept) == [f"test {n}" for n in range(9)]


async def test_a_browser_that_leaves_cannot_stop_a_unit_half_way(node: Node) -> None:
    def slow(tx: Writer) -> None:
        keep(tx, "test first", "x")
        for _ in range(200):
            tx.value("SELECT COUNT(*) FROM accounts a, accounts b")
        keep(tx, "test second", "x")

    for wait in (0, 0.0005, 0.002, 0.01):
        task = asyncio.create_task(node.db.write(slow))
        await asyncio.sleep(wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await node.db.write(keep, f"test after {wait}", "x")  # behind it, not inside it
        both = {"test first", "test second"} & set(await node.db.read(kept))
        assert len(both) in (0, 2)
        await node.db.write(lambda tx: tx.run("DELETE FROM settings WHERE key LIKE 'test%'"))


async def test_a_reader_cannot_write(node: Node) -> None:
    def sneak(tx: Reader) -> None:
        tx.all("INSERT INTO settings (key, value) VALUES ('test', 'x') RETURNING key")

    with pytest.raises(Exception, match=r"(?i)read-?only"):
        await node.db.read(sneak)

    assert await node.db.read(kept) == []


async def test_a_list_stands_for_its_values_and_an_empty_one_for_nothing(node: Node) -> None:
    for n in range(7):
        await node.db.write(keep, f"test {n}", str(n))

    def some(tx: Reader, keys: list[str]) -> list[str]:
        rows = tx.all(
            "SELECT value FROM settings WHERE key IN (:keys) AND key <> :but ORDER BY key",
            keys=keys,
            but="test 2",
        )
        return [row["value"] for row in rows]

    assert await node.db.read(some, ["test 1", "test 2", "test 5"]) == ["1", "5"]
    assert await node.db.read(some, []) == []


async def test_percent_signs_and_colons_in_a_statement_are_left_alone(node: Node) -> None:
    row = await node.db.read(
        lambda tx: tx.one("SELECT '100%' AS a, 'a:b' AS b, CAST(:x AS TEXT) AS c", x="y%s")
    )

    assert row is not None
    assert (row["a"], row["b"], row["c"]) == ("100%", "a:b", "y%s")


async def test_what_waits_for_the_commit_is_called_after_it_and_never_after_a_failure(node: Node) -> None:
    called: list[str] = []

    def good(tx: Writer) -> None:
        tx.after_commit(lambda: called.append("good"))
        assert called == []

    def bad(tx: Writer) -> None:
        tx.after_commit(lambda: called.append("bad"))
        raise RuntimeError

    await node.db.write(good)
    with pytest.raises(RuntimeError):
        await node.db.write(bad)

    assert called == ["good"]


async def test_many_writers_at_once_count_every_one(node: Node) -> None:
    await node.db.write(keep, "test count", "0")

    def count(tx: Writer) -> None:
        tx.run(
            "UPDATE settings SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = :key",
            key="test count",
        )

    await asyncio.gather(*[node.db.write(count) for _ in range(100)])

    assert (
        await node.db.read(lambda tx: tx.value("SELECT value FROM settings WHERE key = 'test count'"))
        == "100"
    )


def test_an_older_program_refuses_a_database_that_a_newer_one_has_changed() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate.sqlite(connection)
    migrate.sqlite(connection)  # nothing left to do, nothing done
    connection.execute("INSERT INTO migrations VALUES (9999, 'from the future')")

    with pytest.raises(migrate.TooNew, match="newer version"):
        migrate.sqlite(connection)
    connection.close()


def test_the_one_private_call_we_make_is_still_there() -> None:
    """node/database/sqlite.py runs whole units through it; a new aiosqlite must be looked at."""
    assert list(inspect.signature(aiosqlite.Connection._execute).parameters) == [
        "self",
        "fn",
        "args",
        "kwargs",
    ]
