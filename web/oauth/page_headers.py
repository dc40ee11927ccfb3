"""Security headers of the pages on which an app is let in, and of those on the way there.

An app opens these in a window of its own, and waits for it to come back. `Cross-Origin-Opener-Policy` on any page of the
way would cut that window off, and `form-action` on the page that asks would stop the way back.
"""

from __future__ import annotations

from collections.abc import Mapping

from quart import request

from web.request.redirects import has_waiting_app, leads_to_app


def adapt(headers: Mapping[str, str]) -> dict[str, str]:
    """Returns the security headers for the page being answered: all of them, but for what would stop an app."""
    asks = leads_to_app(request.path)
    if not asks and not has_waiting_app():
        return dict(headers)
    kept = {name: value for name, value in headers.items() if name != "Cross-Origin-Opener-Policy"}
    if asks:
        policy = kept["Content-Security-Policy"].split("; ")
        kept["Content-Security-Policy"] = "; ".join(
            rule for rule in policy if not rule.startswith("form-action")
        )
        kept["Cache-Control"] = "private, no-store"
    return kept
