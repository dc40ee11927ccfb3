"""Dynamic registration of apps (RFC 7591), beside Mastodon's `POST /api/v1/apps`.

Own code: Authlib's endpoint takes only redirect URIs with `//` and a host, so none with a scheme of the app's own as
RFC 8252 writes them (`com.example.app:/cb`), nor the one for codes that are copied.
"""

from __future__ import annotations

from typing import Any

from node.auth.oauth import apps
from node.auth.oauth.apps import ClientApp
from node.database import Writer
from node.errors import Invalid
from web.oauth.server import Answer

# What the field of an error is called in RFC 7591, 3.2.2.
_ERRORS = {"redirect_uris": "invalid_redirect_uri"}
GRANT_TYPES = ("authorization_code", "client_credentials")


def register(
    tx: Writer, *, name: str, redirect_uris: list[str], scope: str = "", website: str = ""
) -> Answer:
    """Registers an app, and answers with what it got (RFC 7591, 3.2.1) or why it got nothing (3.2.2).

    What an app asks for besides is left out, as section 2 allows: every app has a secret, and the same grants.
    """
    try:
        app, secret = apps.register(
            tx,
            name=name or _unnamed(redirect_uris),
            redirect_uris=redirect_uris,
            scopes=scope,
            website=website,
        )
    except Invalid as invalid:
        error = _ERRORS.get(invalid.field, "invalid_client_metadata")
        return Answer(400, {"error": error, "error_description": invalid.message})
    return Answer(201, {**_metadata(app), **credentials(app, secret)})


def credentials(app: ClientApp, secret: str) -> dict[str, Any]:
    """Returns what an app signs in with. It never expires."""
    return {"client_id": app.client_id, "client_secret": secret, "client_secret_expires_at": 0}


def _unnamed(redirect_uris: list[str]) -> str:
    """Returns what an app is called that gives no name, which is optional there (RFC 7591, 2)."""
    return next((host for uri in redirect_uris if (host := apps.host_of(uri))), "")


def _metadata(app: ClientApp) -> dict[str, Any]:
    found: dict[str, Any] = {
        "client_id_issued_at": app.created_at // 1000,
        "client_name": app.name,
        "redirect_uris": list(app.redirect_uris),
        "scope": " ".join(sorted(app.scopes)),
        "grant_types": list(GRANT_TYPES),
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    return found | ({"client_uri": app.website} if app.website else {})
