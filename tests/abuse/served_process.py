"""A node as a process of its own, with a database that a test can take away from it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
import time
from pathlib import Path
from typing import Self

import aiohttp

from node.config import Config

ROOT = Path(__file__).parents[2]


def environment(options: Config) -> dict[str, str]:
    """The options as the environment of a node's process."""
    named = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    for section in dataclasses.fields(options):
        values = getattr(options, section.name)
        for field in dataclasses.fields(values):
            value = getattr(values, field.name)
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            named[f"TINTYPE_{section.name}_{field.name}".upper()] = text
    return named


@dataclasses.dataclass
class Ended:
    code: int
    output: str


async def run_command(options: Config, folder: Path, *arguments: str, seconds: float = 25) -> Ended:
    """Runs a command to its end, which must come within so many seconds."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node", *arguments),
        cwd=folder,
        env=environment(options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode or 0, output.decode())


class ServedProcess:
    """`async with ServedProcess(options, folder) as node:` serves a node until the block ends."""

    def __init__(self, options: Config, folder: Path) -> None:
        self._options, self._folder = options, folder
        self.log = folder / "log"

    async def __aenter__(self) -> Self:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "node", "serve"),
                cwd=self._folder,
                env=environment(self._options),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def get(self, path: str, accept: str = "text/html") -> tuple[int, dict[str, str], str]:
        """The status, headers and body of a page; status 0 while nothing listens."""
        assert self.process.returncode is None, self.log.read_text()
        try:
            async with self.http.get(
                f"http://{self._options.server.bind[0]}{path}", headers={"Accept": accept}
            ) as answer:
                return answer.status, dict(answer.headers), await answer.text()
        except aiohttp.ClientError:
            return 0, {}, ""

    async def wait_for_status(self, path: str, status: int, *, seconds: float = 30) -> float:
        """Asks until a page has this status; returns how long that took."""
        begun = time.monotonic()
        async with asyncio.timeout(seconds):
            while (found := (await self.get(path))[0]) != status:
                assert found in (0, 200, 303, 503), (found, self.log.read_text()[-4000:])
                await asyncio.sleep(0.1)
        return time.monotonic() - begun

    async def stop(self) -> Ended:
        """Sends SIGTERM; the process must end within five seconds."""
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(ProcessLookupError):
            async with asyncio.timeout(5):
                await self.process.wait()
        return Ended(self.process.returncode or 0, self.log.read_text())
