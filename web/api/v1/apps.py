"""Apps: what a token belongs to."""

from __future__ import annotations

from node.database import Reader
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable

routes = RouteTable()

OUT_OF_BAND_URI = "urn:ietf:wg:oauth:2.0:oob"


@routes.read("/api/v1/apps/verify_credentials")
def verify_credentials(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the app behind the token; any token will do."""
    assert request.token is not None
    app = request.token.app
    return request.json_response(
        {
            "id": str(app.id),
            "name": app.name,
            "website": app.website or None,
            "scopes": sorted(request.token.scopes),
            "redirect_uris": [OUT_OF_BAND_URI],
            "redirect_uri": OUT_OF_BAND_URI,
            "vapid_key": "",
        }
    )
