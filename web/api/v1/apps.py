"""Apps: what a token belongs to."""

from __future__ import annotations

from node.database import Reader
from web.api.endpoint import Answer, Call

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


def verify_credentials(tx: Reader, call: Call) -> Answer:
    """The app behind the token; any token will do."""
    assert call.token is not None
    app = call.token.app
    return call.json(
        {
            "id": str(app.id),
            "name": app.name,
            "website": app.website or None,
            "scopes": sorted(call.token.scopes),
            "redirect_uris": [OUT_OF_BAND],
            "redirect_uri": OUT_OF_BAND,
            "vapid_key": "",
        }
    )
