"""Claim → do → finish, for every kind of job.

Each kind has a number of jobs it may do at once. A loop per kind sleeps until it is woken (a unit of work
in this process added a job), until the next job is due, or for `POLL` seconds, in case another process
added one. `drain` does what is due and stops: how tests let time pass.
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
from node.jobs.queue import GiveUp, Job, Later
from node.node import Node

log = logging.getLogger("tintype.worker")

POLL = 1.0


@dataclasses.dataclass(frozen=True)
class Each:
    """One job at a time to `run`, `at_once` of them side by side.

    The worker finishes the job, unless `run` returns True: then it has seen to the job itself. A job that
    takes longer than `patience` seconds gives its place to the next and goes on, up to `most` of them in all:
    so a thousand servers that hang hold up the others for moments, not for their whole timeout.
    """

    run: Callable[[Node, Job], Awaitable[bool | None]]
    at_once: int = 4
    patience: float | None = None
    most: int = 0


@dataclasses.dataclass(frozen=True)
class Batch:
    """Up to `size` jobs in one call; `run` finishes them itself, in its own unit of work."""

    run: Callable[[Node, list[Job]], Awaitable[None]]
    size: int = 64


Handler = Each | Batch


class _Places:
    """What one kind may do at once. Each place is given back once: when its job ends, or before, if it is slow."""

    def __init__(self, handler: Handler) -> None:
        each = handler if isinstance(handler, Each) else None
        self.free = asyncio.Semaphore(each.at_once if each else 1)
        self._patience = each.patience if each else None
        self._most_slow = each.most - each.at_once if each else 0
        self._slow: set[asyncio.Task[None]] = set()

    def hold(self, tasks: list[asyncio.Task[None]]) -> None:
        """Keep places, which were acquired, for tasks that have begun together."""
        for task in tasks:
            task.add_done_callback(self._ended)
        self._wait(tasks)

    def _wait(self, tasks: list[asyncio.Task[None]]) -> None:
        if tasks and self._patience is not None:
            asyncio.get_running_loop().call_later(self._patience, self._let_go, tasks)

    def _let_go(self, tasks: list[asyncio.Task[None]]) -> None:
        late = [task for task in tasks if not task.done()]
        room = self._most_slow - len(self._slow)
        for task in late[:room]:
            self._slow.add(task)
            self.free.release()
        self._wait(late[room:])

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task in self._slow:
            self._slow.remove(task)
        else:
            self.free.release()


class Worker:
    """Does a node's jobs. `handlers` names what to do for each kind."""

    def __init__(self, node: Node, handlers: Mapping[str, Handler]) -> None:
        self._node = node
        self._handlers = dict(handlers)
        self._bells = {kind: asyncio.Event() for kind in handlers}
        self._loops: list[asyncio.Task[None]] = []
        self._doing: set[asyncio.Task[None]] = set()
        self._stopping = False

    def wake(self, kind: str) -> None:
        bell = self._bells.get(kind)
        if bell is not None:
            bell.set()

    async def start(self, *, alone: bool) -> None:
        """Begin working. `alone`: no other process works on this database, so old claims are free again."""
        if alone:
            await self._node.db.write(queue.release_all)
        self._node.db.wake = self.wake
        self._loops = [asyncio.create_task(self._loop(kind)) for kind in self._handlers]
        self._loops.append(asyncio.create_task(self._ring()))

    async def stop(self, patience: float = 3.0) -> None:
        """Claim nothing more, give what is being done `patience` seconds, then let go.

        What is let go was not finished, so it is done again after the next start.
        """
        self._stopping = True
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._doing:
            _, late = await asyncio.wait(self._doing, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def run(self, *, alone: bool) -> None:
        """Work until cancelled."""
        await self.start(alone=alone)
        try:
            await asyncio.gather(*self._loops)
        finally:
            await self.stop()

    async def drain(self, now: int | None = None) -> int:
        """Do everything that is due (at `now`, in milliseconds) until nothing is; return how many jobs ran."""
        done = 0
        while True:
            ran = await asyncio.gather(*[self._drain_kind(kind, now) for kind in self._handlers])
            if not any(ran):
                return done
            done += sum(ran)

    async def _drain_kind(self, kind: str, now: int | None) -> int:
        handler = self._handlers[kind]
        limit = handler.size if isinstance(handler, Batch) else handler.at_once
        found = await self._node.db.write(queue.claim, kind, limit, now or now_ms())
        await asyncio.gather(*self._works(handler, found))
        return len(found)

    async def _ring(self) -> None:
        """Once in a while, ring for every kind that has something due."""
        while True:
            await asyncio.sleep(POLL)
            try:
                now = now_ms()
                for kind, at in (await self._node.db.read(queue.next_due, list(self._handlers))).items():
                    if at <= now:
                        self._bells[kind].set()
            except Exception:
                log.exception("could not look for due jobs")

    async def _loop(self, kind: str) -> None:
        handler, bell = self._handlers[kind], self._bells[kind]
        places = _Places(handler)
        bell.set()
        while True:
            await bell.wait()
            bell.clear()
            try:
                while await self._claim_and_do(kind, handler, places):
                    pass
            except Exception:
                log.exception("could not claim %s jobs", kind)
                await asyncio.sleep(POLL)
                bell.set()

    async def _claim_and_do(self, kind: str, handler: Handler, places: _Places) -> bool:
        """Fill the free places once. True when there may be more to claim."""
        free = places.free
        await free.acquire()
        taken = 1
        if isinstance(handler, Each):
            while taken < handler.at_once and not free.locked():
                await free.acquire()
                taken += 1
        limit = handler.size if isinstance(handler, Batch) else taken
        try:
            found = await asyncio.shield(self._node.db.write(queue.claim, kind, limit, now_ms()))
        except BaseException:
            for _ in range(taken):
                free.release()
            raise
        works = self._works(handler, found)
        for _ in range(taken - len(works)):
            free.release()
        tasks = [asyncio.create_task(work) for work in works]
        for task in tasks:
            self._doing.add(task)
            task.add_done_callback(self._doing.discard)
        places.hold(tasks)
        return len(found) == limit

    def _works(self, handler: Handler, found: list[Job]) -> list[Coroutine[Any, Any, None]]:
        """What is to be done side by side."""
        if isinstance(handler, Each):
            return [self._one(handler.run, job) for job in found]
        return [self._batch(handler, found)] if found else []

    async def _batch(self, handler: Batch, group: list[Job]) -> None:
        try:
            await handler.run(self._node, group)
        except Exception:
            # One of them spoils the batch: each on its own, so the others are not lost with it.
            log.exception("a batch of %d %s jobs failed; trying them one by one", len(group), group[0].kind)
            for job in group:
                await self._one(lambda node, job: handler.run(node, [job]), job)

    async def _one(self, run: Callable[[Node, Job], Awaitable[bool | None]], job: Job) -> None:
        db = self._node.db
        try:
            if await run(self._node, job):
                return
        except Later as later:
            await db.write(queue.retry, job, later.at, later.reason)
        except GiveUp as given_up:
            log.info("job %s %d given up: %s", job.kind, job.id, given_up.reason)
            await db.write(queue.fail, job, given_up.reason)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            if job.attempts >= queue.MOST_ATTEMPTS:
                log.exception("job %s %d given up after %d attempts", job.kind, job.id, job.attempts)
                await db.write(queue.fail, job, reason)
            else:
                log.exception("job %s %d failed, attempt %d", job.kind, job.id, job.attempts)
                wait = queue.FIRST_WAIT * 3 ** (job.attempts - 1)
                await db.write(queue.retry, job, now_ms() + int(wait * random.uniform(0.8, 1.2)), reason)  # noqa: S311
        else:
            await db.write(queue.finish, job)
