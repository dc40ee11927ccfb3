"""Runs the decoding of untrusted pictures in worker processes that may die without harm.

A `Sandbox` keeps a few workers (`workers.Worker`), started when first needed and ended when idle. Each picture
is decoded in a fork of a worker, with limits on memory, CPU time and open files, without network or files,
and with a timeout kept from this side. Whatever a picture does there, the caller gets a Picture or a
BadImage; a worker that was killed, timed out or sent a malformed response is replaced.

`render_queue` says whose picture is next. The CPU time of a picture is limited by its size (`preflight`).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO

from media import preflight
from media.images import (
    MAX_BYTES,
    BadImage,
    Picture,
    Variant,
    not_an_image_error,
    sniff,
    too_many_bytes_error,
)
from media.render_queue import BACKGROUND, NOBODY, REMOTE, UPLOAD, RenderQueue, RenderTurn, Source
from media.workers import RenderCost, SandboxUnavailable, Worker

log = logging.getLogger(__name__)

_WALL_PER_CPU, _WALL_BASE_SECONDS = 3.0, 5.0

_NICENESS = {UPLOAD: 0, REMOTE: 10, BACKGROUND: 10}

_IDLE_TIMEOUT_SECONDS = 60.0
_IDLE_CHECK_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class EditRequest:
    """What is done to a picture beside decoding: a canonical recipe, and whether auto-level or the place in its Exif is asked
    for."""

    recipe: str = ""
    finds_levels: bool = False
    reads_place: bool = False


NO_EDIT = EditRequest()


class _OutOfTime(BadImage):
    """The picture took all of its time."""


class Sandbox:
    """A pool of `workers` processes, and a few more where `RenderQueue` lets somebody in beside slow pictures.

    `memory_mb` and `timeout_seconds` bound the decoding of one picture.

    Use it in one event loop, and close it at the end.
    """

    def __init__(
        self,
        workers: int = 3,
        memory_mb: int = 1152,
        timeout_seconds: float = 60,
        *,
        idle_timeout_seconds: float = _IDLE_TIMEOUT_SECONDS,
    ) -> None:
        self.last_cost: RenderCost | None = None
        self._workers = workers
        self._memory_mb = memory_mb
        self._seconds = timeout_seconds
        self._idle_seconds = idle_timeout_seconds
        self._threads: ThreadPoolExecutor | None = None
        self._queue = RenderQueue(workers)
        self._jobs: set[asyncio.Future[Picture]] = set()
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None
        self._start_lock = threading.Lock()
        self._is_closed = False

    async def render(
        self,
        file: bytes | IO[bytes],
        variants: tuple[Variant, ...],
        source: Source = NOBODY,
        edit: EditRequest = NO_EDIT,
    ) -> Picture:
        """Renders a picture, see `pixels.render`. An open file is read when its turn has come.

        Also raises BadImage when the picture took too much time or memory, SourceMustWait when its source may not have
        another one rendered now, and SandboxUnavailable when there is no worker.
        """
        head, size = _head_and_size(file)
        if sniff(head) is None:
            raise not_an_image_error(f"begins with {head[:16]!r}")
        if size > MAX_BYTES:
            raise too_many_bytes_error(size)
        is_background = all(variant.is_deferred for variant in variants) and not edit.finds_levels
        priority = BACKGROUND if is_background else UPLOAD if source.is_local else REMOTE
        if self._is_closed:
            raise SandboxUnavailable("the sandbox is closed")
        turn = await self._queue.acquire(source, priority)
        self._keep_spare_worker()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(
                self._workers + self._queue.extra_slots, thread_name_prefix="sandbox"
            )
        job = asyncio.get_running_loop().run_in_executor(
            self._threads, self._render_in_thread, file, variants, edit, turn
        )
        self._jobs.add(job)
        job.add_done_callback(lambda job: self._finish_job(job, turn))
        # A cancelled caller does not stop the work half-way: the worker stays in step.
        return await asyncio.shield(job)

    async def warm_up(self) -> None:
        """Starts a worker for the next picture, if none is idle. Takes about a tenth of a second."""
        if not self._idle and len(self._all) < self._workers and not self._is_closed:
            await asyncio.to_thread(self._add_idle_worker)
            self._schedule_idle_check()

    async def close(self) -> None:
        """Ends every worker. What is still being rendered fails with SandboxUnavailable."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._queue.refuse_all(SandboxUnavailable("the sandbox is closed"))
        for worker in list(self._all):
            worker.kill()
        if self._starting is not None:
            await self._starting
        if self._jobs:
            await asyncio.wait(list(self._jobs))
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
        for worker in list(self._all):
            self._stop_worker(worker)

    def check_source(self, source: Source) -> None:
        """Raises SourceMustWait where a picture of this source would not be taken now."""
        self._queue.check_source(source)

    def _keep_spare_worker(self) -> None:
        """Starts the worker of the last slot early: the upload that it is kept for does not wait for it."""
        if self._queue.free_slots == 1 < self._workers and self._starting is None:
            self._starting = asyncio.create_task(self._start_spare_worker())

    async def _start_spare_worker(self) -> None:
        try:
            # Those whose turn came meanwhile may have taken the one that was just started.
            while self._queue.free_slots == 1 and len(self._all) < self._workers and not self._is_closed:
                await asyncio.to_thread(self._add_idle_worker)
        except SandboxUnavailable as error:
            log.warning("%s", error)
        finally:
            self._starting = None

    def _finish_job(self, job: asyncio.Future[Picture], turn: RenderTurn) -> None:
        self._jobs.discard(job)
        # Retrieved here, or asyncio logs it where the caller was cancelled.
        if not job.cancelled() and isinstance(job.exception(), _OutOfTime) and not self._is_closed:
            self._queue.suspend_source(turn.source)
        self._queue.release(turn)
        self._schedule_idle_check()

    def _schedule_idle_check(self) -> None:
        if self._timer is None and not self._is_closed:
            wait = min(_IDLE_CHECK_SECONDS, self._idle_seconds)
            self._timer = asyncio.get_running_loop().call_later(wait, self._stop_idle_workers)

    def _stop_idle_workers(self) -> None:
        self._timer = None
        since = time.monotonic() - self._idle_seconds
        for worker in [worker for worker in self._idle if worker.used_at <= since]:
            try:
                self._idle.remove(worker)
            except ValueError:  # a thread has just taken it
                continue
            self._stop_worker(worker)
        if self._all:
            self._schedule_idle_check()

    def _render_in_thread(
        self, file: bytes | IO[bytes], variants: tuple[Variant, ...], edit: EditRequest, turn: RenderTurn
    ) -> Picture:
        """Renders one picture from beginning to end, in a thread."""
        data = file if isinstance(file, bytes) else _read_all(file)
        cpu_seconds = preflight.cpu_seconds(data) + (preflight.EDIT_SECONDS if edit != NO_EDIT else 0)
        # Who has waited for others at a low priority gets all the time there is.
        patience = (
            _WALL_BASE_SECONDS + _WALL_PER_CPU * cpu_seconds if turn.priority == UPLOAD else self._seconds
        )
        seconds = min(self._seconds, patience)
        worker = self._acquire_worker()
        try:
            return worker.render(
                data,
                variants,
                seconds,
                cpu_seconds=cpu_seconds,
                niceness=_NICENESS[turn.priority],
                pauser=turn.pauser,
                recipe=edit.recipe,
                finds_levels=edit.finds_levels,
                reads_place=edit.reads_place,
            )
        except BadImage as error:
            if self._is_closed:
                raise SandboxUnavailable("the sandbox is closed") from error
            log.info("picture of %d bytes refused: %s (%s)", len(data), error.message, error.detail)
            if worker.ran_out_of_time:
                raise _OutOfTime(error.message, error.detail) from error
            raise
        finally:
            self.last_cost = worker.cost
            self._release_worker(worker)

    def _acquire_worker(self) -> Worker:
        with self._start_lock:  # whoever waits for it takes the worker that was started meanwhile
            while self._idle:
                try:
                    worker = self._idle.pop()
                except IndexError:
                    break
                if worker.is_alive():
                    return worker
                self._stop_worker(worker)
            return self._start_worker()

    def _add_idle_worker(self) -> None:
        with self._start_lock:
            if len(self._all) < self._workers:
                self._release_worker(self._start_worker())

    def _start_worker(self) -> Worker:
        worker = Worker(self._memory_mb)
        self._all.add(worker)
        if self._is_closed:
            self._stop_worker(worker)
            raise SandboxUnavailable("the sandbox is closed")
        return worker

    def _release_worker(self, worker: Worker) -> None:
        if worker.is_reusable and not self._is_closed:
            self._idle.append(worker)
        else:
            self._stop_worker(worker)

    def _stop_worker(self, worker: Worker) -> None:
        worker.stop()
        self._all.discard(worker)


def _head_and_size(file: bytes | IO[bytes]) -> tuple[bytes, int]:
    if isinstance(file, bytes):
        return file[:64], len(file)
    size = file.seek(0, 2)
    file.seek(0)
    return file.read(64), size


def _read_all(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(MAX_BYTES + 1)
