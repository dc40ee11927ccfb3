"""Reads response bodies within a limit that holds for the bytes received and for the bytes decompressed."""

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


class ResponseTooLarge(Exception):
    """The body grew past the limit."""


class UndecodableBody(Exception):
    """The Content-Encoding was not asked for, or the data does not decompress."""


async def read(headers: Mapping[str, str], content: StreamReader, limit: int) -> bytes:
    """Returns the whole body, decompressed.

    Raises ResponseTooLarge as soon as it exceeds `limit` bytes, or UndecodableBody.
    """
    declared = headers.get("Content-Length", "")
    if declared.isdigit() and int(declared[:12]) > limit:
        raise ResponseTooLarge
    decompressor = _decompressor(headers.get("Content-Encoding", ""))
    received, body = 0, bytearray()
    async for chunk in content.iter_any():
        received += len(chunk)
        if decompressor is not None:
            chunk = _decompress(decompressor, chunk, limit + 1 - len(body))
        body += chunk
        if received > limit or len(body) > limit:
            raise ResponseTooLarge
    return bytes(body)


def media_type(headers: CIMultiDictProxy[str]) -> str:
    """Returns the media type without parameters, lower-case; "" when missing or given twice."""
    given = headers.getall("Content-Type", [])
    return given[0].partition(";")[0].strip().lower() if len(given) == 1 else ""


def is_activitypub(headers: CIMultiDictProxy[str]) -> bool:
    """Returns whether the Content-Type is one of ActivityPub: `activity+json`,
    or `ld+json` with the AS profile.

    No other type counts: a server that lets people upload files serves those under other
    types, so an uploaded image or text that holds JSON can never speak for its host.
    """
    match media_type(headers):
        case "application/activity+json":
            return True
        case "application/ld+json":
            found = _PROFILE.search(headers["Content-Type"])
            return found is not None and AS_PROFILE in (found[1] or found[2] or "").split()
    return False


def _decompressor(encoding: str) -> _Decompress | None:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        case "deflate":
            return zlib.decompressobj()
    raise UndecodableBody


def _decompress(decompressor: _Decompress, chunk: bytes, max_bytes: int) -> bytes:
    try:
        return decompressor.decompress(chunk, max(max_bytes, 1))
    except zlib.error:
        raise UndecodableBody from None
