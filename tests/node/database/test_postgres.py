"""PostgreSQL: units of work that lose a race are run again, lost connections are replaced, a page is one snapshot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import psycopg
import pytest

from node.config import Config
from node.database import Reader, Site, Writer
from node.database.postgres import CONNECTIONS, MAX_TRIES, PostgresDatabase, open_postgres
from node.errors import DatabaseUnavailable

ENGINES = ("postgresql",)

SITE = Site("https", "a.test", b"a secret that only the tests know")


@pytest.fixture
async def database(options: Config) -> AsyncIterator[PostgresDatabase]:
    database = await open_postgres(options.database.url, SITE)
    yield database
    await database.close()


def put(tx: Writer, key: str, value: str) -> None:
    tx.run("INSERT INTO settings (key, value) VALUES (:key, :value)", key=key, value=value)


def value(tx: Reader, key: str) -> str | None:
    found: str | None = tx.value("SELECT value FROM settings WHERE key = :key", key=key)
    return found


async def test_who_waits_too_long_for_a_row_may_try_again(database: PostgresDatabase) -> None:
    await database.write(put, "test", "")
    may_end, has_begun = threading.Event(), threading.Event()

    def hold(tx: Writer) -> None:
        tx.run("UPDATE settings SET value = 'a' WHERE key = 'test'")
        has_begun.set()
        may_end.wait(60)

    def wait(tx: Writer) -> None:
        tx.run("SET LOCAL lock_timeout = '50ms'")
        tx.run("UPDATE settings SET value = 'b' WHERE key = 'test'")

    holding = asyncio.create_task(database.write(hold))
    await asyncio.to_thread(has_begun.wait, 30)
    try:
        assert await database.read(lambda tx: tx.value("SHOW lock_timeout")) == "10s"
        with pytest.raises(DatabaseUnavailable) as refused:
            await database.write(wait)
    finally:
        may_end.set()
        await holding
    assert refused.value.is_temporary


async def test_units_in_a_deadlock_are_run_again_and_both_are_done(database: PostgresDatabase) -> None:
    await database.write(put, "test a", "")
    await database.write(put, "test b", "")
    both_hold_a_row = threading.Barrier(2)
    runs: list[str] = []

    def unit(tx: Writer, name: str, first: str, second: str) -> None:
        runs.append(name)
        append = "UPDATE settings SET value = value || :name WHERE key = :key"
        tx.run(append, name=name, key=first)
        if runs.count(name) == 1:
            both_hold_a_row.wait(30)
        tx.run(append, name=name, key=second)

    await asyncio.gather(
        database.write(unit, "1", "test a", "test b"), database.write(unit, "2", "test b", "test a")
    )

    # One of the two was run again; on a busy server perhaps more than once.
    assert len(runs) >= 3
    for key in ("test a", "test b"):
        assert sorted(await database.read(value, key) or "") == ["1", "2"]


async def test_a_unit_that_always_loses_ends_with_the_error(database: PostgresDatabase) -> None:
    tries: list[int] = []

    def unit(tx: Writer) -> None:
        tries.append(1)
        put(tx, "test", "x")
        raise psycopg.errors.SerializationFailure

    with pytest.raises(psycopg.errors.SerializationFailure):
        await database.write(unit)

    assert len(tries) == MAX_TRIES
    assert await database.read(value, "test") is None


async def test_any_other_error_is_not_tried_again(database: PostgresDatabase) -> None:
    tries: list[int] = []

    def unit(tx: Writer) -> None:
        tries.append(1)
        raise KeyError

    with pytest.raises(KeyError):
        await database.write(unit)

    assert len(tries) == 1


async def test_a_read_is_one_snapshot(database: PostgresDatabase) -> None:
    has_read, has_written = threading.Event(), threading.Event()

    def unit(tx: Reader) -> tuple[str | None, str | None]:
        before = value(tx, "test")
        has_read.set()
        has_written.wait(30)
        return before, value(tx, "test")

    reading = asyncio.create_task(database.read(unit))
    await asyncio.to_thread(has_read.wait, 30)
    await database.write(put, "test", "x")
    has_written.set()

    assert await reading == (None, None)
    assert await database.read(value, "test") == "x"


async def test_lost_connections_are_replaced(database: PostgresDatabase, options: Config) -> None:
    await asyncio.gather(*[database.read(value, "test") for _ in range(2 * CONNECTIONS)])
    with psycopg.connect(options.database.url, autocommit=True) as admin:
        admin.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        )

    results = await asyncio.gather(
        *[database.read(value, "test") for _ in range(2 * CONNECTIONS)], return_exceptions=True
    )

    assert sum(isinstance(result, psycopg.OperationalError) for result in results) <= CONNECTIONS
    assert [await database.read(value, "test") for _ in range(CONNECTIONS)] == [None] * CONNECTIONS


async def test_one_row_and_many_rows_are_inserted_alike(database: PostgresDatabase) -> None:
    statement = "INSERT INTO settings (key, value) VALUES (:key, :value)"
    for numbers in ([], [0], [1, 2, 3]):
        await database.write(
            lambda tx, rows: tx.many(statement, rows), [{"value": "x", "key": f"test {n}"} for n in numbers]
        )

    assert (
        await database.read(lambda tx: tx.value("SELECT COUNT(*) FROM settings WHERE key LIKE 'test%'")) == 4
    )


async def test_no_owner_of_a_list_is_taken_for_a_frequent_value(database: PostgresDatabase) -> None:
    """Otherwise a plan made without values reads everybody's rows by their id, where few accounts have rows."""
    lists = await database.read(
        lambda tx: tx.all(
            """SELECT DISTINCT t.relname || '.' || first.attname AS name,
                      COALESCE(first.attoptions && '{n_distinct=-0.01,n_distinct=-0.1,n_distinct=100}', FALSE) AS is_rare
               FROM pg_index i
               JOIN pg_class t ON t.oid = i.indrelid
               JOIN pg_index key ON key.indrelid = t.oid AND key.indisprimary
               JOIN pg_attribute first ON first.attrelid = t.oid AND first.attnum = i.indkey[0]
               WHERE t.relnamespace = 'public'::regnamespace AND i.indnkeyatts > 1
                 AND i.indkey[i.indnkeyatts - 1] = key.indkey[0] AND key.indnkeyatts = 1
                 AND first.atttypid <> 'boolean'::regtype"""
        )
    )
    assert len(lists) > 20
    of_frequent_values = {"blocks.account_id", "jobs.kind", "jobs.lane", "users.state"}
    assert {one["name"] for one in lists if not one["is_rare"]} == of_frequent_values


async def test_a_database_restored_from_a_dump_gets_statistics_before_it_is_used(
    database: PostgresDatabase, options: Config
) -> None:
    """A dump holds none, and without them the server plans as if it knew nothing of a table."""

    def fill(tx: Writer) -> None:
        tx.run(
            """INSERT INTO settings (key, value)
               SELECT 'key ' || n, repeat('x', 100) FROM generate_series(1, 3000) AS n"""
        )

    def has_statistics(tx: Reader) -> bool:
        return tx.value("SELECT 1 FROM pg_stats WHERE tablename = 'settings' LIMIT 1") is not None

    await database.write(fill)
    assert not await database.read(has_statistics)

    restarted = await open_postgres(options.database.url, SITE)
    try:
        assert await restarted.read(has_statistics)
    finally:
        await restarted.close()


async def test_a_node_starts_while_somebody_else_analyzes_a_table_without_statistics(
    database: PostgresDatabase, options: Config
) -> None:
    await database.write(
        lambda tx: tx.run(
            """INSERT INTO settings (key, value)
               SELECT 'key ' || n, repeat('x', 100) FROM generate_series(1, 3000) AS n"""
        )
    )
    with psycopg.connect(options.database.url) as other:
        other.execute("LOCK TABLE settings IN SHARE UPDATE EXCLUSIVE MODE")  # as ANALYZE and VACUUM do
        restarted = await open_postgres(options.database.url, SITE)
        try:
            assert await restarted.read(lambda tx: tx.value("SELECT COUNT(*) FROM settings")) >= 3000
        finally:
            await restarted.close()
