"""Runs the decoding of untrusted pictures in worker processes that may die without harm.

A `Sandbox` keeps a few workers (`workers.Worker`), started when first needed and ended when idle. Each picture
is decoded in a fork of a worker, with limits on memory, CPU time and open files, without network or files,
and with a timeout kept from this side. Whatever a picture does there, the caller gets a Picture or a
BadImage; a worker that was killed, timed out or sent a malformed response is replaced.

Work of nothing but deferred variants is background work: it waits for all other work, and if there are several
workers it leaves one of them free.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from media.images import (
    MAX_BYTES,
    BadImage,
    Picture,
    Variant,
    not_an_image_error,
    sniff,
    too_many_bytes_error,
)
from media.workers import RenderCost, SandboxUnavailable, Worker

log = logging.getLogger(__name__)

_IDLE_TIMEOUT_SECONDS = 60.0
_IDLE_CHECK_SECONDS = 15.0


class Sandbox:
    """A pool of at most `workers` processes. `memory_mb` and `timeout_seconds` bound the decoding of one picture.

    Use it in one event loop, and close it at the end.
    """

    def __init__(
        self,
        workers: int = 2,
        memory_mb: int = 768,
        timeout_seconds: float = 30,
        *,
        idle_timeout_seconds: float = _IDLE_TIMEOUT_SECONDS,
    ) -> None:
        self.last_cost: RenderCost | None = None
        self._workers = workers
        self._memory_mb = memory_mb
        self._seconds = timeout_seconds
        self._idle_seconds = idle_timeout_seconds
        self._threads: ThreadPoolExecutor | None = None
        self._busy = {True: 0, False: 0}  # by whether it is background work
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._arrivals = 0
        self._jobs: set[asyncio.Future[Picture]] = set()
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def render(self, data: bytes, variants: tuple[Variant, ...]) -> Picture:
        """Renders a picture, see `pixels.render`.

        Also raises BadImage when the picture took too much time or memory, and SandboxUnavailable when there is no
        worker.
        """
        if sniff(data[:64]) is None:
            raise not_an_image_error(f"begins with {data[:16]!r}")
        if len(data) > MAX_BYTES:
            raise too_many_bytes_error(len(data))
        is_background = all(variant.is_deferred for variant in variants)
        await self._acquire_slot(is_background)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="sandbox")
        job = asyncio.get_running_loop().run_in_executor(
            self._threads, self._render_in_thread, data, variants
        )
        self._jobs.add(job)
        job.add_done_callback(lambda job: self._finish_job(job, is_background))
        # A cancelled caller does not stop the work half-way: the worker stays in step.
        return await asyncio.shield(job)

    async def warm_up(self) -> None:
        """Starts a worker before the first picture, if there is none. Takes about a tenth of a second."""
        if not self._all and not self._is_closed:
            worker = await asyncio.to_thread(self._acquire_worker)
            self._release_worker(worker)
            self._schedule_idle_check()

    async def close(self) -> None:
        """Ends every worker. What is still being rendered fails with SandboxUnavailable."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for _, _, turn in self._waiting:
            if not turn.done():
                turn.set_exception(SandboxUnavailable("the sandbox is closed"))
        for worker in list(self._all):
            worker.kill()
        if self._jobs:
            await asyncio.wait(list(self._jobs))
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
        for worker in list(self._all):
            self._stop_worker(worker)

    async def _acquire_slot(self, is_background: bool) -> None:
        """Waits for a free slot. `_release_slot` gives it back."""
        if self._is_closed:
            raise SandboxUnavailable("the sandbox is closed")
        if self._has_free_slot(is_background):
            self._busy[is_background] += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._waiting, (is_background, self._arrivals, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release_slot(is_background)
            raise

    def _has_free_slot(self, is_background: bool) -> bool:
        if is_background and self._busy[True] >= max(1, self._workers - 1):
            return False
        return self._busy[True] + self._busy[False] < self._workers

    def _release_slot(self, is_background: bool) -> None:
        self._busy[is_background] -= 1
        while self._waiting:
            next_is_background, _, turn = self._waiting[0]
            if not turn.done():
                if not self._has_free_slot(next_is_background):
                    return
                self._busy[next_is_background] += 1
                turn.set_result(None)
            heapq.heappop(self._waiting)

    def _finish_job(self, job: asyncio.Future[Picture], is_background: bool) -> None:
        self._jobs.discard(job)
        if not job.cancelled():
            job.exception()  # otherwise asyncio logs it as never retrieved, where the caller was cancelled
        self._release_slot(is_background)
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

    def _render_in_thread(self, data: bytes, variants: tuple[Variant, ...]) -> Picture:
        """Renders one picture from beginning to end, in a thread."""
        worker = self._acquire_worker()
        try:
            return worker.render(data, variants, self._seconds)
        except BadImage as error:
            if self._is_closed:
                raise SandboxUnavailable("the sandbox is closed") from error
            log.info("picture of %d bytes refused: %s (%s)", len(data), error.message, error.detail)
            raise
        finally:
            self.last_cost = worker.cost
            self._release_worker(worker)

    def _acquire_worker(self) -> Worker:
        while self._idle:
            try:
                worker = self._idle.pop()
            except IndexError:
                break
            if worker.is_alive():
                return worker
            self._stop_worker(worker)
        worker = Worker(self._memory_mb, self._seconds)
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
