"""The only door out: every request to another server goes through one `Client`.

It talks to public addresses, under default ports, over HTTPS, and never to this
node itself; it reads so much and no more, within one deadline for everything
from the name look-up to the last byte and over all redirects. Redirects are
followed by hand, each judged like a first request and signed anew. No cookies,
no proxies, nothing from the environment. Local trials and tests open private
addresses, odd ports and plain HTTP by option.
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
from activitypub.client.public_addresses import is_public, literal
from activitypub.client.resolver import GuardedResolver, NotPublic, Resolve
from activitypub.signatures import SIGN, SigningKey
from activitypub.uris import Malformed, parts, wire
from activitypub.vocab import parse_json
from node.errors import Unreachable

KIB = 1024
MOST_DOCUMENT = 1024 * KIB
MOST_ANSWER, SNIPPET = 64 * KIB, 500
DEADLINE, CONNECT, READ = 20.0, 5.0, 10.0
MOST_CONNECTIONS = 2400
"""All that are open, most of them waiting for servers that do not answer. `serve` sees to the descriptors."""
REDIRECTS, JRD_REDIRECTS = 3, 5
ACCEPT = f'application/activity+json, application/ld+json; profile="{response_body.AS_PROFILE}"'
JRD_TYPES = frozenset({"application/jrd+json", "application/json"})
TEXT_TYPES = frozenset({"text/html", "application/xhtml+xml"})

_MOVED = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425, 429})
_GONE = frozenset({404, 410})


class Unfetchable(Unreachable):
    """There was no usable answer. `reason` is for the log; `temporary` says that asking later may help.

    `answered` is the HTTP status when there was one, and `gone` means it was 404 or 410.
    """

    def __init__(
        self, url: str, reason: str, *, status: int | None = None, temporary: bool = False, gone: bool = False
    ) -> None:
        super().__init__(
            "The other server did not answer with what we need.", detail=f"{url[:300]}: {reason}"
        )
        self.url = url
        self.reason = reason
        self.answered = status
        self.temporary = temporary
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document; `url` is where it was found in the end, which is what its id must agree with."""

    url: str
    doc: dict[str, Any]
    content_type: str


@dataclass(frozen=True, slots=True)
class Found:
    """Any other file, bytes as they came; `link` is the `Link` header, `modified` the `Last-Modified` one."""

    url: str
    body: bytes
    content_type: str
    link: str
    etag: str = ""
    modified: str = ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to a POST: `body` is the beginning of its words, for the log."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One GET: what is asked for, and what of it is taken.

    `accepts` looks at the headers of an answer, `limit` is in bytes. With `key` it is signed in that `style`,
    `more` are further headers, and without `is_judged` the rules about servers do not matter.
    """

    url: str
    accept: str
    accepts: Callable[[Any], bool]
    limit: int = MOST_DOCUMENT
    redirects: int = REDIRECTS
    key: SigningKey | None = None
    style: str = "cavage"
    more: Mapping[str, str] = field(default_factory=dict)
    is_judged: bool = True


class Client:
    """One per node; `close` it with the node. `resolve(host, port)` replaces the system's name look-up.

    `refuses(host)` says of which servers nothing is wanted; it is asked before every request, redirects too.
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
        deadline: float = DEADLINE,
        now: Callable[[], float] = time.time,
        refuses: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._allow_private = allow_private
        self._allow_http = allow_http
        self._ca_file = ca_file or None
        self._own_host = own_host.lower()
        self._resolve = resolve
        self._deadline = deadline
        self._now = now
        self._refuses = refuses
        self._session: aiohttp.ClientSession | None = None

    async def get_json(
        self, url: str, *, key: SigningKey | None, accept: str = ACCEPT, style: str = "cavage"
    ) -> Fetched:
        """An ActivityPub document, signed for with `key` in that style. Raises Unfetchable."""
        wanted = FetchRequest(url, accept, response_body.is_activity, key=key, style=style)
        return _document(await self._get(wanted))

    async def get_jrd(self, url: str) -> Fetched:
        """A WebFinger or NodeInfo document. Raises Unfetchable."""
        accept = "application/jrd+json, application/json"
        wanted = FetchRequest(url, accept, _one_of(JRD_TYPES), redirects=JRD_REDIRECTS)
        return _document(await self._get(wanted))

    async def get_text(
        self, url: str, *, types: Collection[str] = TEXT_TYPES, limit: int = MOST_DOCUMENT
    ) -> Found:
        """A page, or host-meta. Raises Unfetchable."""
        return await self._get(_file(url, types, limit))

    async def get_bytes(self, url: str, *, limit: int, types: Collection[str]) -> Found:
        """A picture or other file of one of the `types`; `image/*` stands for all pictures. Raises Unfetchable."""
        return await self._get(_file(url, types, limit))

    async def get_published(
        self, url: str, *, types: Collection[str], limit: int, etag: str = "", modified: str = ""
    ) -> Found | None:
        """A file that an admin wants, whatever the rules about its server; None when it has not changed.

        `etag` and `modified` are those of the file as it was when last seen. Raises Unfetchable.
        """
        known = {}
        if etag:
            known["If-None-Match"] = etag
        if modified:
            known["If-Modified-Since"] = modified
        try:
            return await self._get(replace(_file(url, types, limit), more=known, is_judged=False))
        except Unfetchable as error:
            if known and error.answered == 304:
                return None
            raise

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, is_judged: bool = True
    ) -> Answer:
        """Send `body` with headers that are already signed. Whatever the status, it is an Answer; no redirects.

        `is_judged=False`: the caller has just seen for itself that its server may be talked to. Raises Unfetchable when the server may not be, or cannot be, talked to.
        """
        address = self._allowed(url)
        if is_judged:
            await self._judge(url)
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._opened().post(
                    address,
                    data=body,
                    # An answer that is only read for the log need not be unpacked.
                    headers={**headers, "Accept-Encoding": "identity"},
                    allow_redirects=False,
                ) as response,
            ):
                said = await _beginning(response)
                return Answer(response.status, response.headers, said)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _failure(url, error) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _get(self, wanted: FetchRequest) -> Found:
        url = wanted.url
        seen: set[URL] = set()
        try:
            async with asyncio.timeout(self._deadline):
                while True:
                    address = self._allowed(url)
                    if address in seen or len(seen) > wanted.redirects:
                        raise Unfetchable(url, "redirected in a circle or too often")
                    seen.add(address)
                    if wanted.is_judged:
                        await self._judge(url)
                    async with self._opened().get(
                        address, headers=self._headers(wanted, url), allow_redirects=False
                    ) as response:
                        if response.status not in _MOVED:
                            return await _answer(url, address, response, wanted)
                        url = _next(url, address, response.headers.get("Location", ""))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _failure(url, error) from error

    def _headers(self, wanted: FetchRequest, url: str) -> dict[str, str]:
        """`url` is where the last redirect has led to: each request is signed anew."""
        headers = {"Accept": wanted.accept, "Accept-Encoding": "gzip, deflate", **wanted.more}
        if wanted.key is not None:
            signed = [("Accept", wanted.accept)]
            headers |= SIGN[wanted.style](wanted.key, "GET", url, None, self._now(), signed)
        return headers

    def _allowed(self, url: str) -> URL:
        """The address to ask, if the rules let us. Raises Unfetchable."""
        try:
            scheme, host, port, *_ = to = parts(url)
            address = wire(url)
            ip = literal(host)
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

    async def _judge(self, url: str) -> None:
        """Raises Unfetchable for a server that nothing is exchanged with."""
        if self._refuses is not None and await self._refuses(parts(url).host):
            raise Unfetchable(url, "this node does not exchange anything with that server")

    def _opened(self) -> aiohttp.ClientSession:
        # Opened at the first request: it needs a running loop, and loading certificates takes a while.
        if self._session is None:
            context = ssl.create_default_context()
            if self._ca_file is not None:
                context.load_verify_locations(self._ca_file)
            connector = aiohttp.TCPConnector(
                resolver=GuardedResolver(allow_private=self._allow_private, resolve=self._resolve),
                use_dns_cache=False,
                ssl=context,
                limit=MOST_CONNECTIONS,
                limit_per_host=6,
                keepalive_timeout=30,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=READ),
                headers={"User-Agent": self._user_agent},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


def _file(url: str, types: Collection[str], limit: int) -> FetchRequest:
    return FetchRequest(url, ", ".join(types), _one_of(types), limit)


async def _answer(url: str, address: URL, response: aiohttp.ClientResponse, wanted: FetchRequest) -> Found:
    status = response.status
    if status != 200:
        raise Unfetchable(
            url,
            f"answered {status}",
            status=status,
            temporary=status >= 500 or status in _BUSY,
            gone=status in _GONE,
        )
    if not wanted.accepts(response.headers):
        raise Unfetchable(
            url, f"answered with {response.headers.get('Content-Type', 'no type')[:100]}", status=status
        )
    try:
        body = await response_body.read(response.headers, response.content, wanted.limit)
    except response_body.TooLarge:
        raise Unfetchable(url, f"answered with more than {wanted.limit} bytes", status=status) from None
    except response_body.NotReadable:
        raise Unfetchable(url, "packed its answer in a way that cannot be read", status=status) from None
    return Found(
        str(address),
        body,
        response_body.media_type(response.headers),
        ", ".join(response.headers.getall("Link", []))[:8192],
        response.headers.get("ETag", "")[:500],
        response.headers.get("Last-Modified", "")[:100],
    )


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """The first words of an answer. It is read to its end, if that is near, so the connection can be used again."""
    said, received = b"", 0
    async for chunk in response.content.iter_any():
        said = said or chunk[: 4 * SNIPPET]
        received += len(chunk)
        if received > MOST_ANSWER:
            response.close()
            break
    # No database holds a NUL in a text.
    return said.decode("utf-8", "replace")[:SNIPPET].replace("\0", "")


def _next(url: str, address: URL, location: str) -> str:
    try:
        to = urljoin(str(address), location.strip())
    except ValueError:
        to = ""
    if not location or (address.scheme == "https" and not to.lower().startswith("https://")):
        raise Unfetchable(url, f"redirected to {location[:100]!r}")
    return to


def _document(found: Found) -> Fetched:
    try:
        return Fetched(found.url, parse_json(found.body), found.content_type)
    except Malformed as error:
        raise Unfetchable(found.url, f"answered with {error}", status=200) from None


def _one_of(types: Collection[str]) -> Callable[[Any], bool]:
    def accepts(headers: Any) -> bool:
        name = response_body.media_type(headers)
        return name in types or f"{name.partition('/')[0]}/*" in types or "*/*" in types

    return accepts


def _failure(url: str, error: BaseException) -> Unfetchable:
    if isinstance(error, Unfetchable):
        return error
    refused = any(
        isinstance(cause, NotPublic) for cause in (error, error.__cause__, getattr(error, "os_error", None))
    )
    if refused:
        return Unfetchable(url, "not on the public internet")
    if isinstance(error, TimeoutError):
        return Unfetchable(url, "did not answer in time", temporary=True)
    return Unfetchable(
        url, f"{type(error).__name__}: {error}"[:300], temporary=not isinstance(error, aiohttp.InvalidURL)
    )
