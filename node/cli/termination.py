"""Ends a process in time, whatever hangs: a disk, a network file system, the look-up of a name.

Python waits for every thread at its end, for ever if one of them hangs inside the operating system.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

log = logging.getLogger("tintype")

DEADLINE_SECONDS = 4.8  # from the signal to the end
THREAD_SECONDS = 1.0


def on_signal(stop: Callable[[], object]) -> None:
    """Calls `stop` on SIGTERM and SIGINT; ends the process after `DEADLINE_SECONDS` if that has not done it."""
    loop = asyncio.get_running_loop()
    has_begun = threading.Event()

    def begin() -> None:
        if not has_begun.is_set():
            has_begun.set()
            ending = threading.Timer(DEADLINE_SECONDS, _end_now, (1,))
            ending.daemon = True
            ending.start()
        stop()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, begin)


def _end_now(code: int) -> None:
    """Ends the process without waiting for any thread."""
    log.warning("something hangs, so the process ends without waiting for it")
    _flush()
    os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def end_despite_threads(code: int) -> int:
    """Returns the exit code of a command that is done, once its threads have ended.

    Ends the process right here if they do not end within `THREAD_SECONDS`.
    """
    until = time.monotonic() + THREAD_SECONDS
    for thread in threading.enumerate():
        if thread is threading.main_thread() or thread.daemon:
            continue
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():
            _flush()
            os._exit(code)
    return code
