"""Slots: how many jobs of one kind may run at once. Owns no table."""

from __future__ import annotations

import asyncio


class Slots:
    """The slots of one kind.

    Each slot is released once: when its job ends, or before, if the job is slow.
    """

    def __init__(
        self, concurrency: int = 1, slow_after_seconds: float | None = None, max_concurrency: int = 0
    ) -> None:
        self.free = asyncio.Semaphore(concurrency)
        self._slow_after_seconds = slow_after_seconds
        self._max_slow = max_concurrency - concurrency
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
