"""A PostgreSQL server for the tests: own data folder, own port, stopped and deleted when the tests end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

ROOM = 4 * 1024**3
PORT = 54999  # names only the socket in the server's own folder: it listens on no network
INITDB = ("--encoding=UTF8", "--locale=C.UTF-8")
SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",  # statistics taken in the middle of a test would change plans that it compares
    "max_connections=300",
    "shared_buffers=64MB",
    "max_wal_size=256MB",
)


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`, the newest if there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return Path(program).resolve().parent if program else None


class Server:
    """A running server, started by `Server(binaries())`; `url(name)` is the URL of a database."""

    def __init__(self, programs: Path) -> None:
        self._user = _unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="tintype-postgres-", dir=_memory()))
        if self._user:
            os.chown(self._folder, self._user["user"], self._user["group"])
        data = self._folder / "data"
        self._call([programs / "initdb", "-D", data, "-U", "tintype", "--auth=trust", "--no-sync", *INITDB])
        settings = [argument for setting in SETTINGS for argument in ("-c", setting)]
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", self._folder, "-p", str(PORT), *settings],
            stdout=self._log,
            stderr=self._log,
            stdin=subprocess.DEVNULL,
            cwd=self._folder,
            start_new_session=True,
            preexec_fn=_die_with_parent,
            **self._user,
        )
        self._wait()

    def url(self, name: str) -> str:
        return f"postgresql://tintype@/{name}?host={self._folder}&port={PORT}"

    def suspend(self) -> None:
        """Stops every process of the server, as a machine that swaps or a debugger does."""
        for process in self._processes():
            os.kill(process, signal.SIGSTOP)

    def resume(self) -> None:
        for process in self._processes():
            os.kill(process, signal.SIGCONT)

    def _processes(self) -> list[int]:
        """The server itself first, so that it starts no more."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return [self._process.pid, *map(int, children)]

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _call(self, command: list[Any]) -> None:
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, **self._user)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError("postgres ended: " + (self._folder / "log").read_text())
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url("postgres")).close()
                return
            time.sleep(0.05)
        raise RuntimeError("postgres does not answer: " + (self._folder / "log").read_text())


def _memory() -> Path | None:
    """A folder in memory, if there is room: nothing of the server needs to outlive the tests."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM else None


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root, so root runs it as another user."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("there is no unprivileged user to run PostgreSQL as")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG: no server outlives killed tests
