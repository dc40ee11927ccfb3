"""A fresh migrated database for every test, on SQLite and again on PostgreSQL.

A database is created once per kind of node (its instance actor included), and copied for each test.
`--database` chooses: `sqlite`, `postgresql` (a server started by the tests), `both`, or the URL of a
PostgreSQL server of yours in which databases may be created and dropped. A test module about one engine
names it in `ENGINES`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import os
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from node.config import Config, DatabaseOptions, MediaOptions
from tests.support import missing_parts, postgres
from web.wiring import open_node

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", default="both", help="sqlite, postgresql, both, or a postgresql:// URL (default: both)"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        choice = metafunc.config.getoption("--database")
        engines = [SQLITE, POSTGRESQL] if choice == "both" else [choice.partition(":")[0]]
        only = getattr(metafunc.module, "ENGINES", (SQLITE, POSTGRESQL))
        engines = [engine for engine in engines if engine in only]
        metafunc.parametrize("engine", engines, scope="session")


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Returns the URL of a database by its name, on the PostgreSQL server of the tests."""
    given = request.config.getoption("--database")
    if given.startswith("postgresql://"):
        parts = urllib.parse.urlsplit(given)
        yield lambda name: urllib.parse.urlunsplit(parts._replace(path="/" + name))
        return
    programs = postgres.binaries()
    if programs is None:
        missing_parts.report(request.config, "on PostgreSQL", "apt install postgresql")
    server = postgres.Server(programs)
    yield server.url
    server.stop()


class Databases:
    """Creates databases on one engine, each a copy of one that a node like it has already opened."""

    def __init__(self, engine: str, folder: Path, url: Callable[[str], str] | None) -> None:
        self.engine = engine
        self._folder = folder
        self._url = url
        self._admin = psycopg.connect(url("postgres"), autocommit=True) if url else None
        self._templates: dict[tuple[str, ...], str] = {}
        self._made: list[str] = []

    def fresh(self, options: Config) -> Config:
        """Returns the options with a database of their own, which is dropped when the test ends."""
        kind = (options.server.scheme, options.node.domain, options.node.secret)
        if kind not in self._templates:
            self._templates[kind] = self._template(options)
        template = self._templates[kind]
        name = f"tintype_{os.getpid()}_{next(_numbers)}"
        self._made.append(name)
        if self._admin is None:
            shutil.copyfile(template, self._file(name))
        else:
            # Without fsync, copying the files is five times as fast as logging them.
            strategy = "STRATEGY FILE_COPY" if self._admin.info.server_version >= 150_000 else ""
            self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} {strategy}")
        return self._with(options, name)

    def drop(self) -> None:
        """Drops the databases that `fresh` created."""
        for name in self._made:
            if self._admin is None:
                for end in ("", "-wal", "-shm"):
                    Path(self._file(name) + end).unlink(missing_ok=True)
            else:
                self._admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made.clear()

    def close(self) -> None:
        if self._admin is not None:
            for name in self._templates.values():
                self._admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            self._admin.close()

    def _file(self, name: str) -> str:
        return str(self._folder / f"{name}.db")

    def _with(self, options: Config, name: str) -> Config:
        url = self._url(name) if self._url else f"sqlite:{self._file(name)}"
        return dataclasses.replace(options, database=DatabaseOptions(url=url))

    def _template(self, options: Config) -> str:
        name = f"tintype_{os.getpid()}_template_{next(_numbers)}"
        if self._admin is not None:
            self._admin.execute(f"CREATE DATABASE {name}")
        options = dataclasses.replace(
            self._with(options, name), media=MediaOptions(url=f"file:{self._folder / 'media'}")
        )
        with ThreadPoolExecutor(1) as thread:  # this thread may already be running a loop
            thread.submit(asyncio.run, _open_once(options)).result()
        return name if self._admin is not None else self._file(name)


async def _open_once(options: Config) -> None:
    node = await open_node(options)
    await node.close()


@pytest.fixture(scope="session")
def _sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    made = Databases(SQLITE, tmp_path_factory.mktemp("databases"), None)
    yield made
    made.close()


@pytest.fixture(scope="session")
def _postgresql_databases(
    tmp_path_factory: pytest.TempPathFactory, postgres_url: Callable[[str], str]
) -> Iterator[Databases]:
    made = Databases(POSTGRESQL, tmp_path_factory.mktemp("databases"), postgres_url)
    yield made
    made.close()


@pytest.fixture
def databases(engine: str, request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Databases for the nodes of one test, which runs once for each engine.

    Both engines stay ready while their tests alternate, as they do in parallel runs.
    """
    made: Databases = request.getfixturevalue(f"_{engine}_databases")
    yield made
    made.drop()
