"""Normalizes host names, for every comparison that decides about a server. Owns no table.

Case, a trailing dot, a port, and Unicode instead of punycode do not make another server, so none of them may
be a way around a rule. A text that is no host name normalizes to ''.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_LENGTH = 253

_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_V6 = re.compile(r"\[[0-9a-f:.]+\]")


def normalize(domain: str) -> str:
    """Normalizes a domain: `Löud.Example.:8443` → `xn--lud-sna.example`;
    '' for what cannot be the name of a server.

    A leading `*.` or dot is dropped: some block lists write it for "and its subdomains", which a rule covers anyway.
    """
    name = domain.strip().lower().removeprefix("*.").removeprefix(".")
    if name.startswith("["):
        address = name.partition("]")[0] + "]"
        return address if _V6.fullmatch(address) else ""
    name, colon, port = name.partition(":")
    if colon and not (port.isascii() and port.isdecimal()):
        return ""
    if not name.isascii():
        name = _to_punycode(name)
    name = name.removesuffix(".")
    if len(name) > MAX_LENGTH or ".." in name or _NAME.fullmatch(name) is None:
        return ""
    return name


def from_typed(text: str) -> str:
    """Normalizes a domain as people type or paste it: by itself, or in a URL; '' for other text."""
    text = text.strip()
    return from_uri(text) if "://" in text else normalize(text.partition("/")[0])


def _to_punycode(name: str) -> str:
    import idna

    try:
        return idna.encode(name, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""


def from_uri(uri: str) -> str:
    """Returns the normalized host of a URI, without the port; '' when there is none."""
    try:
        host = urlsplit(uri).hostname or ""
    except ValueError:
        return ""
    return normalize(f"[{host}]" if ":" in host else host)


def netloc(uri: str) -> str:
    """Returns the host and port of a URI as written, in lower case: the column `accounts.host`."""
    try:
        return urlsplit(uri).netloc.lower()
    except ValueError:
        return ""


def with_parent_domains(name: str) -> list[str]:
    """Returns a normalized name and its parent domains, the nearest first: `a.b.c` → `a.b.c`, `b.c`, `c`."""
    if not name or name.startswith("["):
        return [name] if name else []
    parts = name.split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]


def covers(rule: str, name: str) -> bool:
    """Returns whether a rule about the domain `rule` applies to `name`: the same, or a subdomain."""
    return name == rule or name.endswith("." + rule)


def to_unicode(name: str) -> str:
    """Decodes punycode for display: `xn--lud-sna.example` → `löud.example`; the name as it is if that fails."""
    if "xn--" not in name:
        return name
    import idna

    try:
        return idna.decode(name)
    except (idna.IDNAError, UnicodeError):
        return name
