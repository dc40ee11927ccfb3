"""Authenticates the requests of apps: finds the account of a token, and checks its scopes.

A token acts for one account, within its scopes; a scope such as `read` covers `read:statuses`. A token allows
nothing that its account could not do signed in: pending, disabled and suspended accounts are refused, and scopes of
moderators count only while the person is one.
"""

from __future__ import annotations

import dataclasses

from node.accounts import accounts
from node.auth import access_tokens, users
from node.auth.access_tokens import AccessToken
from node.auth.issued_tokens import TokenKind
from node.auth.oauth import app_tokens
from node.auth.oauth.scopes import without_admin
from node.auth.users import User
from node.cache import Cache
from node.database import Reader
from node.errors import NotAllowed, Refused
from node.models.account import Account
from node.node import Node
from web.api.endpoint import ApiRequest

MAX_CACHED_TOKENS = 4096
KNOWN_SECONDS = 60.0


class InvalidToken(Refused):
    """There is no token, or it is unknown or revoked."""

    status = 401


def parse_bearer(header: str) -> str:
    """Extracts the token of an `Authorization` header; '' if there is none."""
    scheme, _, value = header.partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


class TokenCache:
    """Caches token, account and user until one of them changes, or the token was not used for a minute."""

    kind = TokenKind.ACCESS

    def __init__(self, node: Node) -> None:
        self._cache: Cache[str, tuple[str, AccessToken, Account, User]] = Cache(
            MAX_CACHED_TOKENS, KNOWN_SECONDS
        )

    def has_known(self, bearer_token: str) -> bool:
        """Returns whether a token was good when it was used last, without asking the database."""
        return self._cache.get(bearer_token) is not None

    def find(self, tx: Reader, bearer_token: str) -> tuple[AccessToken, Account, User]:
        """Returns the token, its account and user. Raises `Refused` where it is not good, or its account may do nothing."""
        try:
            found = self._find_current(tx, bearer_token)
        except Refused:
            self._cache.forget(bearer_token)
            raise
        self._cache.put(bearer_token, found)
        return found[1:]

    def is_good(self, tx: Reader, bearer_token: str) -> bool:
        try:
            self.find(tx, bearer_token)
        except Refused:
            return False
        return True

    def _find_current(self, tx: Reader, bearer_token: str) -> tuple[str, AccessToken, Account, User]:
        version = access_tokens.version(tx, bearer_token)
        if version is None:
            raise InvalidToken("The access token is invalid")
        cached = self._cache.get(bearer_token)
        if cached is not None and cached[0] == version:
            return cached
        return version, *_load_token_owner(tx, bearer_token)


def authenticate(tx: Reader, request: ApiRequest) -> None:
    """Sets the account of a request. Raises `Refused`: 401 without a valid token, 403 without the scope."""
    if request.route.access == "app":
        return
    if request.app_token and app_tokens.by_token(tx, request.app_token) is None:
        raise InvalidToken("The access token is invalid")
    if not request.bearer_token:
        if request.route.access == "user":
            raise InvalidToken("The access token is invalid")
        return
    request.token, request.account, request.user = request.node.component(TokenCache).find(
        tx, request.bearer_token
    )
    if request.route.scopes and not any(request.token.allows(scope) for scope in request.route.scopes):
        raise NotAllowed("This action is outside the authorized scopes")


def _load_token_owner(tx: Reader, bearer_token: str) -> tuple[AccessToken, Account, User]:
    token = access_tokens.by_token(tx, bearer_token)
    account = accounts.by_id(tx, token.account_id) if token else None
    user = users.by_account(tx, account) if account else None
    if token is None or account is None or user is None or account.deleted_at is not None:
        raise InvalidToken("The access token is invalid")
    if user.state == "pending":
        raise NotAllowed("Your sign-up is pending approval.")
    if user.state != "active" or account.suspended_at is not None:
        raise NotAllowed("Your account is disabled.")
    if not user.is_staff:
        token = dataclasses.replace(token, scopes=without_admin(token.scopes))
    return token, account, user
