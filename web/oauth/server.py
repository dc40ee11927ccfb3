"""The authorization server: Authlib's grants (`grants`) over our tables, one server for each unit of work.

Authlib is synchronous, so a request runs in one transaction: a code is marked as used in the unit that issues its token.
RFC 6749 (codes, client credentials), RFC 7636 (PKCE, S256 only), RFC 7009 (revocation), RFC 9700 (a code that comes with
a verifier had a challenge), RFC 9207 (the app is told who answers).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
)

from node.auth import access_tokens, users
from node.auth.oauth import app_tokens, apps, authorization_codes
from node.auth.oauth.apps import OUT_OF_BAND_URI, ClientApp
from node.auth.oauth.authorization_codes import AuthorizationCode
from node.database import Reader, Site, Writer
from node.ids import now_ms
from node.models.account import Account
from web.oauth.grants import (
    AUTH_METHODS,
    AppClient,
    CodeGrant,
    CredentialsGrant,
    OAuthRequest,
    Pkce,
    RefreshGrant,
)

MAX_STATE_LENGTH = 2000
EXPIRES_IN_SECONDS = 365 * 24 * 3600  # for an app that must be told of an end


@dataclass(frozen=True)
class Answer:
    """An answer for an app: a JSON object."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Redirection:
    """Where a person goes back to, an address that the app registered, and what the app is told there."""

    redirect_uri: str
    params: dict[str, str]

    @property
    def code(self) -> str:
        return self.params.get("code", "")

    @property
    def is_out_of_band(self) -> bool:
        """Returns whether the code is shown to be copied, since the app has no address."""
        return self.redirect_uri == OUT_OF_BAND_URI

    @property
    def location(self) -> str:
        """The address with its parameters. What was registered stays as it is, `app://` and its query included."""
        if not self.redirect_uri or self.is_out_of_band:
            return ""
        mark = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{mark}{urlencode(self.params)}"


class Server(AuthorizationServer):  # type: ignore[misc]
    """The authorization server of one unit of work. `tx` may be a Reader where nothing is issued."""

    def __init__(self, tx: Any, *, with_admin: bool = False) -> None:
        super().__init__()
        self.tx: Writer = tx
        self._with_admin = with_admin
        self.register_grant(CodeGrant, [Pkce(required=False)])
        self.register_grant(CredentialsGrant)
        self.register_grant(RefreshGrant)

    def query_client(self, client_id: str) -> AppClient | None:
        app = apps.by_client_id(self.tx, client_id)
        return AppClient(app, with_admin=self._with_admin) if app else None

    def generate_token(
        self, *, scope: str | None = None, include_refresh_token: bool = False, **rest: Any
    ) -> dict[str, Any]:
        """Returns the answer with a token, to which `save_token` adds the token itself."""
        token: dict[str, Any] = {"token_type": "Bearer", "scope": scope or "", "created_at": now_ms() // 1000}
        return token | ({"expires_in": EXPIRES_IN_SECONDS} if include_refresh_token else {})

    def save_token(self, token: dict[str, Any], request: OAuthRequest) -> None:
        """Issues a token and puts it into the answer."""
        client: AppClient = request.client
        if request.user is None:
            granted = client.get_allowed_scope(token["scope"])
            if granted is None:
                raise InvalidScopeError()
            token["scope"] = granted
            token["access_token"] = app_tokens.create(self.tx, client.app, granted.split())
            return
        code: AuthorizationCode = request.authorization_code.row
        token["access_token"], id_ = access_tokens.issue(
            self.tx, request.user, token["scope"].split(), client.app.id
        )
        if not authorization_codes.mark_used(self.tx, code, id_):  # another request was faster
            access_tokens.revoke_by_id(self.tx, id_)
            authorization_codes.revoke_token_of(self.tx, code)
            raise InvalidGrantError("Invalid 'code' in request.")
        if "expires_in" in token:
            token["refresh_token"] = token["access_token"]

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Does nothing: there are no listeners."""

    def create_oauth2_request(self, request: OAuthRequest) -> OAuthRequest:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        kept = {name.lower(): value for name, value in headers if name.lower() == "www-authenticate"}
        return Answer(status, dict(body), kept)


def issue_token(tx: Writer, request: OAuthRequest) -> Answer:
    """Answers a request of the token endpoint."""
    answer: Answer = Server(tx).create_token_response(request)
    return answer


def revoke_token(tx: Writer, request: OAuthRequest) -> Answer:
    """Answers a request of the revocation endpoint (RFC 7009): success too for a token that has ended."""
    server = Server(tx)
    try:
        client = server.authenticate_client(request, AUTH_METHODS)
        token = request.form.get("token", "")
        if not token:
            raise InvalidRequestError("Missing 'token' in request.")
    except OAuth2Error as error:
        refused: Answer = server.handle_error_response(request, error)
        return refused
    if not access_tokens.revoke_issued(tx, client.app.id, token):
        app_tokens.revoke(tx, client.app.id, token)
    return Answer(200, {})


@dataclass(frozen=True)
class Consent:
    """What an app asks a person for, once its request is valid. `state` is what the app gets back as it is."""

    app: ClientApp
    scopes: frozenset[str]
    redirect_uri: str
    state: str = ""

    def refuse(self, site: Site) -> Redirection:
        """Returns what the app is told when the person does not let it in."""
        return _redirection(site, self.redirect_uri, self.state, error="access_denied")


class RejectedRequest(Exception):
    """A request that cannot be granted. `back` tells the app so; None where the person must not be sent anywhere."""

    def __init__(self, error: OAuth2Error, site: Site, app: ClientApp | None) -> None:
        super().__init__(error.error)
        self.error: str = error.error
        self.app = app
        self.back: Redirection | None = None
        if error.redirect_uri and app is not None and app.allows_redirect(error.redirect_uri):
            told = {"error": error.error, "error_description": error.get_error_description()}
            state = error.state if error.state and len(error.state) <= MAX_STATE_LENGTH else ""
            self.back = _redirection(site, error.redirect_uri, state, **told)


def issuer(site: Site) -> str:
    """Returns the name of this server as its metadata has it (RFC 8414), and as apps are told (RFC 9207)."""
    return f"{site.base_url}/"


def _redirection(site: Site, redirect_uri: str, state: str, **params: str) -> Redirection:
    told = {name: value for name, value in (params | {"state": state}).items() if value}
    return Redirection(redirect_uri, told | {"iss": issuer(site)})


def check_authorization(tx: Reader, account: Account | None, request: OAuthRequest) -> Consent:
    """Returns what an app asks for, and may have of this person. Raises RejectedRequest."""
    return _validate(tx, account, request)[0]


def authorize(tx: Writer, account: Account, request: OAuthRequest) -> Redirection:
    """Gives an app that a person lets in a code. Raises RejectedRequest."""
    consent, grant = _validate(tx, account, request)
    code = grant.generate_authorization_code()
    request.user = account
    grant.save_authorization_code(code, request)
    return _redirection(tx.site, consent.redirect_uri, consent.state, code=code)


def _validate(tx: Any, account: Account | None, request: OAuthRequest) -> tuple[Consent, Any]:
    user = users.by_account(tx, account) if account else None
    server = Server(tx, with_admin=account is None or (user is not None and user.is_staff))
    state = request.payload.state or ""
    try:
        grant = server.get_consent_grant(request, account)
        if len(state) > MAX_STATE_LENGTH:
            raise InvalidRequestError("The state is too long.", redirect_uri=grant.redirect_uri)
    except OAuth2Error as error:
        app = apps.by_client_id(tx, request.payload.client_id or "")
        raise RejectedRequest(error, tx.site, app) from error
    granted = frozenset((request.scope or "").split())
    return Consent(grant.client.app, granted, grant.redirect_uri, state), grant
