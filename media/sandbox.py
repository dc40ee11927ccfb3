"""Pictures from outside are decoded here, in processes that may die without harm.

A `Sandbox` keeps a few workers (`workers.Worker`), started when first needed and ended when idle. Each picture
is decoded in a fork of a worker, with limits on memory, CPU time and open files, without network or files,
and with a time limit kept from this side. Whatever a picture does there, the caller gets a Picture or a
BadImage; a worker that was killed, fell silent or spoke nonsense is replaced.

What is needed at once goes before what is not: a job of nothing but `later` variants waits for the others,
and if there are several workers it leaves one of them free.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from media.images import MAX_BYTES, BadImage, Picture, Variant, not_a_picture, sniff, too_many_bytes
from media.workers import Cost, SandboxBroken, Worker

__all__ = ["Cost", "Sandbox", "SandboxBroken"]

log = logging.getLogger(__name__)

_IDLE_SECONDS = 60.0
_CHECK_SECONDS = 15.0


class Sandbox:
    """A pool of at most `workers` processes. `memory_mb` and `seconds` bound the decoding of one picture.

    To be used in one event loop, and closed at its end.
    """

    def __init__(
        self,
        workers: int = 2,
        memory_mb: int = 768,
        seconds: float = 30,
        *,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self.last_cost: Cost | None = None
        self._workers = workers
        self._memory_mb = memory_mb
        self._seconds = seconds
        self._idle_seconds = idle_seconds
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
        """See `pixels.render`. Also raises BadImage when the picture took too much time or memory."""
        if sniff(data[:64]) is None:
            raise not_a_picture(f"begins with {data[:16]!r}")
        if len(data) > MAX_BYTES:
            raise too_many_bytes(len(data))
        is_background = all(variant.later for variant in variants)
        await self._enter(is_background)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="sandbox")
        job = asyncio.get_running_loop().run_in_executor(self._threads, self._work, data, variants)
        self._jobs.add(job)
        job.add_done_callback(lambda job: self._done(job, is_background))
        # Someone who leaves does not stop the work half-way: the worker stays in step.
        return await asyncio.shield(job)

    async def warm(self) -> None:
        """Start a worker ahead of the first picture, if none is there. A tenth of a second, not waited for by anyone."""
        if not self._all and not self._is_closed:
            worker = await asyncio.to_thread(self._take)
            self._put_back(worker)
            self._look_after_idle()

    async def close(self) -> None:
        """End every worker. What is still being rendered fails with SandboxBroken."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for _, _, turn in self._waiting:
            if not turn.done():
                turn.set_exception(SandboxBroken("the sandbox is closed"))
        for worker in list(self._all):
            worker.kill()
        if self._jobs:
            await asyncio.wait(list(self._jobs))
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
        for worker in list(self._all):
            self._end(worker)

    async def _enter(self, is_background: bool) -> None:
        """Wait for a turn. `_leave` gives it back."""
        if self._is_closed:
            raise SandboxBroken("the sandbox is closed")
        if self._has_room(is_background):
            self._busy[is_background] += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._waiting, (is_background, self._arrivals, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(is_background)
            raise

    def _has_room(self, is_background: bool) -> bool:
        if is_background and self._busy[True] >= max(1, self._workers - 1):
            return False
        return self._busy[True] + self._busy[False] < self._workers

    def _leave(self, is_background: bool) -> None:
        self._busy[is_background] -= 1
        while self._waiting:
            next_is_background, _, turn = self._waiting[0]
            if not turn.done():
                if not self._has_room(next_is_background):
                    return
                self._busy[next_is_background] += 1
                turn.set_result(None)
            heapq.heappop(self._waiting)

    def _done(self, job: asyncio.Future[Picture], is_background: bool) -> None:
        self._jobs.discard(job)
        if not job.cancelled():
            job.exception()  # nobody else fetches it if the caller has left
        self._leave(is_background)
        self._look_after_idle()

    def _look_after_idle(self) -> None:
        if self._timer is None and not self._is_closed:
            wait = min(_CHECK_SECONDS, self._idle_seconds)
            self._timer = asyncio.get_running_loop().call_later(wait, self._end_idle)

    def _end_idle(self) -> None:
        self._timer = None
        since = time.monotonic() - self._idle_seconds
        for worker in [worker for worker in self._idle if worker.used_at <= since]:
            try:
                self._idle.remove(worker)
            except ValueError:  # a thread has just taken it
                continue
            self._end(worker)
        if self._all:
            self._look_after_idle()

    def _work(self, data: bytes, variants: tuple[Variant, ...]) -> Picture:
        """One picture from beginning to end, in a thread."""
        worker = self._take()
        try:
            return worker.render(data, variants, self._seconds)
        except BadImage as error:
            if self._is_closed:
                raise SandboxBroken("the sandbox is closed") from error
            log.info("picture of %d bytes refused: %s (%s)", len(data), error.message, error.detail)
            raise
        finally:
            self.last_cost = worker.cost
            self._put_back(worker)

    def _take(self) -> Worker:
        while self._idle:
            try:
                worker = self._idle.pop()
            except IndexError:
                break
            if worker.is_alive():
                return worker
            self._end(worker)
        worker = Worker(self._memory_mb, self._seconds)
        self._all.add(worker)
        if self._is_closed:
            self._end(worker)
            raise SandboxBroken("the sandbox is closed")
        return worker

    def _put_back(self, worker: Worker) -> None:
        if worker.is_sound and not self._is_closed:
            self._idle.append(worker)
        else:
            self._end(worker)

    def _end(self, worker: Worker) -> None:
        worker.end()
        self._all.discard(worker)
