"""Files over plain ASGI: pieces of 256 KB, single ranges, ETag, HEAD.

A file is opened once, read with `os.pread` and closed whatever happens, so that a browser that leaves
costs nothing but the piece it was being sent.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from activitypub.asgi import NOSNIFF, Header, Scope, Send, header, respond
from web.files.byte_ranges import ByteRange, RangeNotSatisfiable, parse_range

CHUNK_BYTES = 256 * 1024
# A file of this size goes out at once: each piece costs the server as much as a small answer.
SINGLE_CHUNK_BYTES = 512 * 1024


def is_not_modified(scope: Scope, etag: str) -> bool:
    """Whether `If-None-Match` names this version (weak comparison, as GET and HEAD want it)."""
    known = header(scope, b"if-none-match")
    if not known:
        return False
    return known.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]


async def send_text(
    scope: Scope, send: Send, status: int, message: str, headers: Iterable[Header] = ()
) -> None:
    await respond(scope, send, status, message.encode(), headers=[(b"cache-control", b"no-store"), *headers])


async def send_file(
    scope: Scope, send: Send, path: str | os.PathLike[str], mime: str, etag: str, headers: list[Header]
) -> None:
    """A file, or the part of it that was asked for. Raises FileNotFoundError before anything is sent."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(handle).st_size
        common = [(b"etag", etag.encode()), (b"accept-ranges", b"bytes"), *headers]
        if is_not_modified(scope, etag):
            await respond(scope, send, 304, content_type="", headers=common)
            return
        try:
            span = _requested_ranges(scope, etag, size)
        except RangeNotSatisfiable:
            await send_text(scope, send, 416, "That part is not in the file.", [_content_range(f"*/{size}")])
            return
        await _send_ranges(scope, send, handle, size, mime, span, common)
    finally:
        os.close(handle)


def _requested_ranges(scope: Scope, etag: str, size: int) -> ByteRange | None:
    asked = header(scope, b"range")
    if not asked:
        return None
    condition = (header(scope, b"if-range") or "").strip()
    return parse_range(asked, size) if condition in ("", etag) else None


def _content_range(value: str) -> Header:
    return (b"content-range", b"bytes " + value.encode())


async def _send_ranges(
    scope: Scope, send: Send, handle: int, size: int, mime: str, span: ByteRange | None, common: list[Header]
) -> None:
    first, past = span or (0, size)
    if span is not None:
        common.append(_content_range(f"{first}-{past - 1}/{size}"))
    common += [NOSNIFF, (b"content-type", mime.encode()), (b"content-length", str(past - first).encode())]
    status = 200 if span is None else 206
    await send({"type": "http.response.start", "status": status, "headers": common})
    if scope["method"] == "HEAD" or not size:
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    while first < past:
        piece = os.pread(handle, past - first if past - first <= SINGLE_CHUNK_BYTES else CHUNK_BYTES, first)
        if not piece:
            return  # cut short behind our back: the connection ends unfinished, as it should
        first += len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": first < past})
