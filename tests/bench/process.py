"""The process: how long until the first response, and how much memory, beside bare imports."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

import psutil

from tests.support.pictures import picture
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
IMPORTS = (
    "import asyncio, aiohttp, aiosqlite, cryptography.hazmat.primitives.asymmetric.rsa, "
    "hypercorn.asyncio, jinja2, msgspec, nh3, quart, uvloop"
)
STARTS = 5
PAGES, UPLOADS = 500, 6
MIB = 1024 * 1024


class Process:
    """`tintype serve` in a folder of its own."""

    def __init__(self, folder: str) -> None:
        self._port = free_port()
        self._folder = folder
        self._running: subprocess.Popen[bytes] | None = None
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TINTYPE_NODE_DOMAIN": f"localhost:{self._port}",
            "TINTYPE_SERVER_SCHEME": "http",
            "TINTYPE_SERVER_BIND": f"127.0.0.1:{self._port}",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._running is not None and self._running.poll() is None:
            self._running.kill()
            self._running.wait()

    def command(self, *arguments: str, typed: str = "") -> str:
        run = subprocess.run(
            [sys.executable, "-m", "node", *arguments],
            cwd=self._folder,
            env=self._environment,
            input=typed,
            text=True,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return run.stdout.strip()

    def start(self) -> float:
        """Start it; return the seconds until the first page."""
        began = time.perf_counter()
        self._running = subprocess.Popen(
            [sys.executable, "-m", "node", "serve"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            try:
                self.get("/")
                return time.perf_counter() - began
            except urllib.error.HTTPError:
                raise
            except (urllib.error.URLError, ConnectionError):
                if self._running.poll() is not None or time.perf_counter() - began > 30:
                    raise
                time.sleep(0.002)

    def get(self, path: str, **headers: str) -> bytes:
        request = urllib.request.Request(f"http://localhost:{self._port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            body: bytes = answer.read()
            return body

    def upload(self, photo: bytes, token: str) -> None:
        boundary = "photo-boundary"
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = head.encode() + photo + f"\r\n--{boundary}--\r\n".encode()
        request = urllib.request.Request(
            f"http://localhost:{self._port}/api/v2/media",
            data=body,
            headers={
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "Authorization": f"Bearer {token}",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()

    def memory(self) -> float:
        """MiB of the whole process tree, what its processes share counted in each."""
        assert self._running is not None
        process = psutil.Process(self._running.pid)
        parts = (process, *process.children(recursive=True))
        return float(sum(part.memory_info().rss for part in parts)) / MIB

    def stop(self) -> float:
        assert self._running is not None
        began = time.perf_counter()
        self._running.terminate()
        self._running.wait(30)
        return time.perf_counter() - began


def bare() -> tuple[float, float]:
    """Seconds and MiB of a Python that only imports what a node is made of."""
    program = f"{IMPORTS}; print(open('/proc/self/status').read())"
    seconds = []
    for _ in range(STARTS):
        began = time.perf_counter()
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - began)
    rss = next(line for line in run.stdout.splitlines() if line.startswith("VmRSS"))
    return statistics.median(seconds), int(rss.split()[1]) / 1024


def rows() -> list[tuple[str, str, str]]:
    seconds, memory = bare()
    with tempfile.TemporaryDirectory() as folder, Process(folder) as node:
        options = ("--email", "a@example.org", "--role", "admin", "--password-stdin")
        node.command("account", "create", "alice", *options, typed="correct horse battery\n")
        token = node.command("token", "create", "alice", "--scopes", "read write")
        starts = []
        for _ in range(STARTS):
            starts.append(node.start())
            idle = node.memory()
            stopped = node.stop()
        node.start()
        photo = picture(4000, 3000)
        for _ in range(UPLOADS):
            node.upload(photo, token)
        for _ in range(PAGES):
            node.get("/")
            node.get("/api/v1/timelines/home", Authorization=f"Bearer {token}")
        worked = node.memory()
        node.stop()
    start = statistics.median(starts)
    return [
        (
            "start to first answer",
            f"{start * 1000:.0f} ms",
            f"{start / seconds:.2f} × bare imports ({seconds * 1000:.0f} ms); target 600 ms",
        ),
        (
            "memory, idle",
            f"{idle:.0f} MiB",
            f"{idle / memory:.2f} × bare imports ({memory:.0f} MiB); target 100",
        ),
        (
            f"memory after {UPLOADS} uploads of 12 MP and {2 * PAGES} pages",
            f"{worked:.0f} MiB",
            f"{worked / memory:.2f} × bare imports; target 180, image work included",
        ),
        ("SIGTERM to the end", f"{stopped * 1000:.0f} ms", "5000 ms allowed"),
    ]
