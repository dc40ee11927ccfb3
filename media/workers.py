"""One worker process as the node sees it: started clean, asked one picture at a time, killed when in doubt.

It inherits no file of the node but its own four pipes, and an environment of a few harmless words. Every wait
has a deadline. `is_sound` says whether it may be asked again: it has ended its last picture in good order and
said not one byte too much.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from media import worker_protocol
from media.images import BadImage, Picture, Variant, damaged, too_heavy
from media.worker_protocol import STATUS

_START_SECONDS = 30.0
_PIPE_BYTES = 1 << 20
_ROOT = Path(__file__).resolve().parent.parent
_OUT_OF_MEANS = (-signal.SIGKILL, -signal.SIGXCPU)


class SandboxBroken(RuntimeError):
    """There is no worker to be had: the fault is ours, not the picture's."""


@dataclass(frozen=True)
class Cost:
    """What one picture took of its process: CPU seconds, and peak memory in bytes."""

    cpu: float
    memory: int


class _Ended(Exception):
    """The process that was decoding is no more."""


class _TooLate(Exception):
    """The deadline has passed."""


class Worker:
    """Blocking: to be used in a thread."""

    def __init__(self, memory_mb: int, seconds: float) -> None:
        self.is_sound = True
        self.cost: Cost | None = None
        self.used_at = time.monotonic()
        self._deadline = self.used_at + _START_SECONDS
        self._status, status = os.pipe()
        words = [str(status), str(memory_mb), str(math.ceil(seconds))]
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-s", "-m", "media.worker_main", *words],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(status,),
                env=_environment(),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._status)
            raise SandboxBroken(f"no worker process: {error}") from error
        finally:
            os.close(status)
        pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._in, self._out, self._errors = (pipe.fileno() for pipe in pipes if pipe is not None)
        for pipe in (self._in, self._out, self._errors, self._status):
            os.set_blocking(pipe, False)
        for pipe in (self._in, self._out):
            with contextlib.suppress(AttributeError, OSError):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            self._read_status()
        except (_Ended, _TooLate) as error:
            self.end()
            raise SandboxBroken(f"the worker process did not start: {error}") from error

    def render(self, data: bytes, variants: tuple[Variant, ...], seconds: float) -> Picture:
        """See `pixels.render`. Raises BadImage also when the process died or took too long."""
        self._deadline = time.monotonic() + seconds
        self.is_sound, self.cost = False, None
        try:
            self._write(worker_protocol.pack(worker_protocol.Ask(len(data), variants)))
            self._write(data)
            try:
                picture = worker_protocol.picture(self._read, variants)
            except BadImage:
                self._settle()
                raise
            self._settle()
            return picture
        except _TooLate as error:
            raise too_heavy(f"not done within {seconds:g} s") from error
        except _Ended as error:
            raise self._explain(str(error)) from error
        except worker_protocol.Nonsense as error:
            raise damaged(f"the worker answered nonsense: {error}") from error
        finally:
            self.used_at = time.monotonic()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """The worker and what it has forked: they are one process group."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill it and close all pipes. Twice is once."""
        self.is_sound = False
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        if self._status >= 0:
            os.close(self._status)
            self._status = -1

    def _settle(self) -> None:
        """After an answer or nonsense: wait for the decoding process to end, and see that it left nothing behind."""
        code = self._read_status()
        quiet = not self._wait(self._out, select.POLLIN, or_status=False, at_once=True)
        self.is_sound = code == 0 and quiet

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._in, select.POLLOUT)
            try:
                view = view[os.write(self._in, view) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise _Ended(str(error)) from error

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait(self._out, select.POLLIN)
            piece = os.read(self._out, min(size - len(data), _PIPE_BYTES))
            if not piece:
                raise _Ended("the worker is gone")
            data += piece
        return bytes(data)

    def _read_status(self) -> int:
        self._wait(self._status, select.POLLIN, or_status=False)
        record = os.read(self._status, STATUS.size)
        if len(record) < STATUS.size:
            raise _Ended(self._last_words())
        code, memory_kb, microseconds = STATUS.unpack(record)
        self.cost = Cost(microseconds / 1_000_000, memory_kb * 1024)
        return int(code)

    def _wait(self, pipe: int, event: int, *, or_status: bool = True, at_once: bool = False) -> bool:
        """Whether the pipe is ready. With `or_status` the decoding process is expected to live until it is."""
        poll = select.poll()
        poll.register(pipe, event)
        if or_status:
            poll.register(self._status, select.POLLIN)
        left = 0.0 if at_once else self._deadline - time.monotonic()
        ready = {ready for ready, _ in poll.poll(max(0.0, left) * 1000)}
        if pipe in ready:
            return True
        if ready:
            raise _Ended("ended before it had answered")
        if at_once:
            return False
        raise _TooLate

    def _explain(self, words: str) -> BadImage:
        """Why the decoding process ended, if it is known."""
        code = 0
        with contextlib.suppress(_Ended, _TooLate):
            code = self._read_status()
        detail = f"decoding process: {words}, {_name(code)}"
        return too_heavy(detail) if code in _OUT_OF_MEANS else damaged(detail)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            return os.read(self._errors, 4000).decode(errors="replace").strip() or "the worker is gone"
        return "the worker is gone"


def _name(code: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"signal {-code}"


def _environment() -> dict[str, str]:
    return {
        "PYTHONPATH": str(_ROOT),
        "LC_ALL": "C.UTF-8",
        # Large pieces go back to the system when freed, instead of staying in a heap with holes.
        "MALLOC_ARENA_MAX": "1",
        # Huge pages: a tenth less CPU for a photo, since fresh memory is most of what a decoder touches.
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
        "MALLOC_MMAP_THRESHOLD_": "262144",
    }
