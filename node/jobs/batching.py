"""Small things asked for one by one, done many at a time. Owns no table.

What a hundred deliveries or a hundred letters each want of the database is one statement, or a hundred hops
to its thread. A `Gathering` does whatever is waiting as one group; what arrives meanwhile is the next one.
So nobody waits for company, and under load the groups grow by themselves.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

MOST = 256


class Gathering(Generic[A, B]):
    """`await gathering(item)` is the answer to that item. `do(items)` gives the answers in the same order.

    When a group fails, each of its items is done alone, so one that spoils it takes nobody with it. Who asked
    may leave; the item is done all the same.
    """

    def __init__(
        self, do: Callable[[list[A]], Awaitable[Sequence[B]]], *, most: int = MOST, pause: float = 0.0
    ) -> None:
        """`pause`, in seconds, is waited for more of them between two groups; never before the first."""
        self._do = do
        self._most = most
        self._pause = pause
        self._waiting: deque[tuple[A, asyncio.Future[B]]] = deque()
        self._doing: asyncio.Task[None] | None = None

    async def __call__(self, item: A) -> B:
        future: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._doing is None:
            # It begins behind everything that is ready to run now, and so finds what they ask for too.
            self._doing = asyncio.create_task(self._do_all())
        return await future

    async def _do_all(self) -> None:
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
                await self._do_group(group)
                if self._pause and 0 < len(self._waiting) < self._most:
                    await asyncio.sleep(self._pause)
        finally:
            self._doing = None

    async def _do_group(self, group: list[tuple[A, asyncio.Future[B]]]) -> None:
        try:
            answers = await self._do([item for item, _ in group])
        except Exception as error:
            if len(group) > 1:
                for one in group:
                    await self._do_group([one])
            elif not group[0][1].done():
                group[0][1].set_exception(error)
            return
        except BaseException:
            for _, future in group:
                future.cancel()
            raise
        for (_, future), answer in zip(group, answers, strict=True):
            if not future.done():
                future.set_result(answer)
