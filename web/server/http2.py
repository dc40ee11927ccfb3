"""Fixes two faults of hypercorn's HTTP/2.

A request may be answered before all of its body has arrived: a form that is refused, an upload that is too
large. Hypercorn 0.18 then finds no stream for what still arrives, and closes the whole connection
with every other request on it (its pull request 334). RFC 9113, section 8.1 allows such a response, and requires
that the rest of the body is counted for flow control and otherwise ignored.

A client may leave before its response is sent. Hypercorn then sends no more, but lets the app wait for ever
until its data is sent, and so keeps the task, its memory and the socket.
"""

from __future__ import annotations

from typing import Any

from hypercorn.events import Closed, Event
from hypercorn.protocol.h2 import H2Protocol


class _ClosedStream:
    """Ignores what still arrives for a stream that was answered."""

    async def handle(self, event: Any) -> None:
        return None


class _Streams(dict[int, Any]):
    """The open streams by their ids; any other id is that of a closed stream."""

    def __missing__(self, stream_id: int) -> _ClosedStream:
        return _CLOSED


_CLOSED = _ClosedStream()


class PatchedH2(H2Protocol):
    """Hypercorn's HTTP/2, which keeps a connection whose request was answered early and ends the streams of
    clients that left."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.streams = _Streams()

    async def handle(self, event: Event) -> None:
        await super().handle(event)
        if isinstance(event, Closed):
            for buffer in list(self.stream_buffers.values()):
                await buffer.close()
