"""Names of servers in one spelling, for every comparison that decides about a server. Owns no table.

Case, a trailing dot, a port, and Unicode against punycode make no other server; neither may make a way
around a rule. What is no host name at all has no normal spelling.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LONGEST = 253

_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_V6 = re.compile(r"\[[0-9a-f:.]+\]")


def normal(domain: str) -> str:
    """`Löud.Example.:8443` → `xn--lud-sna.example`; '' for what cannot be the name of a server.

    A leading `*.` or dot is what some lists write for "and everything under it", which is meant anyway.
    """
    name = domain.strip().lower().removeprefix("*.").removeprefix(".")
    if name.startswith("["):
        address = name.partition("]")[0] + "]"
        return address if _V6.fullmatch(address) else ""
    name, colon, port = name.partition(":")
    if colon and not (port.isascii() and port.isdecimal()):
        return ""
    if not name.isascii():
        name = _in_punycode(name)
    name = name.removesuffix(".")
    if len(name) > LONGEST or ".." in name or _NAME.fullmatch(name) is None:
        return ""
    return name


def _in_punycode(name: str) -> str:
    import idna

    try:
        return idna.encode(name, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""


def of(uri: str) -> str:
    """The host of an address in its normal spelling, without the port; '' when there is none."""
    try:
        host = urlsplit(uri).hostname or ""
    except ValueError:
        return ""
    return normal(f"[{host}]" if ":" in host else host)


def place(uri: str) -> str:
    """The host of an address as written there, in lower case and with its port: what accounts keep."""
    try:
        return urlsplit(uri).netloc.lower()
    except ValueError:
        return ""


def and_above(name: str) -> list[str]:
    """A normal name and the domains it lies under, the nearest first: `a.b.c` → `a.b.c`, `b.c`, `c`."""
    if not name or name.startswith("["):
        return [name] if name else []
    parts = name.split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]


def covers(rule: str, name: str) -> bool:
    """Whether a rule about one name is also about the other: the same, or something under it."""
    return name == rule or name.endswith("." + rule)


def in_words(name: str) -> str:
    """The name as people read it: `xn--lud-sna.example` → `löud.example`."""
    if "xn--" not in name:
        return name
    import idna

    try:
        return idna.decode(name)
    except (idna.IDNAError, UnicodeError):
        return name
