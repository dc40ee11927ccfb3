"""Connections to PostgreSQL: those that hang are cut, those that are lost are replaced, and both are told apart."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg import errors

from node.config import Config
from node.database.postgres_pool import PostgresPool, Slot, explain
from node.errors import DatabaseFull, DatabaseUnavailable, Invalid
from tests.support.database_proxy import DatabaseProxy
from tests.support.parallel import ONE_AT_A_TIME

pytestmark = ONE_AT_A_TIME
ENGINES = ("postgresql",)


@pytest.fixture
async def proxy(options: Config) -> AsyncIterator[DatabaseProxy]:
    async with DatabaseProxy(options.database.url) as proxy:
        yield proxy


@pytest.fixture
async def pool(proxy: DatabaseProxy) -> AsyncIterator[PostgresPool]:
    pool = PostgresPool(proxy.url, 2)
    yield pool
    await pool.close()


def select(slot: Slot, connection: psycopg.Connection[tuple[int]]) -> int:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return row[0]


async def test_nobody_waits_for_a_server_that_hangs(pool: PostgresPool, proxy: DatabaseProxy) -> None:
    await pool.run(select)
    proxy.swallow()

    answers = await asyncio.wait_for(
        asyncio.gather(*[pool.run(select) for _ in range(20)], return_exceptions=True), 20
    )
    assert all(isinstance(answer, DatabaseUnavailable) for answer in answers)
    with pytest.raises(DatabaseUnavailable):
        await asyncio.wait_for(pool.run(select), 1)  # at once: it is known to be away

    proxy.flow()
    async with asyncio.timeout(15):
        while True:
            try:
                await pool.run(select)
                break
            except DatabaseUnavailable:
                await asyncio.sleep(0.1)


async def test_one_connection_that_hangs_is_cut_in_the_end(
    pool: PostgresPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.database.postgres_pool.STUCK_SECONDS", 3.0)
    pid = await pool.run(select)
    os.kill(pid, signal.SIGSTOP)
    try:
        answers = await asyncio.wait_for(
            asyncio.gather(*[pool.run(select) for _ in range(20)], return_exceptions=True), 20
        )
    finally:
        os.kill(pid, signal.SIGCONT)

    assert sum(isinstance(answer, DatabaseUnavailable) for answer in answers) <= 1
    assert pid not in answers


async def test_work_is_done_again_on_a_new_connection_unless_it_was_being_committed(
    pool: PostgresPool, proxy: DatabaseProxy
) -> None:
    tries: list[bool] = []

    def work(slot: Slot, connection: psycopg.Connection[tuple[int]], is_committing: bool) -> int:
        tries.append(is_committing)
        slot.is_committing = is_committing
        return select(slot, connection)

    for is_committing in (False, True):
        await asyncio.gather(pool.run(select), pool.run(select))
        proxy.cut()
        await asyncio.sleep(0.1)
        result = pool.run(lambda slot, connection, which=is_committing: work(slot, connection, which))
        if is_committing:
            with pytest.raises(DatabaseUnavailable):
                await result
        else:
            assert await result

    assert tries == [False, False, True]


async def test_a_pool_that_hangs_is_closed_in_time(pool: PostgresPool, proxy: DatabaseProxy) -> None:
    await pool.run(select)
    proxy.swallow()
    waiting = [asyncio.create_task(pool.run(select)) for _ in range(4)]
    await asyncio.sleep(0.1)

    await asyncio.wait_for(pool.close(), 4)

    answers = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
    assert all(isinstance(answer, Exception) for answer in answers), answers


async def test_the_server_ends_statements_that_take_too_long(pool: PostgresPool) -> None:
    def limit(slot: Slot, connection: psycopg.Connection[tuple[str]]) -> str:
        row = connection.execute("SHOW statement_timeout").fetchone()
        assert row is not None
        return row[0]

    assert await pool.run(limit) == "15s"
    with pytest.raises(DatabaseUnavailable) as unavailable:
        await pool.run(
            lambda slot, connection: connection.execute(
                "SET statement_timeout = 50; SELECT pg_sleep(60)"
            ).fetchone()
        )
    assert not unavailable.value.is_temporary, "a job would run it again for ever"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.AdminShutdown, DatabaseUnavailable),
        (errors.TooManyConnections, DatabaseUnavailable),
        (errors.DiskFull, DatabaseFull),
        (errors.ReadOnlySqlTransaction, DatabaseUnavailable),
        (errors.DataCorrupted, DatabaseUnavailable),
        (errors.QueryCanceled, DatabaseUnavailable),
        (psycopg.OperationalError, DatabaseUnavailable),
        (psycopg.DataError, Invalid),
        (errors.NumericValueOutOfRange, Invalid),
        (errors.UniqueViolation, errors.UniqueViolation),
        (errors.UndefinedTable, errors.UndefinedTable),
        (errors.SerializationFailure, errors.SerializationFailure),
        (errors.InvalidTextRepresentation, errors.InvalidTextRepresentation),
    ],
)
def test_each_error_is_told_as_what_it_is(
    engine: str, error: type[psycopg.Error], expected: type[Exception]
) -> None:
    try:
        found: Exception = explain(error("x"))
    except Exception as raised:
        found = raised

    assert type(found) is expected


def test_no_thread_of_a_closed_pool_stays(engine: str) -> None:
    before = set(threading.enumerate())

    async def run() -> None:
        pool = PostgresPool("postgresql://nobody@127.0.0.1:1/none", 2)
        with pytest.raises(DatabaseUnavailable):
            await pool.run(select)
        await pool.close()
        await asyncio.sleep(0.5)

    asyncio.run(run())

    assert set(threading.enumerate()) == before
