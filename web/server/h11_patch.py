"""Hypercorn's own reader of HTTP/1.1, with a fault mended: it waits for an answer to end before it reads the next
request, and nothing tells it when the connection ends instead. Its task and buffers were then kept.
"""

from __future__ import annotations

import contextlib
from typing import Any

from hypercorn.asyncio.worker_context import EventWrapper
from hypercorn.events import Closed, Event
from hypercorn.protocol.h11 import H11Protocol


class _ClosedError(Exception):
    """There is no next request to wait for."""


class _MayRead(EventWrapper):
    """What hypercorn's reader waits for before it reads the next request. Its own never comes once the
    connection is closed."""

    _never = False

    def close(self) -> None:
        self._never = True
        self._event.set()

    async def clear(self) -> None:
        if not self._never:
            self._event.clear()

    async def wait(self) -> None:
        await self._event.wait()
        if self._never:
            raise _ClosedError


class Careful(H11Protocol):
    """Hypercorn's reader, but it lets go of a connection that is closed when more has arrived."""

    def __init__(self, *made_with: Any) -> None:
        super().__init__(*made_with)
        self._say = self.send
        self.send = self._say_and_see
        self._may_read = _MayRead()
        self.can_read = self._may_read

    async def _say_and_see(self, event: Event) -> None:
        if isinstance(event, Closed):
            self._may_read.close()
        await self._say(event)

    async def handle(self, event: Event) -> None:
        if isinstance(event, Closed):
            self._may_read.close()
        with contextlib.suppress(_ClosedError):
            await super().handle(event)
