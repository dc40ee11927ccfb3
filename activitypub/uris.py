"""Normalizes URIs: one form to compare ids by, and one form to request.

Two servers may write the same host in different case, with a default port, a
trailing dot or in Unicode. Ids are compared in the form of `normalize_id`; they are
stored as received. Case, fragment and trailing slash of the path distinguish objects
and are never changed. Authorities with user information, escapes or control
characters have no normal form and are refused.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from yarl import URL

MAX_URI_LENGTH = 2048

_SHAPE = re.compile(r"([A-Za-z]+)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{0,5}))?")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\\u0080-\u00a0\u2028\u2029\ufeff]")
_PLAIN_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")
# A host in capitals, in Unicode, with a trailing dot or an explicit default port.
_ODD_HOST = re.compile(
    r"(?:HTTPS?|[Hh]ttps?(?=://[^/?#]*[A-Z\x80-\U0010ffff])|https(?=://[^/?#]*(?::443|\.)(?:[/?#]|$))"
    r"|http(?=://[^/?#]*(?::80|\.)(?:[/?#]|$)))://"
)
_PORTS = {"https": 443, "http": 80}


class Malformed(ValueError):
    """Data of a remote server that cannot be parsed; the text says what is wrong, for the log."""


class UriParts(NamedTuple):
    """A parsed http(s) URI: host lower-case and in punycode, `port` None when it is the default."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    fragment: str

    @property
    def authority(self) -> str:
        """`host`, with the port when it is not the default. The rest of the code calls it a domain."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"


def parse_uri(uri: object) -> UriParts:
    """Parses an http(s) URI. Raises Malformed."""
    if not isinstance(uri, str) or len(uri) > MAX_URI_LENGTH:
        raise Malformed("not a web address")
    return _parse_uri(uri)


# Cached: one activity repeats the same few URIs, and so does the next one.
@functools.lru_cache(maxsize=2048)
def _parse_uri(uri: str) -> UriParts:
    if _UNSAFE.search(uri):
        raise Malformed("not a web address")
    found = _SHAPE.fullmatch(uri)
    if found is None:
        raise Malformed("not a web address")
    scheme = found[1].lower()
    if scheme not in _PORTS:
        raise Malformed(f"addresses of the kind {scheme[:20]}: are not followed")
    host, port = host_and_port(found[2])
    return UriParts(
        scheme,
        host,
        None if port == _PORTS[scheme] else port,
        found[3] or "/",
        found[4] or "",
        found[5] or "",
    )


def host_and_port(authority: str) -> tuple[str, int | None]:
    """Splits a netloc: `Photos.Example.:8443` → (`photos.example`, 8443). Raises Malformed."""
    if len(authority) > 300:
        raise Malformed("not a host")
    return _host_and_port(authority)


@functools.lru_cache(maxsize=2048)
def _host_and_port(authority: str) -> tuple[str, int | None]:
    if _UNSAFE.search(authority):
        raise Malformed("not a host")
    found = _AUTHORITY.fullmatch(authority)
    if found is None or "@" in authority or "%" in authority:
        raise Malformed("not a host")
    port = int(found[2]) if found[2] else None
    if port is not None and not 0 < port < 65536:
        raise Malformed("not a port")
    return _normalize_hostname(found[1]), port


def normalize_id(uri: object) -> str:
    """Returns the normal form of an id, for comparison only. Raises Malformed."""
    scheme, host, port, path, query, fragment = parse_uri(uri)
    return f"{scheme}://{host if port is None else f'{host}:{port}'}{path}{query}{fragment}"


def fits_index(address: str) -> bool:
    """Returns whether a URI is short enough for a database index: at most 2,048 bytes."""
    return len(address) <= MAX_URI_LENGTH and (address.isascii() or len(address.encode()) <= MAX_URI_LENGTH)


def normalize_host(address: str) -> str:
    """Returns the address as received, but with a normalized host,
    so that stored ids can be compared as text."""
    if not _ODD_HOST.match(address):
        return address
    try:
        return normalize_id(address)
    except Malformed:
        return address


def host_of(uri: object) -> str:
    """Returns the domain of a URI: lower-case, punycode, with the port when it is not the default.

    Raises Malformed.
    """
    return parse_uri(uri).authority


def same_origin(one: object, other: object) -> bool:
    """Returns whether both are http(s) URIs with the same scheme, host and port."""
    try:
        return parse_uri(one).origin == parse_uri(other).origin
    except Malformed:
        return False


def without_fragment(uri: str) -> str:
    """Returns the URI of the document that a fragment id belongs to."""
    return uri.partition("#")[0]


# Cached: a delivery needs it twice, and the next one to the same inbox again.
@functools.lru_cache(maxsize=2048)
def request_url(url: str) -> URL:
    """Returns the URL to request, without a fragment.

    A URL that is already plain RFC 3986 text keeps every escape as it was given, since
    some servers distinguish `%40` from `@`; anything else is escaped. Raises Malformed.
    """
    scheme, host, port, path, query, _ = parse_uri(url)
    text = f"{scheme}://{host if port is None else f'{host}:{port}'}{path}{query}"
    try:
        return URL(text, encoded=_PLAIN_URL.fullmatch(text) is not None)
    except ValueError:
        raise Malformed("not a web address") from None


def _normalize_hostname(text: str) -> str:
    if text.startswith("["):
        return text.lower()
    if text.isascii():
        host = text.lower()
    else:
        import idna

        try:
            host = idna.encode(text, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            raise Malformed("not a host") from None
    host = host.removesuffix(".")
    if len(host) > 253 or ".." in host or _HOST.fullmatch(host) is None:
        raise Malformed("not a host")
    return host
