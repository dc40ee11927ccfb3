"""Which heads of requests are too large to be read. They are answered 431 (RFC 6585) before the app sees them.

A head is read before anybody knows who sends it, so what it costs must be little. Browsers send about 20 headers,
proxies add 10, servers that sign their requests have 12; cookies may be many, but over HTTP/2 alone each has a header
of its own, and those are put together first.
"""

from __future__ import annotations

import asyncio
from typing import Any

from hpack import Decoder, HeaderTuple
from hpack.exceptions import OversizedHeaderListError

MAX_HEADERS = 100
MAX_HEAD = 32_768
"""Of HTTP/2: bytes of names and values, and 32 for each (RFC 9113, section 6.5.2). HTTP/1.1 has a lower limit."""

MAX_CUT_HEADS = 3
"""How many heads of one HTTP/2 connection may be too large before it is closed: a few bytes may stand for each."""

REFUSAL_SECONDS = 0.25
"""How long the refusal of such a head waits, or of what is no HTTP: reading it costs something, and a connection could
send thousands a second."""

HEADER_OVERHEAD = 32
_CUT: tuple[bytes, bytes] = (b"tintype-head-is-too-large", b"1")
_CLOSE = [(b"content-length", b"0"), (b"connection", b"close")]


class BoundedDecoder(Decoder):
    """Reads the heads of one HTTP/2 connection. Of one that is too large only the first line is left, and a mark."""

    def __init__(self, max_expanded: int) -> None:
        super().__init__(max_expanded)
        self._cut = 0

    def decode(self, data: bytes, raw: bool = False) -> list[HeaderTuple]:
        """Returns the headers, all cookies in one of them. Raises OversizedHeaderListError after too many."""
        headers = list(super().decode(data, raw))
        cookies = [header[1] for header in headers if header[0] == b"cookie"]
        if len(cookies) > 1:
            headers = [header for header in headers if header[0] != b"cookie"]
            headers.append(HeaderTuple(b"cookie", b"; ".join(cookies)))
        size = sum(len(name) + len(value) for name, value in headers) + HEADER_OVERHEAD * len(headers)
        if len(headers) <= MAX_HEADERS and size <= MAX_HEAD:
            return headers
        self._cut += 1
        if self._cut > MAX_CUT_HEADS:
            raise OversizedHeaderListError("too many heads are too large")
        pseudo = {header[0]: header for header in headers if header[0].startswith(b":")}
        return [*pseudo.values(), HeaderTuple(*_CUT)]


def refuse_large_heads(app: Any) -> Any:
    """Returns an app that answers 431 where the head of a request was cut, or has too many headers."""

    async def bounded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and (len(scope["headers"]) > MAX_HEADERS or _CUT in scope["headers"]):
            await asyncio.sleep(REFUSAL_SECONDS)
            await send({"type": "http.response.start", "status": 431, "headers": _CLOSE})
            await send({"type": "http.response.body", "body": b""})
        else:
            await app(scope, receive, send)

    return bounded
