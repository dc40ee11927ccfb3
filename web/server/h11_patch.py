"""Fixes a fault of hypercorn's own reader of HTTP/1.1, for the fast server.

The reader waits for a response to end before it reads the next request, and nothing tells it when the
connection ends instead: its task and buffers were then kept for ever.
"""

from __future__ import annotations

import contextlib
from typing import Any

from hypercorn.asyncio.worker_context import EventWrapper
from hypercorn.events import Closed, Event

from web.server.strict_h11 import StrictH11


class _ClosedError(Exception):
    """There is no next request to wait for."""


class _CanRead(EventWrapper):
    """Tells the reader that it may read the next request, or that there will be none."""

    _is_closed = False

    def close(self) -> None:
        self._is_closed = True
        self._event.set()

    async def clear(self) -> None:
        if not self._is_closed:
            self._event.clear()

    async def wait(self) -> None:
        await self._event.wait()
        if self._is_closed:
            raise _ClosedError


class PatchedH11(StrictH11):
    """The strict reader, which also stops waiting when its connection is closed."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._send_to_connection = self.send
        self.send = self._send_and_watch
        self._may_read = _CanRead()
        self.can_read = self._may_read

    async def _send_and_watch(self, event: Event) -> None:
        if isinstance(event, Closed):
            self._may_read.close()
        await self._send_to_connection(event)

    async def handle(self, event: Event) -> None:
        if isinstance(event, Closed):
            self._may_read.close()
        with contextlib.suppress(_ClosedError):
            await super().handle(event)
