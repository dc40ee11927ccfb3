"""`kill -9` while a picture is paused: no process that decodes it is left, not even a stopped one."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from node.accounts import accounts, keys
from node.auth import access_tokens
from node.config import Config
from node.database import Writer
from node.lifecycle import registration
from tests.abuse.bombs import jpeg_of_scans
from tests.kill.test_kill import Processes
from tests.support.parallel import ONE_AT_A_TIME
from web.wiring import open_node

pytestmark = [ONE_AT_A_TIME, pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is of Linux")]

_SET_CHILD_SUBREAPER = 36
SECONDS = 60


@pytest.fixture
def _orphans_come_here() -> Iterator[None]:
    """Makes this process the parent of processes whose parent ends, as an init process in a container is.

    It is in their session, so that the kernel does not continue their stopped group with SIGHUP: see setpgid(2).
    """
    prctl = ctypes.CDLL(None).prctl
    assert prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    yield
    prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


async def sign_up(options: Config) -> str:
    """Signs Alice up; returns a token of hers."""
    pair = keys.generate()

    def unit(tx: Writer) -> str:
        registration.create_user(
            tx, name="alice", email="alice@example.org", password_hash="-", pair=pair, role="user"
        )
        alice = accounts.by_handle(tx, "alice")
        assert alice is not None
        return access_tokens.create(tx, alice, {"write"}, "test")

    node = await open_node(options)
    try:
        return await node.db.write(unit)
    finally:
        await node.close()


async def upload(options: Config, token: str, data: bytes) -> None:
    async with aiohttp.ClientSession() as http:
        form = aiohttp.FormData()
        form.add_field("file", data, filename="photo.jpg")
        with contextlib.suppress(aiohttp.ClientError):
            await http.post(
                f"http://{options.node.domain}/api/v2/media",
                data=form,
                headers={"Authorization": f"Bearer {token}"},
            )


def workers() -> list[psutil.Process]:
    """The workers of nodes that this process started, and what they have forked."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE and "media.worker_main" in process.cmdline()
    ]


async def stop_a_decoding_worker() -> list[psutil.Process]:
    """Stops a worker with its fork as the node does for somebody else's upload; returns both."""
    while True:
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            for fork in workers():
                worker = fork.parent()
                if worker is not None and worker in workers():
                    os.killpg(worker.pid, signal.SIGSTOP)
                    return [worker, fork]
        await asyncio.sleep(0.02)


def is_left(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.usefixtures("_orphans_come_here")
async def test_no_stopped_worker_is_left_behind_a_killed_node(options: Config, tmp_path: Path) -> None:
    token = await sign_up(options)
    async with Processes(options, tmp_path) as processes:
        await processes.start()
        uploading = asyncio.create_task(upload(options, token, jpeg_of_scans(90, 9500)))
        async with asyncio.timeout(SECONDS):
            stopped = await stop_a_decoding_worker()
        try:
            await processes.end(signal.SIGKILL)
            await uploading
            async with asyncio.timeout(SECONDS):
                while any(is_left(process) for process in stopped):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        finally:
            for process in stopped:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process.pid, 0)
