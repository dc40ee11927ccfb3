"""A peer as a process of its own: started once for the whole run, and controlled over HTTP.

It exits when its standard input closes, so it never outlives the run, however that ends. Its output goes into a
folder of the run.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from typing import Any

import aiohttp

from federation_tests.authority import Authority
from federation_tests.peers.packages import Missing, Program

SECONDS_TO_START = 60
SECONDS_TO_STOP = 5


class Peer:
    """`await peer.do("follow", who=…, target=…)`: the verbs are those of the peer's own program."""

    def __init__(self, program: Program, host: str, port: int, authority: Authority) -> None:
        self.domain = f"{host}:{port}"
        self._control = ""
        self._log = program.folder / "log"
        environment = {
            name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
        }
        try:
            with self._log.open("wb") as output:
                self.process = subprocess.Popen(
                    [*program.command, host, str(port)],
                    cwd=program.folder,
                    env=environment
                    | {
                        "CERTIFICATE": authority.certificate,
                        "KEY": authority.key,
                        "NODE_EXTRA_CA_CERTS": authority.ca_file,
                        "SSL_CERT_FILE": authority.ca_file,
                    },
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
        except OSError as error:
            raise Missing(f"{program.command[0]} does not start: {error}") from None

    def wait(self) -> None:
        """Returns when it listens. Raises Missing if it never does."""
        until = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < until and self.process.poll() is None:
            if found := re.search(r"^control port (\d+)$", self._all(), re.MULTILINE):
                self._control = f"http://127.0.0.1:{found[1]}/"
                return
            time.sleep(0.05)
        raise Missing(f"it does not start: {self.log_tail()}")

    async def do(self, verb: str, **arguments: Any) -> Any:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
            session.post(self._control, json={"verb": verb, **arguments}) as response,
        ):
            reply = await response.json()
        if "error" in reply:
            raise AssertionError(f"{verb} {arguments}: {reply['error']}\n{self.log_tail()}")
        return reply["found"]

    def log_tail(self) -> str:
        """The last 3,000 characters of its log."""
        return self._all()[-3000:]

    def _all(self) -> str:
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
