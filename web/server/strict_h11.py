"""Makes hypercorn's own reader of HTTP/1.1 strict, for the fast and for the plain server.

h11 allows what RFC 9112 lets a server refuse, and what a proxy in front may have read in another way: both lengths
in one request, folded headers. Hypercorn upgrades to HTTP/2 whoever asks for it. The first two are refused, and the
last is not done. Refused are also heads and trailers of too many lines, and bodies in very many small chunks, each of
which costs as much as a large one. Every refusal waits a moment (`REFUSAL_SECONDS`).
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import h11
import hypercorn.protocol
from h11._receivebuffer import ReceiveBuffer
from hypercorn.events import Event
from hypercorn.protocol.h11 import H11Protocol

from web.request.bodies import has_too_many_pieces
from web.server.config import allows_h2c
from web.server.guarded_exchange import framing_fault
from web.server.heads import MAX_HEADERS, REFUSAL_SECONDS

MAX_CHUNK = 1 << 48  # bytes
_FOLDED = re.compile(rb"\n[ \t]")
_END_OF_HEAD = re.compile(rb"\n\r?\n")


class _BoundedBuffer(ReceiveBuffer):
    """Gives h11 the lines of a head, or of the trailers behind a body in chunks, unless they are too many or too long.

    h11 itself limits only what is not whole yet: 60 KB that came at once cost it 30 ms.
    """

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self._max_bytes = max_bytes

    def maybe_extract_lines(self) -> list[bytearray] | None:
        if not self._data.startswith((b"\n", b"\r\n")):
            end = _END_OF_HEAD.search(self._data)
            stop = end.start() if end else len(self._data)
            if stop > self._max_bytes or self._data.count(b"\n", 0, stop) > MAX_HEADERS:
                raise h11.RemoteProtocolError("too many headers", error_status_hint=431)
        return super().maybe_extract_lines()


class StrictConnection(h11.Connection):
    """h11 as a server, which refuses requests that another reader may understand differently."""

    def __init__(self, allows_h2c: bool, max_head: int) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=max_head)
        self._receive_buffer = _BoundedBuffer(max_head)
        self._allows_h2c = allows_h2c
        self.is_refused = False
        self._chunks = self._body_bytes = 0

    def next_event(self) -> Any:
        try:
            return self._next_event()
        except h11.RemoteProtocolError:
            self.is_refused = True
            raise

    def _next_event(self) -> Any:
        if self.their_state is h11.IDLE:
            waiting = self.trailing_data[0]
            end = _END_OF_HEAD.search(waiting)
            if _FOLDED.search(waiting, 0, end.start() if end else len(waiting)):
                raise h11.RemoteProtocolError("a folded header", error_status_hint=400)
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._body_bytes = 0
            return self._check(event)
        if isinstance(event, h11.Data):
            self._chunks += event.chunk_start
            self._body_bytes += len(event.data)
        if has_too_many_pieces(self._chunks, self._body_bytes):
            raise self._bad_body("chunks that are too small")
        if getattr(self._reader, "_bytes_in_chunk", 0) > MAX_CHUNK:
            raise self._bad_body("a chunk that is too large")
        return event

    def _bad_body(self, fault: str) -> h11.RemoteProtocolError:
        """Returns why the rest of a body is not read. What the app still answers is dropped, as after h11's own."""
        self._process_error(self.their_role)
        return h11.RemoteProtocolError(fault, error_status_hint=400)

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


class StrictH11(H11Protocol):
    """Hypercorn's reader, on a `StrictConnection`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connection = StrictConnection(allows_h2c(self.config), self.config.h11_max_incomplete_size)
        self._send_at_once, self.send = self.send, self._send_later_if_refused
        self._goes_on_at = 0.0

    async def _send_later_if_refused(self, event: Event) -> None:
        """Sends, but a moment later what follows a refusal: its answer, or that the connection closes without one."""
        if getattr(self.connection, "is_refused", False):  # that of a WebSocket is another
            now = asyncio.get_running_loop().time()
            self._goes_on_at = self._goes_on_at or now + REFUSAL_SECONDS
            await asyncio.sleep(max(0.0, self._goes_on_at - now))
        await self._send_at_once(event)


def install() -> None:
    """Puts the strict reader in the place where hypercorn looks its own one up, unless the fast server has done that."""
    if hypercorn.protocol.H11Protocol is H11Protocol:  # type: ignore[attr-defined]
        hypercorn.protocol.H11Protocol = StrictH11  # type: ignore[attr-defined,assignment]
