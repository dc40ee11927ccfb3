"""The worker: claims jobs of every kind, runs their handlers and finishes them.

Each kind has a number of jobs that may run at once. A loop per kind waits until it is woken: by a unit of
work in this process that added a job, or by the poll every `POLL_SECONDS`, which finds what has become due
and what another process added. `drain` runs what is due and stops: how tests let time pass.

A worker holds its claims only as long as it lives: they are short and renewed while jobs run, released when it
stops, and what ends a job is written as soon as a database that was away answers again.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from node.database import Writer
from node.errors import DatabaseUnavailable
from node.ids import now_ms
from node.jobs import queue
from node.jobs.payloads import FieldMissing
from node.jobs.queue import GiveUp, Job, RetryLater
from node.jobs.retrying import write_when_available
from node.jobs.slots import Slots
from node.node import Node

log = logging.getLogger("tintype.worker")

POLL_SECONDS = 1.0
RENEW_SECONDS = queue.LEASE_MS / 3000
HOUSEKEEPING_SECONDS = 60.0  # between two searches for jobs that nothing would ever run
RELEASE_SECONDS = 0.5


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


class JobWorker:
    """Runs the jobs of a node. `handlers` maps each kind of job to its handler."""

    def __init__(self, node: Node, handlers: Mapping[str, Handler]) -> None:
        self._node = node
        self._handlers = dict(handlers)
        self._wakeups = {kind: asyncio.Event() for kind in handlers}
        self._loops: list[asyncio.Task[None]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._held: dict[int, tuple[Job, int]] = {}  # jobs that run, by id, with the end of their claims
        self._claiming: set[asyncio.Future[list[Job]]] = set()
        self._lost: dict[int, str] = {}  # the end and kind of claims whose answer was lost
        self._is_database_away = False

    def wake(self, kind: str) -> None:
        """Lets the loop of a kind claim jobs now; nothing for a kind without a handler."""
        wakeup = self._wakeups.get(kind)
        if wakeup is not None:
            wakeup.set()

    async def start(self, *, is_only_process: bool) -> None:
        """Starts the loops, or lets them begin when a database that is away answers.

        `is_only_process`: nobody else uses this database, so old claims are released.
        """
        self._node.db.wake = self.wake
        try:
            await self._node.db.write(self._prepare, is_only_process)
        except DatabaseUnavailable as error:
            if not error.is_temporary:
                raise
            self._log_absence(error)
            self._loops = [asyncio.create_task(self._start_later(is_only_process))]
        else:
            self._loops = self._create_loops()

    async def _start_later(self, is_only_process: bool) -> None:
        await write_when_available(self._node.db, self._prepare, is_only_process)
        await asyncio.gather(*self._create_loops())

    def _create_loops(self) -> list[asyncio.Task[None]]:
        loops = [*map(self._loop, self._handlers), self._poll(), self._renew()]
        return [asyncio.create_task(loop) for loop in loops]

    def _prepare(self, tx: Writer, is_only_process: bool) -> None:
        if is_only_process:
            queue.release_all_claims(tx)
        self.rescue(tx, now_ms())

    def rescue(self, tx: Writer, now: int) -> None:
        """Finds jobs that would wait for ever: of kinds that nobody knows, or put off while the clock was wrong."""
        queue.give_up_unknown_kinds(tx, self._handlers, now)
        if late := queue.bring_back(tx, now):
            log.warning("%d jobs were put off for too long, by a clock that was wrong; they run now", late)

    async def stop(self, timeout_seconds: float = 3.0) -> None:
        """Claims nothing more, waits `timeout_seconds` for running jobs, then cancels them and releases all claims.

        A cancelled job was not finished, so it runs again after the next start.
        """
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._running:
            _, unfinished = await asyncio.wait(self._running, timeout=timeout_seconds)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        if self._claiming:
            await asyncio.wait(self._claiming, timeout=RELEASE_SECONDS)
        if self._held or self._lost:
            try:
                async with asyncio.timeout(RELEASE_SECONDS):
                    await self._release([job for job, _ in self._held.values()])
            except (DatabaseUnavailable, TimeoutError):
                log.warning("%d jobs wait for the end of their claims", len(self._held))

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
        await self._node.db.write(queue.bring_back, now or now_ms())
        while True:
            ran = await asyncio.gather(*[self._drain_kind(kind, now) for kind in self._handlers])
            if not any(ran):
                return done
            done += sum(ran)

    async def _drain_kind(self, kind: str, now: int | None) -> int:
        handler = self._handlers[kind]
        limit = handler.size if isinstance(handler, BatchHandler) else handler.concurrency
        found = await self._claim(kind, limit, now or now_ms())
        await asyncio.gather(*self._coroutines(handler, found))
        return len(found)

    async def _poll(self) -> None:
        """Wakes, every `POLL_SECONDS`, each kind that has a job due."""
        rescued_at = time.monotonic()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                now = now_ms()
                if self._lost:
                    await self._release([])
                if time.monotonic() - rescued_at > HOUSEKEEPING_SECONDS:
                    rescued_at = time.monotonic()
                    await self._node.db.write(self.rescue, now)
                for kind, at in (
                    await self._node.db.read(queue.next_run_times, list(self._handlers))
                ).items():
                    if at <= now:
                        self._wakeups[kind].set()
                self._is_database_away = False
            except DatabaseUnavailable as error:
                self._log_absence(error)
            except Exception:
                log.exception("could not find due jobs")

    def _log_absence(self, error: DatabaseUnavailable) -> None:
        """Logs once, and not for each job and second, that the database is away."""
        if not self._is_database_away:
            self._is_database_away = True
            log.warning("jobs wait for the database: %s", error)

    async def _renew(self) -> None:
        """Extends the claims of jobs that are still running."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            soon = now_ms() + queue.LEASE_MS - int(RENEW_SECONDS * 500)
            ending = {id_: end for id_, (_, end) in self._held.items() if end < soon}
            if not ending:
                continue
            until = now_ms() + queue.LEASE_MS
            try:
                renewed = await self._node.db.write(queue.renew, ending, until)
            except DatabaseUnavailable as error:
                self._log_absence(error)
            except Exception:
                log.exception("could not renew claims")
            else:
                for id_ in renewed:
                    if (held := self._held.get(id_)) is not None and held[1] == ending[id_]:
                        self._held[id_] = (held[0], until)

    async def _release(self, jobs: list[Job]) -> None:
        """Ends the claims of jobs, and those that this worker never learned of. Raises DatabaseUnavailable."""
        claims = {job.id: self._held[job.id][1] for job in jobs if self._is_held(job)}
        lost = dict(self._lost)

        def unit(tx: Writer) -> None:
            queue.release(tx, claims)
            for until, kind in lost.items():
                queue.release_lost(tx, kind, until)

        await self._node.db.write(unit)
        for until in lost:
            self._lost.pop(until, None)
        self._let_go(jobs)

    async def _claim(self, kind: str, limit: int, now: int) -> list[Job]:
        """Claims jobs and holds them; what still runs here although its claim has ended is left out."""
        # The random part keeps apart the claims of two workers that would end in the same millisecond.
        until = max(now, now_ms()) + queue.LEASE_MS + random.randrange(queue.LEASE_MS // 30)  # noqa: S311
        claiming = asyncio.ensure_future(self._node.db.write(queue.claim_until, kind, limit, now, until))
        self._claiming.add(claiming)
        claiming.add_done_callback(self._claiming.discard)
        try:
            found = await asyncio.shield(claiming)
        except (DatabaseUnavailable, asyncio.CancelledError):
            # Nobody knows whether it was committed.
            self._lost[until] = kind
            raise
        new = []
        for job in found:
            held = self._held.get(job.id)
            if held is not None and held[1] <= now:
                self._held[job.id] = (held[0], until)
            else:
                self._held[job.id] = (job, until)
                new.append(job)
        return new

    async def _loop(self, kind: str) -> None:
        handler, wakeup = self._handlers[kind], self._wakeups[kind]
        slots = Slots()
        if isinstance(handler, JobHandler):
            slots = Slots(handler.concurrency, handler.slow_after_seconds, handler.max_concurrency)
        wakeup.set()
        while True:
            await wakeup.wait()
            wakeup.clear()
            try:
                while await self._claim_and_run(kind, handler, slots):
                    pass
            except Exception as error:
                if isinstance(error, DatabaseUnavailable):
                    self._log_absence(error)
                else:
                    log.exception("could not claim %s jobs", kind)
                await asyncio.sleep(POLL_SECONDS)
                wakeup.set()

    async def _claim_and_run(self, kind: str, handler: Handler, slots: Slots) -> bool:
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
            found = await self._claim(kind, limit, now_ms())
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
        except Exception as error:
            if isinstance(error, DatabaseUnavailable) and error.is_temporary:
                await self._put_back(batch, error)
            else:
                # One of them may have failed the batch: each runs on its own, so the others are not lost with it.
                what = f"a batch of {len(batch)} {batch[0].kind} jobs failed; trying them one by one"
                _log_failure(error, what)
                for job in batch:
                    await self._run_job(lambda node, job: handler.run(node, [job]), job)
        self._let_go(batch)

    async def _run_job(self, run: Callable[[Node, Job], Awaitable[bool | None]], job: Job) -> None:
        try:
            await self._run_and_end(run, job)
        except Exception as error:
            # Its claim ends after a while, and it runs again.
            _log_failure(error, f"what became of job {job.kind} {job.id} could not be recorded")
        self._let_go([job])

    async def _run_and_end(self, run: Callable[[Node, Job], Awaitable[bool | None]], job: Job) -> None:
        try:
            is_ended = await run(self._node, job)
        except RetryLater as later:
            await self._end(queue.reschedule, job, later.run_at, later.reason)
        except GiveUp as given_up:
            log.info("job %s %d given up: %s", job.kind, job.id, given_up.reason)
            await self._end(queue.fail, job, given_up.reason)
        except FieldMissing as missing:
            log.error("job %s %d given up: %s", job.kind, job.id, missing.reason)
            await self._end(queue.fail, job, missing.reason)
        except Exception as error:
            if isinstance(error, DatabaseUnavailable) and error.is_temporary:
                await self._put_back([job], error)
                return
            reason = f"{type(error).__name__}: {error}"
            if job.attempts >= queue.MAX_ATTEMPTS:
                _log_failure(error, f"job {job.kind} {job.id} given up after {job.attempts} attempts")
                await self._end(queue.fail, job, reason)
            else:
                _log_failure(error, f"job {job.kind} {job.id} failed, attempt {job.attempts}")
                wait = queue.FIRST_BACKOFF_MS * 3 ** (job.attempts - 1)
                run_at = now_ms() + int(wait * random.uniform(0.8, 1.2))  # noqa: S311
                await self._end(queue.reschedule, job, run_at, reason)
        else:
            if not is_ended:
                await self._end(queue.finish, job)

    def _let_go(self, jobs: list[Job]) -> None:
        """Forgets the claims of jobs that were finished, given up or put off."""
        for job in jobs:
            if self._is_held(job):
                del self._held[job.id]

    def _is_held(self, job: Job) -> bool:
        """Returns whether this claim of the job is the one that counts: it may have been put off and claimed anew."""
        held = self._held.get(job.id)
        return held is not None and held[0] is job

    async def _end(self, unit: Callable[..., Any], job: Job, *values: Any) -> None:
        """Writes what became of a job, so that it is not done twice."""
        await write_when_available(self._node.db, unit, job, *values)

    async def _put_back(self, jobs: list[Job], error: DatabaseUnavailable) -> None:
        """Releases the claims of jobs that could not be done without the database, when it answers again."""
        while True:
            self._log_absence(error)
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._release(jobs)
                return
            except DatabaseUnavailable as still:
                if not still.is_temporary:
                    return
                error = still


def _log_failure(error: Exception, what: str) -> None:
    """Logs what failed: what the database says in a line, anything else with where it was raised."""
    if isinstance(error, DatabaseUnavailable):
        log.error("%s: %s", what, error)
    else:
        log.error("%s", what, exc_info=error)
