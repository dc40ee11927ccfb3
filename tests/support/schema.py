"""The tables of a migrated database: their columns, and the modules that own them."""

from __future__ import annotations

import functools
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from node.database import migrate

ROOT = Path(__file__).parents[2]
MIGRATIONS = ROOT / "node" / "database" / "migrations"


@dataclass(frozen=True)
class Column:
    table: str
    name: str
    type: str
    is_required: bool
    """NOT NULL or in the primary key, and without a default."""
    references: str
    """The table whose id it holds, where the schema says so; otherwise ''."""


@functools.cache
def columns() -> list[Column]:
    """Every column of every table, as SQLite describes them after all migrations."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate.migrate_sqlite(connection)
    found = []
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"):
        references = {row[3]: row[2] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
        found += [
            Column(table, name, type_, bool(not_null or key) and default is None, references.get(name, ""))
            for _, name, type_, not_null, default, key in connection.execute(f"PRAGMA table_info({table})")
        ]
    connection.close()
    return found


def owners() -> dict[str, str]:
    """Table → the module that owns it. A table is named right under its owner's line."""
    found: dict[str, str] = {}
    for file in sorted(MIGRATIONS.glob("*.sql")):
        owner = ""
        for line in file.read_text().splitlines():
            if match := re.match(r"-- owner: (\S+)", line):
                owner = match[1]
            elif match := re.match(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", line):
                assert owner, f"{file.name}: the table {match[1]} names no owner"
                found[match[1]] = owner
                owner = ""
    return found
