"""Makes hypercorn's own reader of HTTP/1.1 strict, and fixes a fault of it.

h11 allows what RFC 9112 lets a server refuse, and what a proxy in front may have read in another way: both lengths
in one request, folded headers, an upgrade to HTTP/2 on a connection without TLS. These are refused.

The reader waits for a response to end before it reads the next request, and nothing tells it when the
connection ends instead: its task and buffers were then kept for ever.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

import h11
from hypercorn.asyncio.worker_context import EventWrapper
from hypercorn.events import Closed, Event
from hypercorn.protocol.h11 import H11Protocol

from web.server.config import allows_h2c
from web.server.guarded_exchange import framing_fault

_FOLDED = re.compile(rb"\n[ \t]")
_END_OF_HEAD = re.compile(rb"\n\r?\n")


class StrictConnection(h11.Connection):
    """h11 as a server, which refuses requests that another reader may understand differently."""

    def __init__(self, allows_h2c: bool, max_head: int) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=max_head)
        self._allows_h2c = allows_h2c

    def next_event(self) -> Any:
        if self.their_state is h11.IDLE:
            waiting = self.trailing_data[0]
            end = _END_OF_HEAD.search(waiting)
            if _FOLDED.search(waiting, 0, end.start() if end else len(waiting)):
                raise h11.RemoteProtocolError("a folded header", error_status_hint=400)
        event = super().next_event()
        return self._check(event) if isinstance(event, h11.Request) else event

    def _check(self, request: h11.Request) -> h11.Request:
        headers = list(request.headers)
        fault = framing_fault(request.http_version.decode("ascii"), headers)
        if fault:
            raise h11.RemoteProtocolError(fault, error_status_hint=400)
        if request.http_version not in (b"1.0", b"1.1") and not self._allows_h2c:
            raise h11.RemoteProtocolError("HTTP/2 without TLS", error_status_hint=505)
        if any(name == b"upgrade" and value.strip().lower() == b"h2c" for name, value in headers):
            # As if it had not been asked for: a proxy that passes it on would not see the requests behind it.
            kept = [header for header in headers if header[0] != b"upgrade"]
            return h11.Request(
                method=request.method, target=request.target, headers=kept, http_version=request.http_version
            )
        return request


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


class PatchedH11(H11Protocol):
    """Hypercorn's reader, which is strict and stops waiting when its connection is closed."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connection = StrictConnection(allows_h2c(self.config), self.config.h11_max_incomplete_size)
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
