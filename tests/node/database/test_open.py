"""The URL of the options chooses the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.config import Config
from node.database import Site, open_database
from node.database.postgres import PostgresDatabase
from node.database.sqlite import SqliteDatabase

SITE = Site("https", "a.test", b"a secret that only the tests know")


async def test_the_url_chooses_the_engine(options: Config, engine: str) -> None:
    database = await open_database(options.database.url, SITE)
    try:
        assert isinstance(database, PostgresDatabase if engine == "postgresql" else SqliteDatabase)
        assert database.site is SITE
        assert await database.read(lambda tx: tx.site) is SITE
    finally:
        await database.close()


async def test_opening_a_database_again_changes_nothing_in_it(options: Config) -> None:
    first = await open_database(options.database.url, SITE)
    await first.write(lambda tx: tx.run("INSERT INTO settings (key, value) VALUES ('test', 'x')"))
    await first.close()

    again = await open_database(options.database.url, SITE)

    assert await again.read(lambda tx: tx.value("SELECT value FROM settings WHERE key = 'test'")) == "x"
    await again.close()


async def test_read_only_does_not_create_tables(tmp_path: Path) -> None:
    database = await open_database(f"sqlite:{tmp_path / 'new.db'}", SITE, read_only=True)
    try:
        with pytest.raises(Exception, match="no such table"):
            await database.read(lambda tx: tx.value("SELECT COUNT(*) FROM accounts"))
    finally:
        await database.close()
