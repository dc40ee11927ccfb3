"""With SQLite one process writes: commands beside a real `tintype serve`, a second server, and leftover files."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from node.cli import control_socket
from node.config import Config, DatabaseOptions, MediaOptions, NodeOptions
from node.database.lock import is_served
from node.errors import Refused
from node.node import Node
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_port
from web import wiring

pytestmark = ONE_AT_A_TIME

ROOT = Path(__file__).parents[3]
PASSWORD = "a lake in the morning\n"

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Deep enough that the name of a socket in it is longer than the kernel allows."""
    deep = tmp_path / ("a rather long name " * 4).strip() / "node"
    deep.mkdir(parents=True)
    return deep


@pytest.fixture
def environ(folder: Path) -> dict[str, str]:
    port = free_port()
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TINTYPE_NODE_DOMAIN": f"localhost:{port}",
        "TINTYPE_SERVER_SCHEME": "http",
        "TINTYPE_SERVER_BIND": f"127.0.0.1:{port}",
        "TINTYPE_DATABASE_URL": f"sqlite:{folder}/data/tintype.db",
    }


@pytest.fixture
def tintype(folder: Path, environ: dict[str, str]) -> Command:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "node", *arguments],
            cwd=folder,
            env=environ,
            input=PASSWORD,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@contextlib.contextmanager
def serving(folder: Path, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "node", "serve"],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + 30
        while not is_served(database(folder)):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def database(folder: Path) -> str:
    return str(folder / "data" / "tintype.db")


def test_commands_beside_a_serving_node_run_in_its_process(
    folder: Path, environ: dict[str, str], tintype: Command
) -> None:
    with serving(folder, environ) as served:
        assert stat.S_IMODE(os.stat(f"{database(folder)}.sock").st_mode) == 0o600
        made = tintype(
            "account", "create", "alice", "--email", "a@a.test", "--role", "admin", "--password-stdin"
        )
        assert (made.returncode, "can sign in now" in made.stdout) == (0, True), made.stderr
        again = tintype("account", "create", "Alice", "--email", "b@a.test", "--password-stdin")
        assert (again.returncode, again.stderr) == (1, "tintype: That username is taken.\n")
        token = tintype("token", "create", "alice", "--scopes", "read write").stdout
        assert len(token.split()) == 1
        assert "alice" in tintype("account", "list").stdout
        assert "nobody" in tintype("account", "password", "nobody", "--password-stdin").stderr
        assert tintype("account", "password", "alice", "--password-stdin").returncode == 0
        migrated = tintype("migrate")
        assert (migrated.returncode, "up to date" in migrated.stdout) == (0, True)
        checked = tintype("check").stdout
        assert "SQLite reads and writes" in checked
        assert "All checks passed." in checked

        # All of it was written by one process.
        assert Path(f"{database(folder)}.lock").read_text() == str(served.pid)
        assert "ran account create for the command line" in (folder / "log").read_text()
    assert served.returncode == 0
    assert not Path(f"{database(folder)}.sock").exists()


def test_a_second_node_on_the_same_database_is_refused_at_once(
    folder: Path, environ: dict[str, str], tintype: Command
) -> None:
    with serving(folder, environ) as served:
        environ["TINTYPE_SERVER_BIND"] = f"127.0.0.1:{free_port()}"
        started = time.monotonic()
        second = tintype("serve")
        assert time.monotonic() - started < 8
        assert second.returncode == 1
        assert second.stderr.splitlines()[-1] == (
            f"tintype: `tintype serve` is running with this database already (process {served.pid})."
        )


def test_the_socket_of_a_killed_node_does_not_get_in_the_way(
    folder: Path, environ: dict[str, str], tintype: Command
) -> None:
    with serving(folder, environ) as served:
        served.send_signal(signal.SIGKILL)
        served.wait(10)
    assert Path(f"{database(folder)}.sock").exists()
    made = tintype("account", "create", "alice", "--email", "a@a.test", "--password-stdin")
    assert made.returncode == 0, made.stderr
    with serving(folder, environ):
        assert "alice" in tintype("account", "list").stdout


def test_the_database_of_an_older_running_node_is_not_migrated(
    folder: Path, environ: dict[str, str], tintype: Command
) -> None:
    with serving(folder, environ):
        # As if this program knew more migrations than the one that runs.
        with sqlite3.connect(database(folder)) as other:
            newest = other.execute("SELECT MAX(number) FROM migrations").fetchone()[0]
            name = other.execute("SELECT name FROM migrations WHERE number = ?", (newest,)).fetchone()[0]
            other.execute("DELETE FROM migrations WHERE number = ?", (newest,))
        other.close()
        refused = tintype("migrate")
        with sqlite3.connect(database(folder)) as other:
            other.execute("INSERT INTO migrations VALUES (?, ?)", (newest, name))
        other.close()
    assert refused.returncode == 1
    assert "Stop it first" in refused.stderr


@pytest.fixture
async def listening(tmp_path: Path) -> AsyncIterator[Node]:
    node = await wiring.open_node(
        Config(
            node=NodeOptions(domain="a.test", secret="a secret that only the tests know"),
            database=DatabaseOptions(url=f"sqlite:{tmp_path / 'tintype.db'}"),
            media=MediaOptions(url=f"file:{tmp_path / 'media'}"),
        )
    )
    async with control_socket.serve_commands(node):
        yield node
    await node.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"nonsense\n",
        b'{"command": "account list", "values": {"x": 1}}\n',
        b"x" * 400_000,
    ],
)
async def test_malformed_requests_leave_the_socket_working(listening: Node, sent: bytes) -> None:
    path = listening.config.database.url.removeprefix("sqlite:")
    reader, writer = await asyncio.open_unix_connection(f"{path}.sock")
    with contextlib.suppress(OSError):
        writer.write(sent)
        writer.write_eof()
        await writer.drain()
    with contextlib.suppress(OSError):
        response = await reader.read()
        assert response == b"" or "done" not in json.loads(response)
    writer.close()
    assert await control_socket.send_command(path, "migration") > 0
    with pytest.raises(Refused, match="older version"):
        await control_socket.send_command(path, "format the disk")
