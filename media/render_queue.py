"""Whose picture is rendered next, and which one pauses meanwhile: no source of slow pictures stops the work of others.

Every picture has a `Source`: a person here, or another server. Uploads come before pictures of other servers, and
those before background work (nothing but deferred variants); among equals the sources take turns. One slot is kept
for an upload of somebody who has none running, and where slow pictures have all slots, such an upload gets
one more. Where more pictures run than the processors render at full speed, those of servers, and of people who have
more of them here, are paused while somebody else's upload runs. A source whose picture took all of its time has to
wait, each time longer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

from media.workers import Pauser

log = logging.getLogger(__name__)

MAX_WAITING_PER_SOURCE = 40
FIRST_SUSPENSION_SECONDS, SUSPENSION_FACTOR, MAX_SUSPENSION_SECONDS = 10.0, 4, 900.0
FORGIVEN_AFTER_SECONDS = 3600.0
_MAX_REMEMBERED_SOURCES = 10_000
_BUSY_SECONDS = 5.0

UPLOAD, REMOTE, BACKGROUND = range(3)
_EXTRA_SLOTS = 2

# A picture is paused for others for this long at most, so that a busy node still shows those of other servers.
MAX_PAUSED_SECONDS = 20.0
SLOW_SECONDS = 1.0  # twice what a usual photo takes
_REVIEW_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Source:
    """Who a picture comes from: a person here (`is_local`), or another server."""

    name: str
    is_local: bool


NOBODY = Source("", is_local=True)


class SourceMustWait(Exception):
    """This source had too much of the workers' time, or has too many pictures waiting. `seconds`: when to try again."""

    def __init__(self, source: Source, seconds: float, detail: str) -> None:
        super().__init__(f"{source.name}: {detail}, may go on in {seconds:.0f} s")
        self.seconds = seconds


@dataclass(slots=True, eq=False)
class RenderTurn:
    """A picture's place in the queue, then its slot."""

    source: Source
    priority: int
    arrived: int
    granted: asyncio.Future[None]
    started_at: float = 0.0
    pauser: Pauser = field(default_factory=Pauser)

    def running_seconds(self, now: float) -> float:
        """Returns how long it has run, without its pauses."""
        return max(0.0, now - self.started_at - self.pauser.paused_seconds(now)) if self.started_at else 0.0


@dataclass(slots=True)
class _Suspension:
    """How often a source's pictures ran out of time, and until when it waits."""

    strikes: int = 0
    until: float = 0.0


class RenderQueue:
    """Gives `slots` slots, in one event loop, and `extra_slots` more beside slow pictures.

    `processors`: how many there are, found out if not given.
    """

    def __init__(self, slots: int, processors: int | None = None) -> None:
        self._slots = slots
        self.extra_slots = min(_EXTRA_SLOTS, slots - 1)
        # Two pictures at once on two processors take 1.6 times as long each: they wait for memory, not for a processor.
        self._full_speed = max(1, (processors or _count_processors()) // 2)
        self._running: list[RenderTurn] = []
        self._waiting: list[RenderTurn] = []
        self._arrivals = 0
        self._suspensions: OrderedDict[Source, _Suspension] = OrderedDict()
        self._last_turns: OrderedDict[Source, int] = OrderedDict()
        self._review_timer: asyncio.TimerHandle | None = None

    @property
    def free_slots(self) -> int:
        return self._slots - len(self._running)

    async def acquire(self, source: Source, priority: int) -> RenderTurn:
        """Waits for a free slot; `release` gives it back. Raises SourceMustWait."""
        self.check_source(source)
        self._arrivals += 1
        turn = RenderTurn(source, priority, self._arrivals, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        self._look_again()
        try:
            await turn.granted
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn in self._running:
                self.release(turn)
            raise
        return turn

    def release(self, turn: RenderTurn) -> None:
        self._running.remove(turn)
        turn.pauser.resume()
        self._look_again()

    def check_source(self, source: Source) -> None:
        """Raises SourceMustWait where a picture of this source would not be taken now."""
        suspension = self._suspensions.get(source)
        if suspension is not None and (left := suspension.until - time.monotonic()) > 0:
            raise SourceMustWait(source, left, "a picture took too long")
        if sum(turn.source == source for turn in self._waiting) >= MAX_WAITING_PER_SOURCE:
            raise SourceMustWait(source, _BUSY_SECONDS, f"{MAX_WAITING_PER_SOURCE} pictures wait")

    def suspend_source(self, source: Source) -> None:
        """Makes a source wait whose picture ran out of time, with all that it has in the queue."""
        if source == NOBODY:
            return
        now = time.monotonic()
        suspension = self._suspensions.get(source, _Suspension())
        _remember(self._suspensions, source, suspension)
        if suspension.until < now - FORGIVEN_AFTER_SECONDS:
            suspension.strikes = 0
        seconds = min(
            MAX_SUSPENSION_SECONDS, FIRST_SUSPENSION_SECONDS * SUSPENSION_FACTOR**suspension.strikes
        )
        suspension.strikes = min(suspension.strikes + 1, 10)
        suspension.until = now + seconds
        log.warning("a picture of %s took too long; its next one waits for %.0f s", source.name, seconds)
        for turn in [turn for turn in self._waiting if turn.source == source]:
            self._refuse(turn, SourceMustWait(source, seconds, "a picture took too long"))

    def refuse_all(self, error: Exception) -> None:
        """Ends the waiting of everybody, and every pause."""
        for turn in list(self._waiting):
            self._refuse(turn, error)
        if self._review_timer is not None:
            self._review_timer.cancel()
        for turn in self._running:
            turn.pauser.resume()

    def _refuse(self, turn: RenderTurn, error: Exception) -> None:
        self._waiting.remove(turn)
        if not turn.granted.done():
            turn.granted.set_exception(error)

    def _grant_slots(self) -> None:
        """Gives the free slots to those whose turn it is."""
        while True:
            # Whoever was cancelled in this very moment is still in the queue, and would never give a slot back.
            ready = [turn for turn in self._waiting if not turn.granted.done() and self._has_free_slot(turn)]
            if not ready:
                return
            turn = min(ready, key=self._order)
            self._waiting.remove(turn)
            self._running.append(turn)
            self._arrivals += 1
            _remember(self._last_turns, turn.source, self._arrivals)
            turn.started_at = time.monotonic()
            turn.granted.set_result(None)

    def _order(self, turn: RenderTurn) -> tuple[int, int, int]:
        return (turn.priority, self._last_turns.get(turn.source, 0), turn.arrived)

    def _has_free_slot(self, turn: RenderTurn) -> bool:
        is_first_upload = turn.priority == UPLOAD and not any(
            other.source == turn.source and other.priority == UPLOAD for other in self._running
        )
        if self.free_slots <= 0:
            ranks = self._ranks(turn, *self._running)
            return (
                is_first_upload
                and self.free_slots > -self.extra_slots
                and any(rank > ranks[turn] for rank in ranks.values())
            )
        if self.free_slots == 1 < self._slots:
            return is_first_upload
        background = sum(other.priority == BACKGROUND for other in self._running)
        return turn.priority != BACKGROUND or background < max(1, self._slots - 2)

    def review_pauses(self) -> None:
        """Pauses what has to give way to an upload, and resumes the rest. Looks again soon while anything is paused."""
        if self._review_timer is not None:
            self._review_timer.cancel()
            self._review_timer = None
        paused = self._choose_paused(time.monotonic())
        for turn in self._running:
            if turn in paused:
                turn.pauser.pause()
            else:
                turn.pauser.resume()
        if self._waiting or len(self._running) > self._full_speed:
            self._review_timer = asyncio.get_running_loop().call_later(_REVIEW_SECONDS, self._look_again)

    def _look_again(self) -> None:
        """Grants slots and pauses anew, since a picture may have become slow meanwhile."""
        self._grant_slots()
        self.review_pauses()

    def _ranks(self, *turns: RenderTurn) -> dict[RenderTurn, tuple[int, int, bool]]:
        """Returns who goes first, the lowest: uploads, then those with fewer pictures here, then what is not slow yet."""
        here = Counter((turn.source, turn.priority) for turn in (*self._running, *self._waiting))
        now = time.monotonic()
        return {
            turn: (turn.priority, here[turn.source, turn.priority], turn.running_seconds(now) > SLOW_SECONDS)
            for turn in turns
        }

    def _choose_paused(self, now: float) -> list[RenderTurn]:
        rank = self._ranks(*self._running)
        ordered = sorted(self._running, key=lambda turn: (rank[turn], turn.arrived))
        first, later = ordered[: self._full_speed], ordered[self._full_speed :]
        return [
            turn
            for turn in later
            if turn.pauser.paused_seconds(now) < MAX_PAUSED_SECONDS
            and any(
                other.priority == UPLOAD and other.source != turn.source and rank[other] < rank[turn]
                for other in first
            )
        ]


_Value = TypeVar("_Value")


def _remember(known: OrderedDict[Source, _Value], source: Source, value: _Value) -> None:
    known[source] = value
    known.move_to_end(source)
    if len(known) > _MAX_REMEMBERED_SOURCES:
        known.popitem(last=False)


def _count_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
