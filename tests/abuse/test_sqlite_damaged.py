"""A SQLite file that is damaged, missing, locked or no database: a message and a status, and never a process that hangs."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.config import Config, MediaOptions, NodeOptions, ServerOptions
from tests.abuse.served_process import ServedProcess, run_command
from tests.support.databases import Databases
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_port

pytestmark = ONE_AT_A_TIME
ENGINES = ("sqlite",)

PAGE = 4096
COMMANDS = (["migrate"], ["account", "list"], ["serve"])


@pytest.fixture
def options(databases: Databases, tmp_path: Path) -> Config:
    port = free_port()
    return databases.fresh(
        Config(
            node=NodeOptions(domain=f"localhost:{port}", secret="a secret that only the tests know"),
            server=ServerOptions(bind=(f"127.0.0.1:{port}",), scheme="http"),
            media=MediaOptions(url=f"file:{tmp_path / 'media'}"),
        )
    )


@pytest.fixture
def file(options: Config) -> Path:
    return Path(options.database.url.removeprefix("sqlite:"))


def overwrite(file: Path, at: int, data: bytes) -> None:
    with file.open("r+b") as handle:
        handle.seek(at)
        handle.write(data)


def page_of(file: Path, table: str) -> int:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return int(found[0])


def make_text(file: Path) -> None:
    file.write_text("this is not a database\n" * 1000)


def damage_header(file: Path) -> None:
    overwrite(file, 0, os.urandom(100))


def damage_schema(file: Path) -> None:
    overwrite(file, 100, b"\xff" * (PAGE - 100))


def damage_migrations(file: Path) -> None:
    overwrite(file, (page_of(file, "migrations") - 1) * PAGE, b"\xff" * PAGE)


def damage_name_of_table(file: Path) -> None:
    """One byte of a name that is no UTF-8, and one of the SQL beside it: the error of SQLite repeats the name."""
    page_of(file, "accounts")
    data = file.read_bytes()
    found = re.search(rb"table(\w+?)\1.{0,4}(CREATE TABLE)", data, re.DOTALL)
    assert found is not None
    overwrite(file, found.start(1), b"\x8f")
    overwrite(file, found.start(2), b"X")


def damage_text_of_migrations(file: Path) -> None:
    """A schema that SQLite reads, with a name that it cannot decode."""
    page_of(file, "migrations")
    data = file.read_bytes()
    found = re.search(rb"CREATE TABLE migrations\s*\(\s*(number)", data)
    assert found is not None
    overwrite(file, found.start(1), b"\xff\xfe")


def truncate(file: Path) -> None:
    os.truncate(file, 3 * PAGE)


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGES = (
    *(make_text, damage_header, damage_schema, damage_name_of_table, damage_text_of_migrations),
    *(damage_migrations, truncate, make_folder),
)


@pytest.fixture
def damaged(file: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    damage: Callable[[Path], None] = request.param
    damage(file)
    yield
    if file.is_dir():
        shutil.rmtree(file)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("damaged", DAMAGES, ids=lambda damage: damage.__name__, indirect=True)
@pytest.mark.usefixtures("damaged")
async def test_every_command_ends_with_a_message(options: Config, tmp_path: Path, command: list[str]) -> None:
    ended = await run_command(options, tmp_path, *command)

    assert ended.code == 1, ended.output
    assert ended.output.startswith("tintype: The database cannot be used: "), ended.output
    assert len(ended.output.splitlines()) == 1


async def test_a_check_names_the_damage(options: Config, file: Path, tmp_path: Path) -> None:
    make_text(file)

    ended = await run_command(options, tmp_path, "check")

    assert ended.code == 1
    assert "file is not a database" in ended.output


async def test_a_file_that_another_program_has_locked_is_explained(
    options: Config, file: Path, tmp_path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

        ended = await run_command(options, tmp_path, "account", "list")

    assert ended.code == 1
    assert ended.output == "tintype: The database cannot be used: database is locked.\n"


async def test_a_damaged_log_beside_the_file_stops_nothing(
    options: Config, file: Path, tmp_path: Path
) -> None:
    Path(f"{file}-wal").write_bytes(os.urandom(40_000))
    Path(f"{file}-shm").write_bytes(os.urandom(32_768))

    assert (await run_command(options, tmp_path, "account", "list")).code == 0


def overwrite_all(file: Path) -> None:
    file.write_bytes(b"\xff" * file.stat().st_size)


def make_empty(file: Path) -> None:
    os.truncate(file, 0)


def put_another_database(file: Path) -> None:
    other = file.with_name("other.db")
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE something_else (id INTEGER)")
    shutil.copyfile(other, file)


@pytest.mark.parametrize("damage", [overwrite_all, make_empty, put_another_database])
async def test_a_file_damaged_while_it_is_served_is_503_and_serves_again_when_restored(
    options: Config, file: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    async with ServedProcess(options, tmp_path) as node:
        await node.wait_for_status("/about", 200)
        backup = tmp_path / "backup.db"
        with (
            contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source,
            contextlib.closing(sqlite3.connect(backup)) as target,
        ):
            source.backup(target)

        # The log holds what is in the file, and pages are cached: both have to go for the damage to be seen.
        os.truncate(f"{file}-wal", 0)
        damage(file)
        await node.wait_for_status("/api/v1/timelines/public", 503)
        status, headers, text = await node.get("/api/v1/timelines/public", "application/json")
        assert (status, text) == (503, text)
        assert headers["Retry-After"]
        assert "cannot reach its database" in text
        assert (await node.get("/static/icons.svg"))[0] == 200

        shutil.copyfile(backup, file)

        await node.wait_for_status("/api/v1/timelines/public", 200)
        ended = await node.stop()
        assert ended.code == 0
