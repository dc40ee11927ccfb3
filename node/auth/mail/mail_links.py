"""Links and codes that are sent by mail, and the mark of a half-finished sign-in: kept nowhere.

They are made from what stands in the tables. A token holds its account, when it ends and a MAC over both, its purpose
and the *state* it is to change, such as the password hash. So it works once, since then the state is another, and a copy of the database holds no token.
"""

from __future__ import annotations

import enum
import hmac

from node.database import Site
from node.ids import now_ms

MAC_BYTES = 16
CODE_DIGITS = 6
CODE_WINDOW_MS = 15 * 60 * 1000


class Purpose(enum.Enum):
    PASSWORD = "mail links: password"  # noqa: S105
    ADDRESS = "mail links: address"
    SECOND_STEP = "mail links: second step"
    NO_MORE_MAIL = "mail links: no more mail"


def make(site: Site, purpose: Purpose, account_id: int, state: str, *, lifetime_ms: int) -> str:
    """Makes a token for a URL that ends after `lifetime_ms`."""
    ends = (now_ms() + lifetime_ms) // 1000
    return f"{account_id:x}.{ends:x}.{_mac(site, purpose, account_id, ends, state)}"


def account_id(token: str) -> int | None:
    """Returns the account that a token names, which `is_valid` has to confirm; None for what is no token."""
    parts = _parse(token)
    return None if parts is None else parts[0]


def is_valid(site: Site, purpose: Purpose, token: str, state: str) -> bool:
    """Returns whether a token was made for this purpose and state, and has not ended."""
    parts = _parse(token)
    if parts is None:
        return False
    id_, ends, mac = parts
    is_right = hmac.compare_digest(_mac(site, purpose, id_, ends, state).encode(), mac.encode())
    return is_right and now_ms() < ends * 1000


def code(site: Site, purpose: Purpose, account_id: int, state: str, *, windows_ago: int = 0) -> str:
    """Returns the code of `CODE_DIGITS` digits for somebody who types it; it changes every `CODE_WINDOW_MS`."""
    window = now_ms() // CODE_WINDOW_MS - windows_ago
    number = int(_mac(site, purpose, account_id, window, f"code {state}"), 16)
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def is_valid_code(site: Site, purpose: Purpose, account_id: int, state: str, typed: str) -> bool:
    """Returns whether a code is that of this window or the one before. The caller counts the attempts."""
    digits = "".join(filter(str.isdigit, typed)).encode()
    right = [
        hmac.compare_digest(code(site, purpose, account_id, state, windows_ago=ago).encode(), digits)
        for ago in (0, 1)
    ]
    return any(right)


def _parse(token: str) -> tuple[int, int, str] | None:
    parts = token.split(".")
    if len(token) > 100 or len(parts) != 3:
        return None
    try:
        return int(parts[0], 16), int(parts[1], 16), parts[2]
    except ValueError:
        return None


def _mac(site: Site, purpose: Purpose, account_id: int, at: int, state: str) -> str:
    signed = f"{account_id} {at} {state}".encode()
    return hmac.digest(site.subkey(purpose.value), signed, "sha256").hex()[: 2 * MAC_BYTES]
