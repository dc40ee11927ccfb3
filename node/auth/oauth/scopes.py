"""Scopes of access tokens, those of Mastodon. One with parts includes them all: `read` includes `read:statuses`.

`follow` is the older name for the follows, blocks and mutes of both. `admin:` scopes are in force only while the person
is a moderator or an admin. Nothing here needs a database.
"""

from __future__ import annotations

from collections.abc import Iterable

from node.errors import Invalid

_READ = "accounts blocks bookmarks collections favourites filters follows lists mutes notifications search statuses"
_WRITE = (
    "accounts blocks bookmarks collections conversations favourites filters follows lists media mutes "
    "notifications reports statuses"
)
_ADMIN = [
    "accounts",
    "reports",
    "domain_allows",
    "domain_blocks",
    "ip_blocks",
    "email_domain_blocks",
    "canonical_email_blocks",
]
_FOLLOW = ("blocks", "follows", "mutes")
_WITH_PARTS = {
    "read": [f"read:{noun}" for noun in _READ.split()],
    "write": [f"write:{noun}" for noun in _WRITE.split()],
    "follow": [f"{verb}:{noun}" for verb in ("read", "write") for noun in _FOLLOW],
    "admin:read": [f"admin:read:{noun}" for noun in _ADMIN],
    "admin:write": [f"admin:write:{noun}" for noun in _ADMIN],
}
# Mastodon's documentation has both names.
_OTHER_NAMES = {"read:collection": "read:collections", "write:collection": "write:collections"}

_PARTS: dict[str, frozenset[str]] = {
    **{name: frozenset(parts) for name, parts in _WITH_PARTS.items()},
    **{part: frozenset([part]) for parts in _WITH_PARTS.values() for part in parts},
    **{name: frozenset([name]) for name in ("push", "profile")},
}
SCOPES = frozenset(_PARTS)
DEFAULT = "read"


def parts_of(scopes: Iterable[str]) -> frozenset[str]:
    """Returns the smallest scopes that these include; unknown ones include none."""
    return frozenset().union(*(_PARTS.get(scope, ()) for scope in scopes))


def allows(scopes: Iterable[str], needed: str) -> bool:
    """Returns whether the granted scopes cover `needed`, such as 'read:statuses'."""
    wanted = _PARTS.get(needed)
    return wanted is not None and wanted <= parts_of(scopes)


def split(text: str) -> frozenset[str]:
    """Splits scopes at spaces, as OAuth writes them, and at `+`, as some apps do."""
    return frozenset(_OTHER_NAMES.get(one, one) for one in text.replace("+", " ").split())


def parse_scopes(text: str) -> frozenset[str]:
    """Parses scopes separated by spaces. Raises Invalid for one that does not exist, and for none."""
    scopes = split(text)
    unknown = sorted(scopes - SCOPES)
    if unknown or not scopes:
        rejected = ", ".join(unknown) if unknown else "none"
        raise Invalid(
            f"Scopes are read, write, follow and their parts; {rejected} is not one.", field="scopes"
        )
    return scopes


def narrow(asked: Iterable[str], limit: Iterable[str]) -> frozenset[str]:
    """Returns what is in both: scopes asked for that `limit` covers, and of the others their parts that it covers.

    Unknown ones are left out (RFC 6749, 3.3, lets a server do so; the token says what it got).
    """
    within = parts_of(limit)
    whole = frozenset(scope for scope in asked if scope in _PARTS and _PARTS[scope] <= within)
    return whole | ((parts_of(asked) & within) - parts_of(whole))


def without_admin(scopes: Iterable[str]) -> frozenset[str]:
    """Returns the scopes that somebody may have who is no moderator."""
    return frozenset(scope for scope in scopes if not scope.startswith("admin:"))
