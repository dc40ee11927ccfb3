"""Migrations run once, in order, all or none of the new ones; an older program refuses a newer database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.database import Database, migrate


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def test_an_older_program_refuses_a_database_of_a_newer_one(connection: sqlite3.Connection) -> None:
    migrate.migrate_sqlite(connection)
    migrate.migrate_sqlite(connection)  # nothing left to do, nothing done
    connection.execute("INSERT INTO migrations VALUES (9999, 'from the future')")

    with pytest.raises(migrate.DatabaseTooNew, match="newer version"):
        migrate.migrate_sqlite(connection)


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    connection: sqlite3.Connection,
) -> None:
    connection.execute("CREATE TABLE accounts (id INTEGER)")  # in the way of the first migration

    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate.migrate_sqlite(connection)

    assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["accounts"]
    assert not connection.in_transaction


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_migrations_run_in_the_order_of_their_unique_numbers(dialect: str) -> None:
    numbers = [number for number, _, _ in migrate.files(dialect)]

    assert numbers == sorted(set(numbers))
    assert numbers[0] == 1


def test_only_migrations_that_have_not_run_are_pending() -> None:
    every = migrate.files("sqlite")

    assert migrate.pending("sqlite", set()) == every
    assert migrate.pending("sqlite", {number for number, _, _ in every[:-1]}) == every[-1:]


async def test_a_new_database_is_at_the_newest_migration(db: Database, engine: str) -> None:
    dialect = "postgres" if engine == "postgresql" else "sqlite"

    assert await db.read(migrate.latest) == migrate.files(dialect)[-1][0]


@given(
    st.lists(
        st.sampled_from(["SELECT 1;\n", "-- a; comment\nSELECT ';';\n", "CREATE TABLE a (b\n  TEXT);\n"])
    )
)
def test_a_script_is_split_where_statements_end(statements: list[str]) -> None:
    assert migrate._statements("".join(statements)) == statements
