"""What Authlib asks about our apps, codes and tokens, and the grants that it makes of them.

RFC 6749 (codes, client credentials, refresh), RFC 7636 (PKCE), RFC 9700.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge

from node.accounts import accounts
from node.auth import access_tokens, users
from node.auth.access_tokens import AccessToken
from node.auth.oauth import authorization_codes, scopes
from node.auth.oauth.apps import ClientApp
from node.auth.oauth.authorization_codes import AuthorizationCode
from node.database import Reader
from node.models.account import Account

AUTH_METHODS = ("client_secret_basic", "client_secret_post")
# Pixelfed's app stores `refresh_token` and `expires_in`, and stops where they are missing.
_NEEDS_REFRESH = "pixelfed://"
_ID_AND_SECRET = re.compile(r"[A-Za-z0-9_-]{1,100}:[A-Za-z0-9_-]{1,100}")
_NOT_IN_DESCRIPTIONS = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class OAuthRequest(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib reads it: parameters are merged from query and body."""

    def __init__(
        self, method: str, parameters: Mapping[str, str | Sequence[str]], authorization: str = ""
    ) -> None:
        # TLS is the matter of the web server; Authlib would refuse a node that is tried on http://localhost.
        super().__init__(method, "https://localhost/", headers={"Authorization": _readable(authorization)})
        lists = {name: [value] if isinstance(value, str) else value for name, value in parameters.items()}
        self._parameters = {name: values[-1] for name, values in lists.items() if values}
        # Authlib puts these into descriptions, and fails for what those may not hold (RFC 6749, 4.1.2.1).
        for name in ("redirect_uri", "response_type", "grant_type"):
            if name in self._parameters:
                self._parameters[name] = _NOT_IN_DESCRIPTIONS.sub("?", self._parameters[name])
        self.payload = BasicOAuth2Payload(self._parameters)
        self.payload._datalist = lists

    @property
    def args(self) -> dict[str, str]:
        return self._parameters

    @property
    def form(self) -> dict[str, str]:
        return self._parameters


def _readable(authorization: str) -> str:
    """Returns a header that Authlib can read, with an id and a secret as apps have them here; '' for any other."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        found = unquote(base64.b64decode(encoded.strip()).decode("ascii"))
    except ValueError:
        return ""
    return authorization if scheme.lower() == "basic" and _ID_AND_SECRET.fullmatch(found) else ""


class AppClient:
    """An app as Authlib asks it. `with_admin`: whether it may ask for scopes of moderators."""

    def __init__(self, app: ClientApp, *, with_admin: bool) -> None:
        self.app = app
        self._with_admin = with_admin

    def get_client_id(self) -> str:
        return self.app.client_id

    def get_default_redirect_uri(self) -> str | None:
        uris = self.app.redirect_uris
        return uris[0] if len(uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Returns those of the scopes asked for that the app registered; None where that leaves nothing."""
        allowed = scopes.narrow(scopes.split(scope or scopes.DEFAULT), self.app.scopes)
        if not self._with_admin:
            allowed = scopes.without_admin(allowed)
        return " ".join(sorted(allowed)) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return self.app.allows_redirect(redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        return self.app.is_secret(client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in AUTH_METHODS

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        if grant_type == "refresh_token":
            return any(uri.startswith(_NEEDS_REFRESH) for uri in self.app.redirect_uris)
        return grant_type in ("authorization_code", "client_credentials")


class _Code:
    """An authorization code as Authlib asks it."""

    code_challenge_method = "S256"

    def __init__(self, row: AuthorizationCode) -> None:
        self.row = row
        self.code_challenge = row.challenge

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri

    def get_scope(self) -> str:
        return self.row.scopes


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def save_authorization_code(self, code: str, request: OAuthRequest) -> None:
        authorization_codes.create(
            self.server.tx,
            code,
            request.client.app,
            request.user,
            redirect_uri=self.redirect_uri,
            scopes=(request.scope or "").split(),
            challenge=request.payload.data.get("code_challenge", ""),
        )

    def query_authorization_code(self, code: str, client: AppClient) -> _Code | None:
        """Returns a code that can be used. A used one revokes what it gave (RFC 6749, 4.1.2)."""
        tx = self.server.tx
        row = authorization_codes.find(tx, code, client.app)
        if row is None:
            return None
        if not row.is_usable:
            authorization_codes.revoke_token_of(tx, row)
            return None
        return _Code(row)

    def authenticate_user(self, authorization_code: _Code) -> Account | None:
        return active_account(self.server.tx, authorization_code.row.account_id)

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        """Deletes nothing: `save_token` has marked it as used, and it is kept to notice a second use."""


class CredentialsGrant(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS


class _Token:
    """A token of a person as Authlib asks it, where it is sent as a refresh token."""

    def __init__(self, text: str, row: AccessToken) -> None:
        self.text, self.row = text, row

    def check_client(self, client: AppClient) -> bool:
        return self.row.app.id == client.app.id

    def get_scope(self) -> str:
        return " ".join(sorted(self.row.scopes))


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    """Answers with the same token: none ends by itself, and some apps want to refresh it all the same."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> _Token | None:
        row = access_tokens.by_token(self.server.tx, refresh_token)
        return _Token(refresh_token, row) if row else None

    def authenticate_user(self, refresh_token: _Token) -> Account | None:
        return active_account(self.server.tx, refresh_token.row.account_id)

    def issue_token(self, user: Account, refresh_token: _Token) -> dict[str, Any]:
        token: dict[str, Any] = self.generate_token(scope=refresh_token.get_scope())
        return token | {"access_token": refresh_token.text, "refresh_token": refresh_token.text}

    def save_token(self, token: dict[str, Any]) -> None:
        """Saves nothing: the token is there."""

    def revoke_old_credential(self, refresh_token: _Token) -> None:
        """Revokes nothing: the token is the same."""


class Pkce(CodeChallenge):  # type: ignore[misc]
    """S256 alone: `plain` protects nothing from who reads the request (RFC 9700, 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if data.get("code_challenge") and not data.get("code_challenge_method"):
            raise InvalidRequestError("The code_challenge_method must be S256.")
        super().validate_code_challenge(grant, redirect_uri)


def active_account(tx: Reader, account_id: int) -> Account | None:
    """Returns an account that may be signed in as."""
    account = accounts.by_id(tx, account_id)
    user = users.by_account(tx, account) if account else None
    is_active = (
        account is not None and not account.is_inactive and user is not None and user.state == "active"
    )
    return account if is_active else None
