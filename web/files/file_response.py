"""Sends files over plain ASGI: chunks of 256 KB, single byte ranges, ETag, HEAD.

A file is opened once, read with `os.pread` and closed whatever happens, so that a client that leaves
costs nothing but the chunk it was being sent. `media_files` and `static_files` decide what is sent.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from activitypub.asgi import NOSNIFF, Header, Scope, Send, header, respond
from web.files.byte_ranges import ByteRange, RangeNotSatisfiable, parse_range

CHUNK_BYTES = 256 * 1024
# A file of this size is sent in one chunk: each chunk costs the server as much as a small response.
SINGLE_CHUNK_BYTES = 512 * 1024


def is_not_modified(scope: Scope, etag: str) -> bool:
    """Returns whether `If-None-Match` names this version (weak comparison, as GET and HEAD want it)."""
    known = header(scope, b"if-none-match")
    if not known:
        return False
    return known.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]


async def send_text(
    scope: Scope, send: Send, status: int, message: str, headers: Iterable[Header] = ()
) -> None:
    """Sends a short message as plain text that no cache keeps."""
    await respond(scope, send, status, message.encode(), headers=[(b"cache-control", b"no-store"), *headers])


async def send_file(
    scope: Scope, send: Send, path: str | os.PathLike[str], mime: str, etag: str, headers: list[Header]
) -> None:
    """Sends a file, or the requested range of it. Raises FileNotFoundError before anything is sent."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(handle).st_size
        common = [(b"etag", etag.encode()), (b"accept-ranges", b"bytes"), *headers]
        if is_not_modified(scope, etag):
            await respond(scope, send, 304, content_type="", headers=common)
            return
        try:
            range_ = _requested_range(scope, etag, size)
        except RangeNotSatisfiable:
            await send_text(scope, send, 416, "That part is not in the file.", [_content_range(f"*/{size}")])
            return
        await _send_content(scope, send, handle, size, mime, range_, common)
    finally:
        os.close(handle)


def _requested_range(scope: Scope, etag: str, size: int) -> ByteRange | None:
    requested = header(scope, b"range")
    if not requested:
        return None
    condition = (header(scope, b"if-range") or "").strip()
    return parse_range(requested, size) if condition in ("", etag) else None


def _content_range(value: str) -> Header:
    return (b"content-range", b"bytes " + value.encode())


async def _send_content(
    scope: Scope,
    send: Send,
    handle: int,
    size: int,
    mime: str,
    range_: ByteRange | None,
    common: list[Header],
) -> None:
    first, past = range_ or (0, size)
    if range_ is not None:
        common.append(_content_range(f"{first}-{past - 1}/{size}"))
    common += [NOSNIFF, (b"content-type", mime.encode()), (b"content-length", str(past - first).encode())]
    status = 200 if range_ is None else 206
    await send({"type": "http.response.start", "status": status, "headers": common})
    if scope["method"] == "HEAD" or not size:
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    while first < past:
        chunk = os.pread(handle, past - first if past - first <= SINGLE_CHUNK_BYTES else CHUNK_BYTES, first)
        if not chunk:
            return  # the file was truncated meanwhile: the response ends incomplete, as it should
        first += len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": first < past})
