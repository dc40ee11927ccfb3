"""One worker process as the node sees it: started clean, given one picture at a time, killed when in doubt.

It inherits no file of the node but its own four pipes, and an environment of a few harmless variables. Every wait
has a deadline. `is_reusable` says whether it may get another picture: it has ended its last one in good order and
sent not one byte too many.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from media import worker_protocol
from media.images import BadImage, Picture, Variant, damaged_error, too_costly_error
from media.worker_protocol import STATUS_STRUCT

_START_TIMEOUT_SECONDS = 30.0
_PIPE_BYTES = 1 << 20
_ROOT = Path(__file__).resolve().parent.parent
# A picture that had less of a processor than this until its deadline did not take long: it was not let.
_STARVED_BELOW = 0.25
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


class Pauser:
    """Stops the processes that render a picture, for a while. The time is not counted against the picture's deadline.

    May be paused and resumed by any thread, also before the picture has a worker and after.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._group: int | None = None
        self._since: float | None = None
        self._seconds = 0.0

    @property
    def is_paused(self) -> bool:
        return self._since is not None

    def paused_seconds(self, now: float) -> float:
        """Returns for how long it was paused in all."""
        since = self._since
        return self._seconds + (now - since if since is not None else 0.0)

    def pause(self) -> None:
        with self._lock:
            if self._since is None:
                self._since = time.monotonic()
                self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        with self._lock:
            if self._since is not None:
                self._seconds += time.monotonic() - self._since
                self._since = None
                self._signal(signal.SIGCONT)

    @contextlib.contextmanager
    def of(self, group: int) -> Iterator[None]:
        """Applies to a process group, that of a worker, which is never left stopped."""
        with self._lock:
            self._group = group
            if self._since is not None:
                self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            with self._lock:
                self._signal(signal.SIGCONT)
                self._group = None

    def _signal(self, number: int) -> None:
        if self._group is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, number)


class Worker:
    """A worker process and its pipes. Its methods block: use it in a thread.

    The process ends with the thread that makes the `Worker`, see `seccomp.end_with_parent`: that of a pool which is
    shut down after its workers were stopped, or with the program.
    """

    def __init__(self, memory_mb: int) -> None:
        self.is_reusable = True
        self.ran_out_of_time = (
            False  # the last picture took all of its CPU time, or of the time until its deadline
        )
        self.cost: RenderCost | None = None
        self.used_at = time.monotonic()
        self._deadline = self.used_at + _START_TIMEOUT_SECONDS
        self._pauser = Pauser()
        self._status, status = os.pipe()
        arguments = [str(status), str(memory_mb), str(os.getpid())]
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
                # A group of its own, to be killed with what it has forked, but no session: the kernel shares the
                # processors out among sessions before it looks at the niceness of their processes (sched(7), autogroup).
                process_group=0,
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

    def render(
        self,
        data: bytes,
        variants: tuple[Variant, ...],
        seconds: float,
        *,
        cpu_seconds: int,
        niceness: int = 0,
        recipe: str = "",
        finds_levels: bool = False,
        pauser: Pauser | None = None,
        reads_place: bool = False,
    ) -> Picture:
        """Renders a picture, see `pixels.render`; `recipe` is that of its edit.

        Raises BadImage also when the process died or took too long, and SandboxUnavailable when it was not let.
        """
        request = worker_protocol.RenderRequest(
            len(data), variants, cpu_seconds, niceness, recipe, finds_levels, reads_place
        )
        self._pauser = pauser or Pauser()
        with self._pauser.of(self._process.pid):
            return self._render(request, data, seconds)

    def _render(self, request: worker_protocol.RenderRequest, data: bytes, seconds: float) -> Picture:
        now = time.monotonic()
        self._deadline = now + seconds - self._pauser.paused_seconds(now)
        self.is_reusable, self.ran_out_of_time, self.cost = False, False, None
        try:
            self._write(worker_protocol.encode_message(request))
            self._write(data)
            try:
                picture = worker_protocol.read_picture(self._read, request.variants)
            except BadImage:
                self._finish_render()
                raise
            self._finish_render()
            return picture
        except _DeadlineExceeded as error:
            used = self._decoding_seconds()
            if used is not None and used < min(_STARVED_BELOW * seconds, 0.9 * request.cpu_seconds):
                raise SandboxUnavailable(
                    f"this machine is too busy: {used:.1f} s of CPU in {seconds:g} s"
                ) from error
            self.ran_out_of_time = True
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
        while True:
            ready = {ready for ready, _ in poll.poll(0 if at_once else self._next_look() * 1000)}
            if pipe in ready:
                return True
            if ready:
                raise _ProcessEnded("ended before it had responded")
            if at_once:
                return False
            if self._remaining_seconds() <= 0:
                raise _DeadlineExceeded

    def _remaining_seconds(self) -> float:
        now = time.monotonic()
        return self._deadline + self._pauser.paused_seconds(now) - now

    def _next_look(self) -> float:
        # A pause moves the deadline.
        return min(max(self._remaining_seconds(), 0.01), 60.0)

    def _failure_reason(self, reason: str) -> BadImage:
        """Returns why the decoding process ended, as far as that is known."""
        code = 0
        with contextlib.suppress(_ProcessEnded, _DeadlineExceeded):
            code = self._read_status()
        self.ran_out_of_time = code == -signal.SIGXCPU
        detail = f"decoding process: {reason}, {_exit_name(code)}"
        return too_costly_error(detail) if code in _RESOURCE_EXIT_CODES else damaged_error(detail)

    def _decoding_seconds(self) -> float | None:
        """Returns the CPU time of the process that is decoding; None where the system does not tell, see proc(5)."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            threads = Path(f"/proc/{self._process.pid}/task/{self._process.pid}")
            child = (threads / "children").read_text().split()[0]
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return None

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
        # Edits multiply small matrices only, and one thread less is memory less.
        "OPENBLAS_NUM_THREADS": "1",
    }
