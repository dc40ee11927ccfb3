"""Migrations: `migrations/NNNN_name.sql`, run once each, in order, all new ones in one transaction.

A pair `NNNN_name.sqlite.sql` / `NNNN_name.postgres.sql` stands where the dialects must differ. They
are forward-only, and an older program refuses a database that a newer one has changed.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from importlib import resources
from typing import Any

from node.database.core import Reader

_FILE = re.compile(r"(\d{4})_[a-z0-9_]+(?:\.(sqlite|postgres))?\.sql")
LOCK_SECONDS = 15
_TABLE = """
    CREATE TABLE IF NOT EXISTS migrations (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL
    )
"""


class DatabaseTooNew(Exception):
    """The database has been changed by a newer program than this one."""


def files(dialect: str) -> list[tuple[int, str, str]]:
    """Returns (number, name, SQL) of every migration for `sqlite` or `postgres`, in order."""
    found = []
    for file in resources.files("node.database").joinpath("migrations").iterdir():
        match = _FILE.fullmatch(file.name)
        if match and match[2] in (None, dialect):
            found.append((int(match[1]), file.name, file.read_text("utf-8")))
    return sorted(found)


def pending(dialect: str, done: set[int]) -> list[tuple[int, str, str]]:
    """Returns the migrations still to run.

    Raises `DatabaseTooNew` when `done` holds one that is unknown here.
    """
    known = files(dialect)
    unknown = done - {number for number, _, _ in known}
    if unknown:
        raise DatabaseTooNew(
            f"This database was changed by a newer version of Tintype (migration {max(unknown):04}). "
            "Start that version, or restore a backup made before the upgrade."
        )
    return [entry for entry in known if entry[0] not in done]


def latest(tx: Reader) -> int:
    """Returns the number of the newest migration that has run."""
    return int(tx.value("SELECT MAX(number) FROM migrations"))


def migrate_sqlite(connection: sqlite3.Connection) -> None:
    """Migrates a SQLite database to the newest version."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_TABLE)
        done = {row[0] for row in connection.execute("SELECT number FROM migrations")}
        for number, name, script in pending("sqlite", done):
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute("INSERT INTO migrations VALUES (?, ?)", (number, name))
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):  # the first error says more
            connection.execute("ROLLBACK")
        raise


def migrate_postgres(connection: Any) -> None:
    """Migrates a PostgreSQL database to the newest version; two processes starting at once wait for each other.

    A migration may take as long as it needs, but waits no longer than that for another process that hangs.
    """
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        connection.execute("SELECT pg_advisory_xact_lock(7416903)")
        connection.execute(_TABLE)
        done = {row[0] for row in connection.execute("SELECT number FROM migrations").fetchall()}
        for number, name, script in pending("postgres", done):
            connection.execute(script)
            connection.execute("INSERT INTO migrations VALUES (%s, %s)", (number, name))


def _statements(script: str) -> list[str]:
    """Splits a script into statements, because sqlite3 runs one at a time in a transaction."""
    statements, pending_lines = [], ""
    for line in script.splitlines(keepends=True):
        pending_lines += line
        if sqlite3.complete_statement(pending_lines):
            statements.append(pending_lines)
            pending_lines = ""
    return statements
