"""Tokens of sessions and of apps: made here, and told from made-up ones without asking the database.

A token names its account, is random, and ends with a MAC of both under a key for its kind. That says only that it
was issued here. Whether it has ended since, the table says that holds its hash (`sessions`, `access_tokens`).
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import secrets

from node.database import Site
from node.models.account import Account

RANDOM_BYTES = 32
MAC_BYTES = 16


class TokenKind(enum.Enum):
    SESSION = "session tokens"
    ACCESS = "access tokens"


def issue(site: Site, kind: TokenKind, account: Account) -> str:
    """Makes a token for an account."""
    signed = f"{account.id:x}.{secrets.token_urlsafe(RANDOM_BYTES)}"
    return f"{signed}.{_mac(site, kind, signed)}"


def account_id(site: Site, kind: TokenKind, token: str) -> int | None:
    """Returns the id of the account that a token was issued to; None for one that was not issued here.

    The MAC is compared in constant time.
    """
    signed, _, mac = token.rpartition(".")
    if not token.isascii() or not hmac.compare_digest(_mac(site, kind, signed), mac):
        return None
    return int(signed.partition(".")[0], 16)


def hash_of(token: str) -> str:
    """Returns what a table holds of a token, so that a copy of the database signs nobody in."""
    return hashlib.sha256(token.encode()).hexdigest()


def _mac(site: Site, kind: TokenKind, signed: str) -> str:
    return hmac.digest(site.subkey(kind.value), signed.encode(), "sha256").hex()[: 2 * MAC_BYTES]
