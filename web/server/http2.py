"""Hypercorn, with two faults of its HTTP/2 mended.

A request may be answered before all of its body has arrived: a form that is refused, an upload that is too
large. Hypercorn 0.18 looks for the stream of what still comes, finds none, and loses the whole connection
with everything else that is under way on it (its pull request 334). RFC 9113, section 8.1 allows such an
answer, and asks that what still comes be taken for flow control and otherwise ignored.

A client may leave before its answer is sent. Hypercorn then sends no more, and lets the app wait for ever
until what it gave is sent: its task, what it holds and the socket were kept.
"""

from __future__ import annotations

from typing import Any

from hypercorn.events import Closed, Event
from hypercorn.protocol.h2 import H2Protocol


class _Answered:
    """A stream that is over: what still comes for it is nobody's."""

    async def handle(self, event: Any) -> None:
        return None


class _Streams(dict[int, Any]):
    """The streams that are open, by their ids, and for every other id one that is over."""

    def __missing__(self, stream_id: int) -> _Answered:
        return _ANSWERED


_ANSWERED = _Answered()


class PatientH2(H2Protocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.streams = _Streams()

    async def handle(self, event: Event) -> None:
        await super().handle(event)
        if isinstance(event, Closed):
            for buffer in list(self.stream_buffers.values()):
                await buffer.close()
