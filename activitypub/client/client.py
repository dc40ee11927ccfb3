"""The guarded HTTP client: every request of this node to another server goes through one `Client`.

It connects to public addresses only, on default ports, over HTTPS, and never to
this node itself (protection against SSRF). Sizes are limited, and one deadline
covers everything from the name lookup to the last byte over all redirects.
Redirects are followed by hand: each target is checked like a first request and
the request is signed anew. No cookies, no proxies, nothing from the environment.
Options open private addresses, other ports and plain HTTP for development and tests.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from activitypub.client import response_body
from activitypub.client.failures import Unfetchable as Unfetchable
from activitypub.client.public_addresses import is_public, parse_ip_literal
from activitypub.client.resolver import AddressNotPublic, GuardedResolver, Resolve, is_unknown_host
from activitypub.signatures import SIGNERS, SigningKey
from activitypub.uris import Malformed, parse_uri, request_url
from activitypub.vocab import parse_json

KIB = 1024
MAX_DOCUMENT_BYTES = 1024 * KIB
TOTAL_TIMEOUT_SECONDS, CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS = 20.0, 5.0, 10.0
MAX_CONNECTIONS = 2400
"""Open connections in all, most of them waiting for slow servers. `serve` raises the limit of file descriptors."""
MAX_REDIRECTS, MAX_JRD_REDIRECTS = 3, 5
ACCEPT = f'application/activity+json, application/ld+json; profile="{response_body.AS_PROFILE}"'
_STATIC_FILE_TYPES = ("text/plain", "application/octet-stream", "binary/octet-stream")
JRD_TYPES = frozenset({"application/jrd+json", "application/json", *_STATIC_FILE_TYPES})
TEXT_TYPES = frozenset({"text/html", "application/xhtml+xml"})

_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_TEMPORARY_STATUSES = frozenset({408, 425, 429})
_GONE_STATUSES = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class FetchedDocument:
    """A parsed JSON document; `url` is the address after all redirects, which its id must match."""

    url: str
    doc: dict[str, Any]
    content_type: str


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """Any other file: `body` as received, and the headers `Link`, `ETag` and `Last-Modified` ("" when missing)."""

    url: str
    body: bytes
    content_type: str
    link_header: str
    etag: str = ""
    last_modified: str = ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class PostResponse:
    """The response to a POST; `body` is the beginning of the response body, at most 500 characters, for the log."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One GET and the conditions for its response.

    `accept` is the `Accept` header, `accepts` decides by the response headers whether the body is read, `limit` is
    in bytes; with `only_beginning` no more than that is read, else a longer body is refused. With `key` the request is signed in that `style`. `extra_headers` are sent unsigned. With
    `check_blocked=False` blocked servers may be asked too.
    """

    url: str
    accept: str
    accepts: Callable[[Any], bool]
    limit: int = MAX_DOCUMENT_BYTES
    redirects: int = MAX_REDIRECTS
    key: SigningKey | None = None
    style: str = "cavage"
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    check_blocked: bool = True
    only_beginning: bool = False


class Client:
    """The HTTP client of one node; `close` it with the node. `resolve(host, port)` replaces the system's resolver.

    `is_blocked(host)` is called before every request and every redirect; a blocked host gets no request.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allow_private: bool,
        allow_http: bool,
        ca_file: str | None,
        own_host: str,
        resolve: Resolve | None = None,
        timeout_seconds: float = TOTAL_TIMEOUT_SECONDS,
        now: Callable[[], float] = time.time,
        is_blocked: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._allow_private = allow_private
        self._allow_http = allow_http
        self._ca_file = ca_file or None
        self._own_host = own_host.lower()
        self._resolve = resolve
        self._timeout_seconds = timeout_seconds
        self._now = now
        self._is_blocked = is_blocked
        self._session: aiohttp.ClientSession | None = None

    async def get_json(
        self, url: str, *, key: SigningKey | None, accept: str = ACCEPT, style: str = "cavage"
    ) -> FetchedDocument:
        """Fetches an ActivityPub document, signed with `key` in that style (`cavage` or `rfc9421`). Raises Unfetchable."""
        request = FetchRequest(url, accept, response_body.is_activitypub, key=key, style=style)
        return _parse_document(await self._get(request))

    async def get_jrd(self, url: str) -> FetchedDocument:
        """Fetches a WebFinger, NodeInfo or host-meta document as JSON. Raises Unfetchable."""
        accept = "application/jrd+json, application/json"
        request = FetchRequest(url, accept, _accepts_types(JRD_TYPES), redirects=MAX_JRD_REDIRECTS)
        return _parse_document(await self._get(request))

    async def get_text(
        self, url: str, *, types: Collection[str] = TEXT_TYPES, max_bytes: int = MAX_DOCUMENT_BYTES
    ) -> FetchedFile:
        """Fetches an HTML page, or host-meta as XML. Raises Unfetchable."""
        return await self._get(_file(url, types, max_bytes))

    async def get_bytes(self, url: str, *, max_bytes: int, types: Collection[str]) -> FetchedFile:
        """Fetches a file of one of the media `types`; `image/*` stands for all images. Raises Unfetchable."""
        return await self._get(_file(url, types, max_bytes))

    async def get_beginning(self, url: str, *, max_bytes: int, types: Collection[str]) -> FetchedFile:
        """Fetches the first bytes of a file, at most `max_bytes`. Raises Unfetchable."""
        # Compressed bytes could not be cut anywhere.
        headers = {"Range": f"bytes=0-{max_bytes - 1}", "Accept-Encoding": "identity"}
        request = replace(_file(url, types, max_bytes), extra_headers=headers, only_beginning=True)
        return await self._get(request)

    async def get_if_modified(
        self, url: str, *, types: Collection[str], max_bytes: int, etag: str = "", last_modified: str = ""
    ) -> FetchedFile | None:
        """Fetches a file with a conditional GET, blocked server or not; None when it was not modified (304).

        For files that an admin subscribes to. `etag` and `last_modified` are those of the last response.
        Raises Unfetchable.
        """
        conditions = {}
        if etag:
            conditions["If-None-Match"] = etag
        if last_modified:
            conditions["If-Modified-Since"] = last_modified
        try:
            return await self._get(
                replace(_file(url, types, max_bytes), extra_headers=conditions, check_blocked=False)
            )
        except Unfetchable as error:
            if conditions and error.response_status == 304:
                return None
            raise

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, check_blocked: bool = True
    ) -> PostResponse:
        """Sends `body` with headers that are already signed. Any status is a PostResponse; no redirects are followed.

        `check_blocked=False` is for a caller that has just checked that the server is not blocked. Raises
        Unfetchable when the address is not allowed or the server cannot be reached.
        """
        address = self._check_url(url)
        if check_blocked:
            await self._check_host(url)
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._open_session().post(
                    address,
                    data=body,
                    # Only the beginning is read, for the log: compression would be of no use.
                    headers={**headers, "Accept-Encoding": "identity"},
                    allow_redirects=False,
                ) as response,
            ):
                snippet = await response_body.read_snippet(response)
                return PostResponse(response.status, response.headers, snippet)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _to_unfetchable(url, error) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _get(self, request: FetchRequest) -> FetchedFile:
        url = request.url
        seen: set[URL] = set()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                while True:
                    address = self._check_url(url)
                    if address in seen or len(seen) > request.redirects:
                        raise Unfetchable(url, "redirected in a circle or too often")
                    seen.add(address)
                    if request.check_blocked:
                        await self._check_host(url)
                    async with self._open_session().get(
                        address, headers=self._headers(request, url), allow_redirects=False
                    ) as response:
                        if response.status not in _REDIRECT_STATUSES:
                            return await _read_file(url, address, response, request)
                        url = _redirect_target(url, address, response.headers.get("Location", ""))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _to_unfetchable(url, error) from error

    def _headers(self, request: FetchRequest, url: str) -> dict[str, str]:
        """Returns the headers for a request to `url`, the target of the last redirect:
        each request is signed anew."""
        headers = {"Accept": request.accept, "Accept-Encoding": "gzip, deflate", **request.extra_headers}
        if request.key is not None:
            signed = [("Accept", request.accept)]
            headers |= SIGNERS[request.style](request.key, "GET", url, None, self._now(), signed)
        return headers

    def _check_url(self, url: str) -> URL:
        """Returns the address to connect to. Raises Unfetchable for one that must not be requested."""
        try:
            scheme, host, port, *_ = to = parse_uri(url)
            address = request_url(url)
            ip = parse_ip_literal(host)
        except (Malformed, ValueError) as error:
            raise Unfetchable(url, str(error)) from None
        if scheme != "https" and not self._allow_http:
            raise Unfetchable(url, "only https is followed")
        if to.authority == self._own_host:
            raise Unfetchable(url, "that is this node itself")
        if not self._allow_private:
            if port is not None:
                raise Unfetchable(url, "only default ports are followed")
            if ip is not None and not is_public(ip):
                raise Unfetchable(url, "not on the public internet")
        return address

    async def _check_host(self, url: str) -> None:
        """Raises Unfetchable for a blocked server."""
        if self._is_blocked is not None and await self._is_blocked(parse_uri(url).host):
            raise Unfetchable(url, "this node does not exchange anything with that server")

    def _open_session(self) -> aiohttp.ClientSession:
        # Opened at the first request: it needs a running loop, and loading certificates takes a while.
        if self._session is None:
            context = ssl.create_default_context()
            if self._ca_file is not None:
                context.load_verify_locations(self._ca_file)
            connector = aiohttp.TCPConnector(
                resolver=GuardedResolver(allow_private=self._allow_private, resolve=self._resolve),
                use_dns_cache=False,
                ssl=context,
                limit=MAX_CONNECTIONS,
                limit_per_host=6,
                keepalive_timeout=30,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=CONNECT_TIMEOUT_SECONDS, sock_read=READ_TIMEOUT_SECONDS
                ),
                headers={"User-Agent": self._user_agent},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


def _file(url: str, types: Collection[str], limit: int) -> FetchRequest:
    return FetchRequest(url, ", ".join(types), _accepts_types(types), limit)


async def _read_file(
    url: str, address: URL, response: aiohttp.ClientResponse, request: FetchRequest
) -> FetchedFile:
    status = response.status
    if status != 200 and not (status == 206 and request.only_beginning):
        raise Unfetchable(
            url,
            f"answered {status}",
            status=status,
            temporary=status >= 500 or status in _TEMPORARY_STATUSES,
            gone=status in _GONE_STATUSES,
        )
    if not request.accepts(response.headers):
        raise Unfetchable(
            url, f"answered with {response.headers.get('Content-Type', 'no type')[:100]}", status=status
        )
    try:
        if request.only_beginning:
            body = await response_body.read_beginning(response, request.limit)
        else:
            body = await response_body.read(response.headers, response.content, request.limit)
    except response_body.ResponseTooLarge:
        raise Unfetchable(url, f"answered with more than {request.limit} bytes", status=status) from None
    except response_body.UndecodableBody:
        raise Unfetchable(url, "packed its answer in a way that cannot be read", status=status) from None
    return FetchedFile(
        str(address),
        body,
        response_body.media_type(response.headers),
        ", ".join(response.headers.getall("Link", []))[:8192],
        response.headers.get("ETag", "")[:500],
        response.headers.get("Last-Modified", "")[:100],
    )


def _redirect_target(url: str, address: URL, location: str) -> str:
    try:
        to = urljoin(str(address), location.strip())
    except ValueError:
        to = ""
    if not location or (address.scheme == "https" and not to.lower().startswith("https://")):
        raise Unfetchable(url, f"redirected to {location[:100]!r}")
    return to


def _parse_document(found: FetchedFile) -> FetchedDocument:
    try:
        return FetchedDocument(found.url, parse_json(found.body), found.content_type)
    except Malformed as error:
        raise Unfetchable(found.url, f"answered with {error}", status=200) from None


def _accepts_types(types: Collection[str]) -> Callable[[Any], bool]:
    def accepts(headers: Any) -> bool:
        name = response_body.media_type(headers)
        return name in types or f"{name.partition('/')[0]}/*" in types or "*/*" in types

    return accepts


def _to_unfetchable(url: str, error: BaseException) -> Unfetchable:
    if isinstance(error, Unfetchable):
        return error
    refused = any(
        isinstance(cause, AddressNotPublic)
        for cause in (error, error.__cause__, getattr(error, "os_error", None))
    )
    if refused:
        return Unfetchable(url, "not on the public internet")
    if isinstance(error, TimeoutError):
        return Unfetchable(url, "did not answer in time", temporary=True)
    return Unfetchable(
        url,
        f"{type(error).__name__}: {error}"[:300],
        temporary=not isinstance(error, aiohttp.InvalidURL),
        is_unknown_host=is_unknown_host(getattr(error, "os_error", None)),
    )
