"""OAuth for apps: tokens, their revocation, registration, who the person is, and what this server offers.

RFC 6749, 7009, 7591, 8414. Where a person lets an app in, see `web.pages.oauth.consent`.
"""

from __future__ import annotations

import msgspec

from node import rate_limits
from node.auth.oauth import apps, scopes
from node.database import Reader, Writer
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.oauth import grants, registration, server
from web.oauth.grants import OAuthRequest
from web.oauth.server import Answer

routes = RouteTable()

MAX_TOKEN_REQUESTS_PER_HOUR = 1200  # of one network: a web app may ask for all its people

PARAMETERS = (
    "grant_type",
    "client_id",
    "client_secret",
    "redirect_uri",
    "code",
    "code_verifier",
    "scope",
    "token",
    "refresh_token",
)


@routes.asynchronous("POST", "/oauth/token", access="app")
async def create_token(request: ApiRequest) -> JsonResponse:
    """Exchanges a code for a token of a person, or gives an app one of its own."""
    await _count(request)
    return _to_response(await request.node.db.write(server.issue_token, _oauth_request(request)))


@routes.asynchronous("POST", "/oauth/revoke", access="app")
async def revoke_token(request: ApiRequest) -> JsonResponse:
    """Ends a token that its app gives back. A token that has ended already is no error."""
    await _count(request)
    return _to_response(await request.node.db.write(server.revoke_token, _oauth_request(request)))


async def _count(request: ApiRequest) -> None:
    network = rate_limits.client_network(request.address)
    await request.node.db.write(
        rate_limits.count_attempt, f"oauth {network}", limit=MAX_TOKEN_REQUESTS_PER_HOUR, seconds=3600
    )


@routes.asynchronous("POST", "/oauth/register", access="app")
async def register(request: ApiRequest) -> JsonResponse:
    """Registers an app as RFC 7591 has it."""
    await request.node.db.write(apps.count_registration, request.address)
    return _to_response(await request.node.db.write(_register, request))


def _register(tx: Writer, request: ApiRequest) -> Answer:
    params = request.params
    return registration.register(
        tx,
        name=params.text("client_name"),
        redirect_uris=params.all_values("redirect_uris"),
        scope=params.text("scope"),
        website=params.text("client_uri"),
    )


def _oauth_request(request: ApiRequest) -> OAuthRequest:
    params = {name: request.params.text(name) for name in PARAMETERS if name in request.params}
    return OAuthRequest("POST", params, request.authorization)


def _to_response(answer: Answer) -> JsonResponse:
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    return JsonResponse(msgspec.json.encode(answer.body), answer.status, headers)


def _user_info(request: ApiRequest) -> JsonResponse:
    account, site = request.caller, request.node.site
    entity = msgspec.json.decode(request.entities.account(account))
    return request.json_response(
        {
            "iss": server.issuer(site),
            "sub": account.uri,
            "name": account.display_name or account.name,
            "preferred_username": account.name,
            "profile": entity["url"],
            "picture": entity["avatar"],
        }
    )


@routes.read("/oauth/userinfo", "profile", "read:accounts")
def show_user_info(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Says who signed in, with the scope `profile` (OpenID Connect's UserInfo, as Mastodon has it)."""
    return _user_info(request)


@routes.asynchronous("POST", "/oauth/userinfo", "profile", "read:accounts")
async def ask_for_user_info(request: ApiRequest) -> JsonResponse:
    """Says the same to an app that asks with a form."""
    return _user_info(request)


@routes.public("/.well-known/oauth-authorization-server")
def show_metadata(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Says what apps may ask for, and where (RFC 8414)."""
    site = request.node.site
    return request.json_response(
        {
            "issuer": server.issuer(site),
            "service_documentation": "https://docs.joinmastodon.org/",
            "authorization_endpoint": site.uri("/oauth/authorize"),
            "token_endpoint": site.uri("/oauth/token"),
            "app_registration_endpoint": site.uri("/api/v1/apps"),
            "registration_endpoint": site.uri("/oauth/register"),
            "revocation_endpoint": site.uri("/oauth/revoke"),
            "userinfo_endpoint": site.uri("/oauth/userinfo"),
            "scopes_supported": sorted(scopes.SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": list(registration.GRANT_TYPES),
            "token_endpoint_auth_methods_supported": list(grants.AUTH_METHODS),
            "revocation_endpoint_auth_methods_supported": list(grants.AUTH_METHODS),
            "authorization_response_iss_parameter_supported": True,
        }
    )
