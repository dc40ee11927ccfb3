"""Turns: how many requests of a class are worked on at once, and what share of the time they get beside members.

Whoever waits is served by address, one request each in turn, so that one visitor with many connections delays
another by one request only (`waiting`). The queue is bounded, and so is the wait in it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

from node.errors import Overloaded
from web.i18n.translations import N_
from web.request.addresses import group_of
from web.visitors.waiting import WaitingRequests

MAX_WAITING = 256  # requests
MAX_WAIT = 10.0  # seconds
MEMBERS_LINGER = 0.1  # seconds for which members count as active after a response
MAX_COUNTED = 0.5  # seconds of a turn that are paid back by a pause
OUTSIDE_SECONDS = (
    0.00025  # what a request costs beside its turn, to be read and sent: nearly all of a kept page
)
MIN_PAUSE = 0.002  # seconds: timers are not more exact; what is owed is kept
MAX_PAUSE = 0.05  # seconds until it is asked again whether members are active


def _busy() -> Overloaded:
    return Overloaded(N_("This server is busy. Please try again in a moment."))


class MemberActivity:
    """Whether requests of members are under way, or were a moment ago."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._under_way = 0
        self._last = float("-inf")

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._last = self._now()

    def is_active(self) -> bool:
        return self._under_way > 0 or self._now() - self._last < MEMBERS_LINGER


class Turn:
    """One request's permission to run; it ends by itself after a while, for a request that waits for others."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.has_ended = False
        self.timer: asyncio.TimerHandle | None = None


class Turns:
    """Lets `slots` requests run at once. While members are active, they get `share` of the time."""

    def __init__(
        self,
        members: MemberActivity,
        *,
        slots: int,
        share: float,
        max_turn: float,
        now: Callable[[], float],
        max_waiting: int = MAX_WAITING,
        max_wait: float = MAX_WAIT,
    ) -> None:
        self._members = members
        self._free = slots
        self._pause_factor = (1 - share) / share
        self._max_turn = max_turn
        self._now = now
        self._max_waiting, self._max_wait = max_waiting, max_wait
        self._waiting = WaitingRequests()
        self._resumes_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def turn(self, address: str, group: str | None = None) -> AsyncIterator[None]:
        """Waits for a turn, and ends it. Raises Overloaded where too many wait, or for too long."""
        turn = await self.begin(address, group)
        try:
            yield
        finally:
            self.end(turn)

    async def begin(self, address: str, group: str | None = None) -> Turn:
        """Waits for a turn, which `end` ends. Raises Overloaded where too many wait, or for too long."""
        if self._free <= 0 or self._waiting.count or self._pause() > MIN_PAUSE:
            await self._wait(group or group_of(address), address)
        else:
            self._free -= 1
        turn = Turn(self._now())
        turn.timer = asyncio.get_running_loop().call_later(self._max_turn, self.end, turn)
        return turn

    def end(self, turn: Turn) -> None:
        """Ends a turn, unless it has ended, and counts what it took."""
        if turn.has_ended:
            return
        turn.has_ended = True
        if turn.timer is not None:
            turn.timer.cancel()
        self._free += 1
        now = self._now()
        took = min(now - turn.started, MAX_COUNTED) + OUTSIDE_SECONDS
        self._resumes_at = max(self._resumes_at, now) + took * self._pause_factor
        self._start_waiting()

    def _pause(self) -> float:
        """Returns the seconds until the next turn may begin."""
        return self._resumes_at - self._now() if self._members.is_active() else 0.0

    async def _wait(self, group: str, address: str) -> None:
        if self._waiting.count >= self._max_waiting:
            self._make_room(group, address)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(group, address, future)
        self._start_waiting()
        try:
            async with asyncio.timeout(self._max_wait):
                await future
        except BaseException as error:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._free += 1  # given in the same moment
                self._start_waiting()
            self._waiting.remove(future)
            if isinstance(error, TimeoutError):
                raise _busy() from None
            raise

    def _make_room(self, group: str, address: str) -> None:
        """Refuses the request that has to leave for one of this address. Raises Overloaded where that is this one."""
        refused = self._waiting.pop_for(group, address)
        if refused is None:
            raise _busy()
        if not refused.done():
            refused.set_exception(_busy())

    def _start_waiting(self) -> None:
        """Gives the free slots to those who wait, or sets a timer where there is a pause."""
        while self._waiting.count and self._free > 0:
            pause = self._pause()
            if pause > MIN_PAUSE:
                if self._timer is None:
                    loop = asyncio.get_running_loop()
                    self._timer = loop.call_later(min(pause, MAX_PAUSE), self._resume)
                return
            future = self._waiting.pop()
            if not future.done():
                self._free -= 1
                future.set_result(None)

    def _resume(self) -> None:
        self._timer = None
        self._start_waiting()
