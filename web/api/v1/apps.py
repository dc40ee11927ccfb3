"""Apps: registering one, and what a token belongs to."""

from __future__ import annotations

from typing import Any

from node.auth.oauth import app_tokens, apps
from node.auth.oauth.apps import OUT_OF_BAND_URI, ClientApp
from node.database import Reader, Writer
from web.api.auth import InvalidToken
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.oauth.registration import credentials

routes = RouteTable()


@routes.asynchronous("POST", "/api/v1/apps", access="app")
async def register(request: ApiRequest) -> JsonResponse:
    """Registers an app: from a form, JSON or the query, with one redirect URI or several."""
    db = request.node.db
    await db.write(apps.count_registration, request.address)
    return request.json_response(await db.write(_register, request))


def _register(tx: Writer, request: ApiRequest) -> dict[str, Any]:
    params = request.params
    uris = [uri for value in params.all_values("redirect_uris") for uri in value.split()]
    app, secret = apps.register(
        tx,
        name=params.text("client_name"),
        redirect_uris=uris,
        scopes=params.text("scopes") or params.text("scope"),
        website=params.text("website"),
    )
    return {**_entity(app), **credentials(app, secret)}


def _entity(app: ClientApp) -> dict[str, Any]:
    uris = list(app.redirect_uris) or [OUT_OF_BAND_URI]
    return {
        "id": str(app.id),
        "name": app.name,
        "website": app.website or None,
        "scopes": sorted(app.scopes),
        "redirect_uris": uris,
        "redirect_uri": "\n".join(uris),
        "vapid_key": "",
    }


@routes.asynchronous("GET", "/api/v1/apps/verify_credentials", access="anyone")
async def verify_credentials(request: ApiRequest) -> JsonResponse:
    """Returns the app behind a token of a person, or behind one of its own."""
    if request.token is not None:
        return request.json_response({**_entity(request.token.app), "scopes": sorted(request.token.scopes)})
    return request.json_response(await request.node.db.read(_by_app_token, request.app_token))


def _by_app_token(tx: Reader, token: str) -> dict[str, Any]:
    found = app_tokens.by_token(tx, token)
    if found is None:
        raise InvalidToken("The access token is invalid")
    return {**_entity(found.app), "scopes": sorted(found.scopes)}
