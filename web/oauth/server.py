"""The authorization server: Authlib's grants over our tables, one server for each unit of work.

Authlib is synchronous, so a request runs in one transaction: a code is marked as used in the unit that issues its token.
RFC 6749 (codes, client credentials), RFC 7636 (PKCE, S256 only), RFC 7009 (revocation), RFC 9700 (a code that comes with
a verifier had a challenge).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError, OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge

from node.accounts import accounts
from node.auth import access_tokens, users
from node.auth.oauth import app_tokens, apps, authorization_codes, scopes
from node.auth.oauth.apps import ClientApp
from node.auth.oauth.authorization_codes import AuthorizationCode
from node.database import Reader, Writer
from node.ids import now_ms
from node.models.account import Account

_NOT_IN_DESCRIPTIONS = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: a JSON object or, with status 302, a `location`."""

    status: int
    body: dict[str, Any]
    location: str = ""


class Request(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib reads it: parameters are merged from query and body, each once."""

    def __init__(self, method: str, parameters: dict[str, str], authorization: str = "") -> None:
        # TLS is the matter of the web server; Authlib would refuse a node that is tried on http://localhost.
        super().__init__(method, "https://localhost/", headers={"Authorization": authorization})
        # Authlib puts these into descriptions, and fails for what those may not hold (RFC 6749, 4.1.2.1).
        for name in ("redirect_uri", "response_type", "grant_type"):
            if name in parameters:
                parameters[name] = _NOT_IN_DESCRIPTIONS.sub("?", parameters[name])
        self.payload = BasicOAuth2Payload(parameters)
        self._parameters = parameters

    @property
    def args(self) -> dict[str, str]:
        return self._parameters

    @property
    def form(self) -> dict[str, str]:
        return self._parameters


class _Client:
    """An app as Authlib asks it."""

    def __init__(self, app: ClientApp) -> None:
        self.app = app

    def get_client_id(self) -> str:
        return self.app.client_id

    def get_default_redirect_uri(self) -> str | None:
        uris = self.app.redirect_uris
        return uris[0] if len(uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Returns the scopes asked for that the app registered; what goes beyond them is left out, as Pixelfed's app needs."""
        asked = (scope or "read").replace("+", " ").split()
        allowed = scopes.granted(asked, self.app.scopes)
        return " ".join(sorted(allowed)) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return self.app.allows_redirect(redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        return self.app.is_secret(client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
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


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def save_authorization_code(self, code: str, request: Request) -> None:
        authorization_codes.create(
            self.server.tx,
            code,
            request.client.app,
            request.user,
            redirect_uri=self.redirect_uri or request.client.get_default_redirect_uri(),
            scopes=(request.scope or "").split(),
            challenge=request.payload.data.get("code_challenge", ""),
        )

    def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
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
        """Nothing: `save_token` has marked it as used, and it is kept to notice a second use."""


class _CredentialsGrant(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")


class _Pkce(CodeChallenge):  # type: ignore[misc]
    """S256 alone: `plain` protects nothing from who reads the request (RFC 9700, 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if data.get("code_challenge") and not data.get("code_challenge_method"):
            raise InvalidRequestError("The code_challenge_method must be S256.")
        super().validate_code_challenge(grant, redirect_uri)


class Server(AuthorizationServer):  # type: ignore[misc]
    """The authorization server of one unit of work. `tx` may be a Reader where nothing is issued."""

    def __init__(self, tx: Any) -> None:
        super().__init__()
        self.tx: Writer = tx
        self.register_grant(_CodeGrant, [_Pkce(required=False)])
        self.register_grant(_CredentialsGrant)

    def query_client(self, client_id: str) -> _Client | None:
        app = apps.by_client_id(self.tx, client_id)
        return _Client(app) if app else None

    def generate_token(self, *args: Any, scope: str | None = None, **kwargs: Any) -> dict[str, Any]:
        return {"token_type": "Bearer", "scope": scope or "read", "created_at": now_ms() // 1000}

    def save_token(self, token: dict[str, Any], request: Request) -> None:
        """Issues a token and puts it into the answer."""
        client: _Client = request.client
        if request.user is None:
            granted = client.get_allowed_scope(token["scope"]) or "read"
            token["scope"] = granted
            token["access_token"] = app_tokens.create(self.tx, client.app, granted.split())
            return
        code: AuthorizationCode = request.authorization_code.row
        token["access_token"], id_ = access_tokens.issue(
            self.tx, request.user, token["scope"].split(), client.app.id
        )
        if not authorization_codes.mark_used(self.tx, code, id_):
            access_tokens.revoke_by_id(self.tx, id_)
            raise InvalidGrantError("Invalid 'code' in request.")

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        location = dict(headers).get("Location", "")
        return Answer(status, dict(body) if body else {}, location)


def issue_token(tx: Writer, request: Request) -> Answer:
    """Answers a request of the token endpoint."""
    answer: Answer = Server(tx).create_token_response(request)
    return answer


def revoke_token(tx: Writer, request: Request) -> Answer:
    """Answers a request of the revocation endpoint (RFC 7009): success too for a token that has ended."""
    server = Server(tx)
    try:
        client = server.authenticate_client(request, ("client_secret_basic", "client_secret_post"))
    except OAuth2Error as error:
        refused: Answer = server.handle_error_response(request, error)
        return refused
    token, app_id = request.form.get("token", ""), client.app.id
    if not access_tokens.revoke_issued(tx, app_id, token):
        app_tokens.revoke(tx, app_id, token)
    return Answer(200, {})


@dataclass(frozen=True)
class Consent:
    """What an app asks for, once its request is valid."""

    app: ClientApp
    scopes: tuple[str, ...]
    redirect_uri: str


def check_authorization(tx: Reader, request: Request) -> Consent:
    """Returns what an app asks for. Raises OAuth2Error: with a `redirect_uri` the app is to be told, else the person."""
    grant = Server(tx).get_consent_grant(request)
    return Consent(grant.client.app, tuple((request.scope or "").split()), grant.redirect_uri)


def authorize(tx: Writer, request: Request, account: Account | None) -> Answer:
    """Sends the person back to the app: with a code, or with `access_denied` without an account. Raises OAuth2Error."""
    server = Server(tx)
    grant = server.get_consent_grant(request, account)
    answer: Answer = server.create_authorization_response(request, account, grant)
    return answer


def error_answer(tx: Reader, request: Request, error: OAuth2Error) -> Answer:
    """Returns what tells an app of an error: `error.redirect_uri` was checked."""
    answer: Answer = Server(tx).handle_error_response(request, error)
    return answer


def active_account(tx: Reader, account_id: int) -> Account | None:
    """Returns an account that may be signed in as."""
    account = accounts.by_id(tx, account_id)
    user = users.by_account(tx, account) if account else None
    is_active = (
        account is not None and not account.is_inactive and user is not None and user.state == "active"
    )
    return account if is_active else None
