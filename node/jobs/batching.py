"""Small requests that arrive one by one, processed in batches. Owns no table.

What a hundred deliveries or a hundred received activities each need from the database is one statement, or a
hundred hops to its thread. A `Batcher` processes whatever is waiting as one batch; what arrives meanwhile is
the next. So no request waits for others to come, and under load the batches grow by themselves.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

MAX_BATCH_SIZE = 256


class Batcher(Generic[A, B]):
    """`await batcher(item)` is the result for that item; `process(items)` returns the results in the same
    order.

    When a batch fails, each of its items is processed alone, so one bad item does not fail the others. A
    caller may be cancelled; its item is processed all the same.
    """

    def __init__(
        self,
        process: Callable[[list[A]], Awaitable[Sequence[B]]],
        *,
        max_size: int = MAX_BATCH_SIZE,
        pause_seconds: float = 0.0,
    ) -> None:
        """Sets up an empty queue; a batch has up to `max_size` items.

        `pause_seconds` is waited for more items between two batches; never before the first, nor for a full
        one.
        """
        self._process = process
        self._max_size = max_size
        self._pause_seconds = pause_seconds
        self._waiting: deque[tuple[A, asyncio.Future[B]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, item: A) -> B:
        future: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            # It starts behind every task that is ready to run now, and so finds their items too.
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_size))]
                await self._process_batch(batch)
                if self._pause_seconds and 0 < len(self._waiting) < self._max_size:
                    await asyncio.sleep(self._pause_seconds)
        finally:
            self._task = None

    async def _process_batch(self, batch: list[tuple[A, asyncio.Future[B]]]) -> None:
        try:
            results = await self._process([item for item, _ in batch])
        except Exception as error:
            if len(batch) > 1:
                for entry in batch:
                    await self._process_batch([entry])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        except BaseException:
            for _, future in batch:
                future.cancel()
            raise
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
