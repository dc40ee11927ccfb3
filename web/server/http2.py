"""Fixes five faults of hypercorn's HTTP/2.

A request may be answered before all of its body has arrived: a form that is refused, an upload that is too
large. Hypercorn 0.18 then finds no stream for what still arrives, and closes the whole connection
with every other request on it (its pull request 334). RFC 9113, section 8.1 allows such a response, and requires
that the rest of the body is counted for flow control and otherwise ignored.

A client may leave before its response is sent. Hypercorn then sends no more, but lets the app wait for ever
until its data is sent, and so keeps the task, its memory and the socket.

A client may name more streams than the tree of priorities holds, by opening and ending them at once or by giving
priorities to a thousand that it never opens. That ended the connection with a traceback; now with GOAWAY.

A client may ask for a tunnel (CONNECT without a path). That was a traceback, too; now its stream is refused.
So is one whose method or path holds bytes that are not ASCII, which was a traceback as well.
"""

from __future__ import annotations

from typing import Any

from h2.errors import ErrorCodes
from hypercorn.events import Closed, Event, RawData
from priority.priority import PriorityError

from web.server.strict_h2 import StrictH2


class _ClosedStream:
    """Ignores what still arrives for a stream that was answered."""

    async def handle(self, event: Any) -> None:
        return None


class _Streams(dict[int, Any]):
    """The open streams by their ids; any other id is that of a closed stream."""

    def __missing__(self, stream_id: int) -> _ClosedStream:
        return _CLOSED


_CLOSED = _ClosedStream()


class PatchedH2(StrictH2):
    """Hypercorn's HTTP/2, which keeps a connection whose request was answered early and ends the streams of
    clients that left."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.streams = _Streams()

    async def _create_stream(self, request: Any) -> None:
        parts = {name: value for name, value in request.headers if name in (b":method", b":path")}
        if len(parts) == 2 and all(value.isascii() for value in parts.values()):
            await super()._create_stream(request)
        else:
            self.connection.reset_stream(request.stream_id, ErrorCodes.REFUSED_STREAM)

    async def handle(self, event: Event) -> None:
        try:
            await super().handle(event)
        except PriorityError:
            for stream_id, stream in list(self.streams.items()):
                if not hasattr(stream, "scope"):  # the one that did not fit, which was not begun
                    del self.streams[stream_id]
            self.connection.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            await self.send(RawData(self.connection.data_to_send()))
            await self.send(Closed())
        if isinstance(event, Closed):
            for buffer in list(self.stream_buffers.values()):
                await buffer.close()
