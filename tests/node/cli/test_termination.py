"""A process ends in time, whatever its threads wait for."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.support.parallel import ONE_AT_A_TIME

pytestmark = ONE_AT_A_TIME

ROOT = Path(__file__).parents[3]

HANGS = """
import asyncio, threading
from node.cli import termination

async def main():
    threading.Thread(target=threading.Event().wait).start()
    {default}
    stopping = asyncio.Event()
    termination.on_signal(stopping.set)
    print("ready", flush=True)
    await stopping.wait()
    {then}

asyncio.run(main())
raise SystemExit(termination.end_despite_threads(0))
"""
IN_DEFAULT_EXECUTOR = "asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)"


@pytest.mark.parametrize(
    ("default", "then", "code"),
    [
        ("pass", "pass", 0),  # a thread that hangs
        (IN_DEFAULT_EXECUTOR, "pass", 1),  # one that asyncio waits for
        ("pass", "await asyncio.sleep(60)", 1),  # a stop that does not end
    ],
)
async def test_a_signal_ends_a_process_with_threads_that_hang(default: str, then: str, code: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HANGS.format(default=default, then=then)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            assert await process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5.5):
            assert await process.wait() == code
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
