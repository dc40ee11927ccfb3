"""OAuth for apps: tokens, their revocation, who the person is, and what this server offers (RFC 6749, 7009, 8414)."""

from __future__ import annotations

from typing import Any

import msgspec

from node.auth.oauth import scopes
from node.database import Reader
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.oauth import server
from web.oauth.server import Answer, Request

routes = RouteTable()

PARAMETERS = (
    "grant_type",
    "client_id",
    "client_secret",
    "redirect_uri",
    "code",
    "code_verifier",
    "scope",
    "token",
)


@routes.asynchronous("POST", "/oauth/token", access="anyone")
async def create_token(request: ApiRequest) -> JsonResponse:
    """Exchanges a code for a token of a person, or gives an app one of its own."""
    return _to_response(await request.node.db.write(server.issue_token, _oauth_request(request)))


@routes.asynchronous("POST", "/oauth/revoke", access="anyone")
async def revoke_token(request: ApiRequest) -> JsonResponse:
    """Ends a token that its app gives back. A token that has ended already is no error."""
    return _to_response(await request.node.db.write(server.revoke_token, _oauth_request(request)))


def _oauth_request(request: ApiRequest) -> Request:
    params = {name: request.params.text(name) for name in PARAMETERS if name in request.params}
    return Request("POST", params, request.authorization)


def _to_response(answer: Answer) -> JsonResponse:
    return JsonResponse(msgspec.json.encode(answer.body), answer.status)


def _user_info(request: ApiRequest) -> dict[str, Any]:
    account, site = request.caller, request.node.site
    entity = msgspec.json.decode(request.entities.account(account))
    return {
        "iss": f"{site.base_url}/",
        "sub": account.uri,
        "name": account.display_name or account.name,
        "preferred_username": account.name,
        "profile": entity["url"],
        "picture": entity["avatar"],
    }


@routes.read("/oauth/userinfo", "profile", "read:accounts")
def show_user_info(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Says who signed in, with the scope `profile` (OpenID Connect's UserInfo, as Mastodon has it)."""
    return request.json_response(_user_info(request))


@routes.public("/.well-known/oauth-authorization-server")
def show_metadata(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Says what apps may ask for, and where (RFC 8414)."""
    uri = request.node.site.uri
    return request.json_response(
        {
            "issuer": f"{request.node.site.base_url}/",
            "service_documentation": "https://docs.joinmastodon.org/",
            "authorization_endpoint": uri("/oauth/authorize"),
            "token_endpoint": uri("/oauth/token"),
            "app_registration_endpoint": uri("/api/v1/apps"),
            "revocation_endpoint": uri("/oauth/revoke"),
            "userinfo_endpoint": uri("/oauth/userinfo"),
            "scopes_supported": sorted(scopes.SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
    )
