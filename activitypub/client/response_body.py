"""What another server sends as an answer, read within a limit: of bytes received and of bytes unpacked."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import StreamReader
from multidict import CIMultiDictProxy

if TYPE_CHECKING:
    from zlib import _Decompress

AS_PROFILE = "https://www.w3.org/ns/activitystreams"

_PROFILE = re.compile(r';\s*profile\s*=\s*(?:"([^"]*)"|([^\s;"]+))', re.IGNORECASE)


class TooLarge(Exception):
    """The body grew past the limit."""


class NotReadable(Exception):
    """The body is packed in a way we did not ask for, or badly."""


async def read(headers: Mapping[str, str], content: StreamReader, limit: int) -> bytes:
    """The whole body, unpacked. Raises TooLarge as soon as it is, and NotReadable."""
    declared = headers.get("Content-Length", "")
    if declared.isdigit() and int(declared[:12]) > limit:
        raise TooLarge
    unpacker = _unpacker(headers.get("Content-Encoding", ""))
    received, body = 0, bytearray()
    async for chunk in content.iter_any():
        received += len(chunk)
        if unpacker is not None:
            chunk = _unpack(unpacker, chunk, limit + 1 - len(body))
        body += chunk
        if received > limit or len(body) > limit:
            raise TooLarge
    return bytes(body)


def media_type(headers: CIMultiDictProxy[str]) -> str:
    """The media type without parameters, lower-case; "" when missing or given twice."""
    given = headers.getall("Content-Type", [])
    return given[0].partition(";")[0].strip().lower() if len(given) == 1 else ""


def is_activity(headers: CIMultiDictProxy[str]) -> bool:
    """Whether the answer calls itself an ActivityPub document. Nothing else counts as one.

    A server that lets people upload files serves those under other types, so a
    picture or a text that happens to hold JSON can never speak for its host.
    """
    match media_type(headers):
        case "application/activity+json":
            return True
        case "application/ld+json":
            found = _PROFILE.search(headers["Content-Type"])
            return found is not None and AS_PROFILE in (found[1] or found[2] or "").split()
    return False


def _unpacker(encoding: str) -> _Decompress | None:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        case "deflate":
            return zlib.decompressobj()
    raise NotReadable


def _unpack(unpacker: _Decompress, chunk: bytes, most: int) -> bytes:
    try:
        return unpacker.decompress(chunk, max(most, 1))
    except zlib.error:
        raise NotReadable from None
