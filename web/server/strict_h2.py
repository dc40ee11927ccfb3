"""Bounds what an HTTP/2 connection costs before anybody asks for a turn, for the fast and for the plain server.

A few bytes may stand for a thousand headers that were sent before (HPACK), and each of them is checked several times.
A few KB may be a thousand frames.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import hypercorn.protocol
from h2.exceptions import StreamClosedError
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.h2 import H2Protocol

from web.server.frames import FramePace
from web.server.heads import BoundedDecoder


class StrictH2(H2Protocol):
    """Hypercorn's reader of HTTP/2, with a `BoundedDecoder` and a `FramePace`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connection.decoder = BoundedDecoder(self.connection.decoder.max_header_list_size)
        self._clock = asyncio.get_running_loop().time
        self._pace = FramePace(self._clock())
        self._is_closing = False
        self._send, self.send = self.send, self._count_and_send

    async def _count_and_send(self, event: Event) -> None:
        if isinstance(event, RawData):
            self._pace.add_bytes(len(event.data))
        elif isinstance(event, Closed):
            self._is_closing = True
        await self._send(event)

    async def handle(self, event: Event) -> None:
        if not isinstance(event, RawData):
            await super().handle(event)
            return
        for part in self._pace.parts(event.data):
            # A request that was taken back while the server stops has no stream to reset any more.
            with contextlib.suppress(StreamClosedError):
                await super().handle(RawData(part))
            if self._is_closing:
                return
            if await self._stops_within(self._pace.seconds_to_wait(self._clock())):
                await self.send(Closed())

    async def _stops_within(self, seconds: float) -> bool:
        """Waits, but not longer than the server serves; returns whether it stops."""
        if seconds == 0:
            await asyncio.sleep(0)  # for others
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.context.terminated.wait()
                return True
        return False


def install() -> None:
    """Puts the strict reader in the place where hypercorn looks its own one up, unless the fast server has done that."""
    if hypercorn.protocol.H2Protocol is H2Protocol:  # type: ignore[attr-defined]
        hypercorn.protocol.H2Protocol = StrictH2  # type: ignore[attr-defined,assignment]
