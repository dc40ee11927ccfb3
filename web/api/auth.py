"""Who is calling, and whether their token is good for it.

A token acts for one person, within its scopes; a scope such as `read` covers `read:statuses`. What a
person could not do signed in, no token can do for them: waiting, disabled and suspended people get none
of it.
"""

from __future__ import annotations

from node.accounts import accounts
from node.auth import access_tokens, users
from node.auth.access_tokens import Token
from node.auth.users import User
from node.cache import Cache
from node.database import Reader
from node.errors import NotAllowed, Refused
from node.models.account import Account
from node.node import Node
from web.api.endpoint import Call

MOST_KEPT = 4096


class NotSignedIn(Refused):
    """No token, or none that is known (any more)."""

    status = 401


def bearer(header: str) -> str:
    """The token of an `Authorization` header, or ''."""
    scheme, _, value = header.partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


class Callers:
    """Who is behind each token that was used lately, kept as long as nothing about them changes."""

    def __init__(self, node: Node) -> None:
        self._kept: Cache[str, tuple[str, Token, Account, User]] = Cache(MOST_KEPT)

    def find(self, tx: Reader, bearer_token: str) -> tuple[Token, Account, User]:
        version = access_tokens.version(tx, bearer_token)
        if version is None:
            self._kept.forget(bearer_token)
            raise NotSignedIn("The access token is invalid")
        kept = self._kept.get(bearer_token)
        if kept is not None and kept[0] == version:
            return kept[1:]
        found = _holder(tx, bearer_token)
        self._kept.put(bearer_token, (version, *found))
        return found


def identify(tx: Reader, call: Call) -> None:
    """Fill in who is calling, or refuse: 401 without a good token, 403 without the scope."""
    if not call.bearer:
        if call.route.access == "user":
            raise NotSignedIn("The access token is invalid")
        return
    call.token, call.account, call.user = call.node.part(Callers).find(tx, call.bearer)
    if call.route.scopes and not any(call.token.allows(scope) for scope in call.route.scopes):
        raise NotAllowed("This action is outside the authorized scopes")


def _holder(tx: Reader, bearer_token: str) -> tuple[Token, Account, User]:
    token = access_tokens.by_token(tx, bearer_token)
    account = accounts.by_id(tx, token.account_id) if token else None
    user = users.by_account(tx, account) if account else None
    if token is None or account is None or user is None or account.deleted_at is not None:
        raise NotSignedIn("The access token is invalid")
    if user.state == "pending":
        raise NotAllowed("Your sign-up is pending approval.")
    if user.state != "active" or account.suspended_at is not None:
        raise NotAllowed("Your account is disabled.")
    return token, account, user
