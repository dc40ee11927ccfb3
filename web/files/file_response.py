"""Files and small answers over plain ASGI: pieces of 256 KB, ranges, ETag, HEAD.

A file is opened once, read with `os.pread` and closed whatever happens, so that a browser that leaves
costs nothing but the piece it was being sent.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from typing import Any

from web.files.byte_ranges import Span, Unsatisfiable, parse, part_end, part_head

PIECE = 256 * 1024
# A file of this size goes out at once: each piece costs the server as much as a small answer.
AT_ONCE = 512 * 1024

Header = tuple[bytes, bytes]
Scope = dict[str, Any]


def header(scope: Scope, name: bytes) -> str:
    """A request header's text, or ''. `name` is lower-case."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return ""


def is_unchanged(scope: Scope, etag: str) -> bool:
    """Whether `If-None-Match` names this version (weak comparison, as GET and HEAD want it)."""
    known = header(scope, b"if-none-match")
    if not known:
        return False
    return known.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]


async def answer(
    scope: Scope, send: Any, status: int, headers: Iterable[Header], body: bytes = b"", mime: str = ""
) -> None:
    """A short answer, whole."""
    first = list(headers)
    if status not in (204, 304):
        first.append((b"content-length", str(len(body)).encode()))
    if mime:
        first.append((b"content-type", mime.encode()))
    await send({"type": "http.response.start", "status": status, "headers": first})
    shown = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": shown, "more_body": False})


async def text(scope: Scope, send: Any, status: int, sentence: str, headers: Iterable[Header] = ()) -> None:
    common = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"), *headers]
    await answer(scope, send, status, common, sentence.encode(), "text/plain; charset=utf-8")


async def file(
    scope: Scope, send: Any, path: str | os.PathLike[str], mime: str, etag: str, headers: list[Header]
) -> None:
    """A file, or the parts of it that were asked for. Raises FileNotFoundError before anything is sent."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(handle).st_size
        common = [(b"etag", etag.encode()), (b"accept-ranges", b"bytes"), *headers]
        if is_unchanged(scope, etag):
            await send({"type": "http.response.start", "status": 304, "headers": common})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        try:
            spans = _wanted(scope, etag, size)
        except Unsatisfiable:
            await text(scope, send, 416, "That part is not in the file.", [_content_range(f"*/{size}")])
            return
        await _send(scope, send, handle, size, mime, spans, common)
    finally:
        os.close(handle)


def _wanted(scope: Scope, etag: str, size: int) -> list[Span]:
    asked = header(scope, b"range")
    if not asked:
        return []
    condition = header(scope, b"if-range").strip()
    return parse(asked, size) if condition in ("", etag) else []


def _content_range(value: str) -> Header:
    return (b"content-range", b"bytes " + value.encode())


async def _send(
    scope: Scope, send: Any, handle: int, size: int, mime: str, spans: list[Span], common: list[Header]
) -> None:
    status, boundary = 206 if spans else 200, ""
    before: list[bytes] = []
    if len(spans) > 1:
        boundary = secrets.token_hex(12)
        before = [part_head(boundary, mime, span, size) for span in spans]
        mime = f"multipart/byteranges; boundary={boundary}"
    elif spans:
        common.append(_content_range(f"{spans[0][0]}-{spans[0][1] - 1}/{size}"))
    parts = spans or [(0, size)]
    length = sum(past - first for first, past in parts) + sum(map(len, before))
    if boundary:
        length += len(part_end(boundary))
    common += [(b"content-type", mime.encode()), (b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": status, "headers": common})
    if scope["method"] != "HEAD":
        for place, (first, past) in enumerate(parts):
            if before:
                await send({"type": "http.response.body", "body": before[place], "more_body": True})
            while first < past:
                piece = os.pread(handle, past - first if past - first <= AT_ONCE else PIECE, first)
                if not piece:
                    return  # cut short behind our back: the connection ends unfinished, as it should
                first += len(piece)
                more = bool(boundary) or first < past or place + 1 < len(parts)
                await send({"type": "http.response.body", "body": piece, "more_body": more})
    if boundary or scope["method"] == "HEAD" or not size:
        end = part_end(boundary) if boundary and scope["method"] != "HEAD" else b""
        await send({"type": "http.response.body", "body": end, "more_body": False})
