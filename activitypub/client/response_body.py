"""Reads response bodies within a limit that holds for the bytes received and for the bytes decompressed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import ClientResponse, StreamReader
from multidict import CIMultiDictProxy

if TYPE_CHECKING:
    from zlib import _Decompress

MAX_POST_RESPONSE_BYTES, SNIPPET_LENGTH = 64 * 1024, 500

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


async def read_beginning(response: ClientResponse, limit: int) -> bytes:
    """Returns the first `limit` bytes of a body, which has to come without compression.

    The connection is closed if there is more. Raises UndecodableBody.
    """
    if _decompressor(response.headers.get("Content-Encoding", "")) is not None:
        raise UndecodableBody
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) >= limit:
            response.close()
            break
    return bytes(body[:limit])


async def read_snippet(response: ClientResponse) -> str:
    """Returns the beginning of a response body, for the log.

    A short body is read to its end, so that the connection can be reused.
    """
    snippet, received = b"", 0
    async for chunk in response.content.iter_any():
        snippet = snippet or chunk[: 4 * SNIPPET_LENGTH]
        received += len(chunk)
        if received > MAX_POST_RESPONSE_BYTES:
            response.close()
            break
    # PostgreSQL stores no NUL in a text.
    return snippet.decode("utf-8", "replace")[:SNIPPET_LENGTH].replace("\0", "")


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
