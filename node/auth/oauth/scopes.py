"""Scopes of access tokens. A scope without a colon includes all of its kind: `read` includes `read:statuses`.

`follow` is the older name for the follows, blocks and mutes of both.
"""

from __future__ import annotations

from collections.abc import Iterable

from node.errors import Invalid

_READ = "accounts blocks bookmarks favourites filters follows lists mutes notifications search statuses"
_WRITE = "accounts blocks bookmarks conversations favourites filters follows lists media mutes notifications reports statuses"
_FOLLOW = frozenset(f"{verb}:{noun}" for verb in ("read", "write") for noun in ("blocks", "follows", "mutes"))
SCOPES = frozenset(
    ["read", "write", "follow", "push", "profile"]
    + [f"read:{noun}" for noun in _READ.split()]
    + [f"write:{noun}" for noun in _WRITE.split()]
)


def allows(scopes: Iterable[str], needed: str) -> bool:
    """Returns whether the granted scopes cover `needed`, such as 'read:statuses'."""
    granted = frozenset(scopes)
    if needed in granted or needed.partition(":")[0] in granted:
        return True
    return "follow" in granted and needed in _FOLLOW


def parse_scopes(text: str) -> frozenset[str]:
    """Parses scopes separated by spaces. Raises Invalid for one that does not exist, and for none."""
    scopes = frozenset(text.replace("+", " ").split())
    unknown = sorted(scopes - SCOPES)
    if unknown or not scopes:
        rejected = ", ".join(unknown) if unknown else "none"
        raise Invalid(
            f"Scopes are read, write, follow and their parts; {rejected} is not one.", field="scopes"
        )
    return scopes


def granted(asked: Iterable[str], registered: Iterable[str]) -> frozenset[str]:
    """Returns those of the scopes asked for that an app registered, or parts of them; unknown ones are left out."""
    known = frozenset(registered)
    return frozenset(scope for scope in asked if scope in SCOPES and (scope in known or allows(known, scope)))
