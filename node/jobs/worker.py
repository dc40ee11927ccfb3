"""The worker: claims jobs of every kind, runs their handlers and finishes them.

Each kind has a number of jobs that may run at once. A loop per kind waits until it is woken: by a unit of
work in this process that added a job, or by the poll every `POLL_SECONDS`, which finds what has become due
and what another process added. `drain` runs what is due and stops: how tests let time pass.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import GiveUp, Job, RetryLater
from node.node import Node

log = logging.getLogger("tintype.worker")

POLL_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class JobHandler:
    """Calls `run` with one job, for `concurrency` jobs at once.

    The worker finishes the job, unless `run` returns True: then it has finished or rescheduled it itself. A
    job that takes longer than `slow_after_seconds` gives its slot to the next and goes on, up to
    `max_concurrency` of them in all: so a thousand servers that hang delay the others for moments, not for
    their whole timeout.
    """

    run: Callable[[Node, Job], Awaitable[bool | None]]
    concurrency: int = 4
    slow_after_seconds: float | None = None
    max_concurrency: int = 0


@dataclasses.dataclass(frozen=True)
class BatchHandler:
    """Calls `run` with up to `size` jobs; it finishes them itself, in its own unit of work."""

    run: Callable[[Node, list[Job]], Awaitable[None]]
    size: int = 64


Handler = JobHandler | BatchHandler


class _Slots:
    """The slots of one kind: how many jobs may run at once.

    Each slot is released once: when its job ends, or before, if the job is slow.
    """

    def __init__(self, handler: Handler) -> None:
        each = handler if isinstance(handler, JobHandler) else None
        self.free = asyncio.Semaphore(each.concurrency if each else 1)
        self._slow_after_seconds = each.slow_after_seconds if each else None
        self._max_slow = each.max_concurrency - each.concurrency if each else 0
        self._slow: set[asyncio.Task[None]] = set()

    def hold(self, tasks: list[asyncio.Task[None]]) -> None:
        """Holds slots, acquired before, for tasks that were started together."""
        for task in tasks:
            task.add_done_callback(self._release_finished)
        self._schedule_release(tasks)

    def _schedule_release(self, tasks: list[asyncio.Task[None]]) -> None:
        if tasks and self._slow_after_seconds is not None:
            asyncio.get_running_loop().call_later(self._slow_after_seconds, self._release_slow, tasks)

    def _release_slow(self, tasks: list[asyncio.Task[None]]) -> None:
        running = [task for task in tasks if not task.done()]
        room = self._max_slow - len(self._slow)
        for task in running[:room]:
            self._slow.add(task)
            self.free.release()
        self._schedule_release(running[room:])

    def _release_finished(self, task: asyncio.Task[None]) -> None:
        if task in self._slow:
            self._slow.remove(task)
        else:
            self.free.release()


class JobWorker:
    """Runs the jobs of a node. `handlers` maps each kind of job to its handler."""

    def __init__(self, node: Node, handlers: Mapping[str, Handler]) -> None:
        self._node = node
        self._handlers = dict(handlers)
        self._wakeups = {kind: asyncio.Event() for kind in handlers}
        self._loops: list[asyncio.Task[None]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False

    def wake(self, kind: str) -> None:
        """Lets the loop of a kind claim jobs now; nothing for a kind without a handler."""
        wakeup = self._wakeups.get(kind)
        if wakeup is not None:
            wakeup.set()

    async def start(self, *, is_only_process: bool) -> None:
        """Starts the loops. `is_only_process`: nobody else uses this database, so old claims are released."""
        if is_only_process:
            await self._node.db.write(queue.release_all_claims)
        self._node.db.wake = self.wake
        self._loops = [asyncio.create_task(self._loop(kind)) for kind in self._handlers]
        self._loops.append(asyncio.create_task(self._poll()))

    async def stop(self, timeout_seconds: float = 3.0) -> None:
        """Claims nothing more, waits `timeout_seconds` for running jobs, then cancels them.

        A cancelled job was not finished, so it runs again after the next start.
        """
        self._stopping = True
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._running:
            _, unfinished = await asyncio.wait(self._running, timeout=timeout_seconds)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def run(self, *, is_only_process: bool) -> None:
        """Works until cancelled."""
        await self.start(is_only_process=is_only_process)
        try:
            await asyncio.gather(*self._loops)
        finally:
            await self.stop()

    async def drain(self, now: int | None = None) -> int:
        """Runs all jobs that are due (at `now`, in milliseconds) until none is; returns how many ran."""
        done = 0
        while True:
            ran = await asyncio.gather(*[self._drain_kind(kind, now) for kind in self._handlers])
            if not any(ran):
                return done
            done += sum(ran)

    async def _drain_kind(self, kind: str, now: int | None) -> int:
        handler = self._handlers[kind]
        limit = handler.size if isinstance(handler, BatchHandler) else handler.concurrency
        found = await self._node.db.write(queue.claim, kind, limit, now or now_ms())
        await asyncio.gather(*self._coroutines(handler, found))
        return len(found)

    async def _poll(self) -> None:
        """Wakes, every `POLL_SECONDS`, each kind that has a job due."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                now = now_ms()
                for kind, at in (
                    await self._node.db.read(queue.next_run_times, list(self._handlers))
                ).items():
                    if at <= now:
                        self._wakeups[kind].set()
            except Exception:
                log.exception("could not find due jobs")

    async def _loop(self, kind: str) -> None:
        handler, wakeup = self._handlers[kind], self._wakeups[kind]
        slots = _Slots(handler)
        wakeup.set()
        while True:
            await wakeup.wait()
            wakeup.clear()
            try:
                while await self._claim_and_run(kind, handler, slots):
                    pass
            except Exception:
                log.exception("could not claim %s jobs", kind)
                await asyncio.sleep(POLL_SECONDS)
                wakeup.set()

    async def _claim_and_run(self, kind: str, handler: Handler, slots: _Slots) -> bool:
        """Fills the free slots once. True when there may be more to claim."""
        free = slots.free
        await free.acquire()
        acquired = 1
        if isinstance(handler, JobHandler):
            while acquired < handler.concurrency and not free.locked():
                await free.acquire()
                acquired += 1
        limit = handler.size if isinstance(handler, BatchHandler) else acquired
        try:
            found = await asyncio.shield(self._node.db.write(queue.claim, kind, limit, now_ms()))
        except BaseException:
            for _ in range(acquired):
                free.release()
            raise
        coroutines = self._coroutines(handler, found)
        for _ in range(acquired - len(coroutines)):
            free.release()
        tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
        for task in tasks:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        slots.hold(tasks)
        return len(found) == limit

    def _coroutines(self, handler: Handler, found: list[Job]) -> list[Coroutine[Any, Any, None]]:
        """Returns one coroutine for each job, or one for the whole batch: they run at once."""
        if isinstance(handler, JobHandler):
            return [self._run_job(handler.run, job) for job in found]
        return [self._run_batch(handler, found)] if found else []

    async def _run_batch(self, handler: BatchHandler, batch: list[Job]) -> None:
        try:
            await handler.run(self._node, batch)
        except Exception:
            # One of them may have failed the batch: each runs on its own, so the others are not lost with it.
            log.exception("a batch of %d %s jobs failed; trying them one by one", len(batch), batch[0].kind)
            for job in batch:
                await self._run_job(lambda node, job: handler.run(node, [job]), job)

    async def _run_job(self, run: Callable[[Node, Job], Awaitable[bool | None]], job: Job) -> None:
        db = self._node.db
        try:
            if await run(self._node, job):
                return
        except RetryLater as later:
            await db.write(queue.reschedule, job, later.run_at, later.reason)
        except GiveUp as given_up:
            log.info("job %s %d given up: %s", job.kind, job.id, given_up.reason)
            await db.write(queue.fail, job, given_up.reason)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            if job.attempts >= queue.MAX_ATTEMPTS:
                log.exception("job %s %d given up after %d attempts", job.kind, job.id, job.attempts)
                await db.write(queue.fail, job, reason)
            else:
                log.exception("job %s %d failed, attempt %d", job.kind, job.id, job.attempts)
                wait = queue.FIRST_BACKOFF_MS * 3 ** (job.attempts - 1)
                await db.write(queue.reschedule, job, now_ms() + int(wait * random.uniform(0.8, 1.2)), reason)  # noqa: S311
        else:
            await db.write(queue.finish, job)
