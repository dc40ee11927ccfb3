"""One worker process as the node sees it: started clean, given one picture at a time, killed when in doubt.

It inherits no file of the node but its own four pipes, and an environment of a few harmless variables. Every wait
has a deadline. `is_reusable` says whether it may get another picture: it has ended its last one in good order and
sent not one byte too many.
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
from media.images import BadImage, Picture, Variant, damaged_error, too_costly_error
from media.worker_protocol import STATUS_STRUCT

_START_TIMEOUT_SECONDS = 30.0
_PIPE_BYTES = 1 << 20
_ROOT = Path(__file__).resolve().parent.parent
_RESOURCE_EXIT_CODES = (-signal.SIGKILL, -signal.SIGXCPU)


class SandboxUnavailable(RuntimeError):
    """No worker could be started: a fault of this machine, not of the picture."""


@dataclass(frozen=True)
class RenderCost:
    """What one picture cost its process: CPU seconds, and peak memory in bytes."""

    cpu_seconds: float
    memory_bytes: int


class _ProcessEnded(Exception):
    """The process that was decoding has ended."""


class _DeadlineExceeded(Exception):
    """The deadline has passed."""


class Worker:
    """A worker process and its pipes. Its methods block: use it in a thread."""

    def __init__(self, memory_mb: int, seconds: float) -> None:
        self.is_reusable = True
        self.cost: RenderCost | None = None
        self.used_at = time.monotonic()
        self._deadline = self.used_at + _START_TIMEOUT_SECONDS
        self._status, status = os.pipe()
        arguments = [str(status), str(memory_mb), str(math.ceil(seconds))]
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-s", "-m", "media.worker_main", *arguments],
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
            raise SandboxUnavailable(f"no worker process: {error}") from error
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
        except (_ProcessEnded, _DeadlineExceeded) as error:
            self.stop()
            raise SandboxUnavailable(f"the worker process did not start: {error}") from error

    def render(self, data: bytes, variants: tuple[Variant, ...], seconds: float) -> Picture:
        """Renders a picture, see `pixels.render`.

        Raises BadImage also when the process died or took too long.
        """
        self._deadline = time.monotonic() + seconds
        self.is_reusable, self.cost = False, None
        try:
            self._write(worker_protocol.encode_message(worker_protocol.RenderRequest(len(data), variants)))
            self._write(data)
            try:
                picture = worker_protocol.read_picture(self._read, variants)
            except BadImage:
                self._finish_render()
                raise
            self._finish_render()
            return picture
        except _DeadlineExceeded as error:
            raise too_costly_error(f"not done within {seconds:g} s") from error
        except _ProcessEnded as error:
            raise self._failure_reason(str(error)) from error
        except worker_protocol.ProtocolError as error:
            raise damaged_error(f"malformed response of the worker: {error}") from error
        finally:
            self.used_at = time.monotonic()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """Kills the worker and what it has forked: they are one process group."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Kills the worker and closes all pipes. A second call does nothing."""
        self.is_reusable = False
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        if self._status >= 0:
            os.close(self._status)
            self._status = -1

    def _finish_render(self) -> None:
        """Waits for the decoding process to end after its response, and checks that it sent nothing more."""
        code = self._read_status()
        is_quiet = not self._wait(self._out, select.POLLIN, or_status=False, at_once=True)
        self.is_reusable = code == 0 and is_quiet

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._in, select.POLLOUT)
            try:
                view = view[os.write(self._in, view) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise _ProcessEnded(str(error)) from error

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait(self._out, select.POLLIN)
            piece = os.read(self._out, min(size - len(data), _PIPE_BYTES))
            if not piece:
                raise _ProcessEnded("the worker has ended")
            data += piece
        return bytes(data)

    def _read_status(self) -> int:
        self._wait(self._status, select.POLLIN, or_status=False)
        record = os.read(self._status, STATUS_STRUCT.size)
        if len(record) < STATUS_STRUCT.size:
            raise _ProcessEnded(self._stderr_tail())
        code, memory_kb, microseconds = STATUS_STRUCT.unpack(record)
        self.cost = RenderCost(microseconds / 1_000_000, memory_kb * 1024)
        return int(code)

    def _wait(self, pipe: int, event: int, *, or_status: bool = True, at_once: bool = False) -> bool:
        """Waits for the pipe; returns whether it is ready.

        With `or_status` the decoding process is expected to live until it is.
        """
        poll = select.poll()
        poll.register(pipe, event)
        if or_status:
            poll.register(self._status, select.POLLIN)
        remaining = 0.0 if at_once else self._deadline - time.monotonic()
        ready = {ready for ready, _ in poll.poll(max(0.0, remaining) * 1000)}
        if pipe in ready:
            return True
        if ready:
            raise _ProcessEnded("ended before it had responded")
        if at_once:
            return False
        raise _DeadlineExceeded

    def _failure_reason(self, reason: str) -> BadImage:
        """Returns why the decoding process ended, as far as that is known."""
        code = 0
        with contextlib.suppress(_ProcessEnded, _DeadlineExceeded):
            code = self._read_status()
        detail = f"decoding process: {reason}, {_exit_name(code)}"
        return too_costly_error(detail) if code in _RESOURCE_EXIT_CODES else damaged_error(detail)

    def _stderr_tail(self) -> str:
        with contextlib.suppress(OSError):
            return os.read(self._errors, 4000).decode(errors="replace").strip() or "the worker has ended"
        return "the worker has ended"


def _exit_name(code: int) -> str:
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
