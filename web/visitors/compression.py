"""Compresses what is sent to clients that understand gzip: whole texts, not streams and not what is tiny.

The size of a compressed page tells how much two of its parts are alike. So somebody who has words of theirs put into
a member's page again and again, and sees how long each is, could guess a secret in it (an attack called BREACH).
Three things stand against that: a form token is written differently each time (`web.request.session`), every answer
is longer by a number nobody knows, and what another site makes a member's browser fetch is not compressed.

The body of a page that is kept for many visitors is compressed once, in pieces between the places of its form token
(`pack`). The token goes between them as it is, so it is never compressed together with anything.
"""

from __future__ import annotations

import functools
import secrets
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from activitypub.asgi import header, headers
from web.visitors.page_cache import WholeResponse

# The level after which time doubles for a few per cent (`tests/bench/html.py`).
LEVEL = 3
MIN_BYTES = 600  # less fits into one packet anyway
MAX_BYTES = 1024 * 1024  # more would keep everybody else waiting for milliseconds
MAX_NOISE = 100

_TEXTS = (
    *(b"text/", b"application/json", b"application/activity+json", b"application/ld+json"),
    *(b"application/jrd+json", b"application/manifest+json"),
)
_WITHOUT_BODY = frozenset((204, 206, 304))
_OWN_SITE = frozenset(("", "none", "same-origin"))

Headers = Sequence[tuple[bytes, bytes]]


def compress(scope: Any, response: WholeResponse) -> WholeResponse:
    """Returns a response as it is sent to this client: compressed, if the client and the response allow it."""
    if not _may_be_compressed(response.status, response.headers):
        return response
    response = replace(response, headers=_with_vary(response.headers))
    size = int(_value(response.headers, b"content-length") or len(response.body))
    is_packed = bool(response.packed)
    if not (is_packed or MIN_BYTES <= size <= MAX_BYTES) or not accepts_gzip(scope):
        return response
    lines = [one for one in response.headers if one[0].lower() not in (b"content-length", b"etag")]
    lines.append((b"content-encoding", b"gzip"))
    if etag := _value(response.headers, b"etag"):
        lines.append((b"etag", etag if etag.startswith(b"W/") else b"W/" + etag))
    if scope["method"] == "HEAD":  # how long the body would be is known only once it is compressed
        return WholeResponse(response.status, tuple(lines), b"")
    body = _joined(response) if is_packed else gzip_bytes(response.body)
    lines.append((b"content-length", b"%d" % len(body)))
    return WholeResponse(response.status, tuple(lines), body)


def accepts_gzip(scope: Any) -> bool:
    """Returns whether the client takes gzip (RFC 9110, section 12.5.3)."""
    found = {}
    for part in ",".join(headers(scope, b"accept-encoding"))[:500].split(","):
        coding, _, weight = part.partition(";")
        name, _, number = weight.partition("=")
        is_refused = name.strip().lower() == "q" and not number.strip().strip("0.")
        found[coding.strip().lower()] = not is_refused
    return found.get("gzip", found.get("x-gzip", found.get("*", False)))


def is_asked_by_another_site(scope: Any) -> bool:
    """Returns whether another site made a browser send this request."""
    return (header(scope, b"sec-fetch-site") or "").strip().lower() not in _OWN_SITE


def gzip_bytes(body: bytes, level: int = LEVEL) -> bytes:
    """Compresses a body."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return b"".join((_start(), packer.compress(body), packer.flush(), _end([body])))


def pack(response: WholeResponse, form_token: bytes) -> WholeResponse:
    """Returns a response for many, with its body in pieces around the form token, plain and compressed."""
    if not _may_be_compressed(response.status, response.headers) or len(response.body) < MIN_BYTES:
        return response
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    pieces = tuple(response.body.split(form_token))
    packed = tuple(
        # A full flush ends at a whole byte, and nothing behind it refers to anything before it.
        packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
        for piece in pieces
    )
    return replace(response, body=b"", pieces=pieces, packed=packed, form_token=form_token)


def body_parts(response: WholeResponse) -> list[bytes]:
    """Returns the body in parts, of which those that many share are no copies."""
    first, *more = response.pieces or (response.body,)
    return [first, *(part for piece in more for part in (response.form_token, piece))]


def _joined(response: WholeResponse) -> bytes:
    """Joins the pieces of `pack` to one gzip file of the body, with a form token between them, uncompressed."""
    token = response.form_token
    stored = b"\0" + struct.pack("<HH", len(token), len(token) ^ 0xFFFF) + token
    return b"".join((_start(), stored.join(response.packed), b"\x03\0", _end(body_parts(response))))


def _start() -> bytes:
    """Returns the head of a gzip file, with a file name of a length that nobody can know (RFC 1952)."""
    return b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"x" * secrets.randbelow(MAX_NOISE) + b"\0"


def _end(parts: Sequence[bytes]) -> bytes:
    checksum = functools.reduce(lambda sum_before, part: zlib.crc32(part, sum_before), parts, 0)
    return struct.pack("<LL", checksum, sum(map(len, parts)) & 0xFFFFFFFF)


def _may_be_compressed(status: int, lines: Headers) -> bool:
    if status in _WITHOUT_BODY or status < 200:
        return False
    kind = (_value(lines, b"content-type") or b"").lower()
    names = {name.lower() for name, _value in lines}
    return kind.startswith(_TEXTS) and b"content-encoding" not in names and b"content-range" not in names


def _value(lines: Headers, name: bytes) -> bytes | None:
    return next((value for key, value in lines if key.lower() == name), None)


def _with_vary(lines: Headers) -> tuple[tuple[bytes, bytes], ...]:
    """Returns the headers with `Accept-Encoding` among what a response depends on."""
    known = b", ".join(value for name, value in lines if name.lower() == b"vary")
    if known == b"*" or b"accept-encoding" in known.lower():
        return tuple(lines)
    rest = tuple(line for line in lines if line[0].lower() != b"vary")
    return (*rest, (b"vary", b"Accept-Encoding" if not known else known + b", Accept-Encoding"))


class CompressedSend:
    """An ASGI `send` that compresses the response of an app. One whose length the app does not say is a stream, and
    passes as it is."""

    def __init__(self, scope: Any, send: Any) -> None:
        self._scope, self._send = scope, send
        self._start: Any = None  # while the body is collected
        self._parts: list[bytes] = []

    async def __call__(self, message: Any) -> None:
        kind = message["type"]
        if kind == "http.response.start" and self._is_whole(message):
            self._start = message
        elif kind == "http.response.body" and self._start is not None:
            self._parts.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                await self._finish()
        else:
            await self._send(message)

    def _is_whole(self, message: Any) -> bool:
        lines = tuple(message.get("headers", ()))
        size = _value(lines, b"content-length")
        return size is not None and int(size) <= MAX_BYTES and _may_be_compressed(message["status"], lines)

    async def _finish(self) -> None:
        start, self._start = self._start, None
        lines = tuple((bytes(name), bytes(value)) for name, value in start["headers"])
        response = compress(self._scope, WholeResponse(start["status"], lines, b"".join(self._parts)))
        await self._send({**start, "headers": list(response.headers)})
        await self._send({"type": "http.response.body", "body": response.body})
