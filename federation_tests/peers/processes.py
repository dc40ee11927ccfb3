"""A peer as a process of its own: started once for the whole run, and told what to do over a socket."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp

from federation_tests.authority import Authority
from federation_tests.peers.packages import Missing, Program
from federation_tests.servers import free_ports

SECONDS_TO_START = 30
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Peer:
    """`await peer.do("follow", who=…, target=…)`: the verbs are those of the peer's own program."""

    def __init__(self, program: Program, host: str, port: int, authority: Authority, log: Path) -> None:
        self.domain = f"{host}:{port}"
        self._control = f"http://127.0.0.1:{(control := free_ports(1)[0])}/"
        self._log = log
        environment = {
            name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
        }
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*program.command, host, str(port), str(control)],
                cwd=program.folder,
                env=environment
                | {
                    "CERTIFICATE": authority.certificate,
                    "KEY": authority.key,
                    "NODE_EXTRA_CA_CERTS": authority.ca_file,
                    "SSL_CERT_FILE": authority.ca_file,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> None:
        """Return when it listens. Raises Missing if it never does."""
        until = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with _DIRECTLY.open(self._control, b'{"verb": "ping"}', timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise Missing(f"{self._process.args[0]!r} does not start: {self.said()}", is_ours=True)

    async def do(self, verb: str, **said: Any) -> Any:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
            session.post(self._control, json={"verb": verb, **said}) as response,
        ):
            reply = await response.json()
        if "error" in reply:
            raise AssertionError(f"{verb} {said}: {reply['error']}\n{self.said()}")
        return reply["found"]

    def said(self) -> str:
        """The last of what it wrote to its log."""
        return self._log.read_text(errors="replace")[-3000:]

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
