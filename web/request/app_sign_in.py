"""Signing in to let an app in: the page that asks, and those on the way to it, which keep where the person was going.

An app opens that page in a window of its own, and waits for it to come back. `Cross-Origin-Opener-Policy` on any page
of the way would cut that window off, and `form-action` on the page that asks would stop the way back.
"""

from __future__ import annotations

from collections.abc import Mapping

from quart import g, request

from web.request.redirects import safe_path

AUTHORIZE_PATH = "/oauth/authorize"


def next_page(given: str) -> str:
    """Returns the page to which signing in leads, and notes where an app waits for that."""
    path = safe_path(given)
    g.has_waiting_app = leads_to_app(path)
    return path


def leads_to_app(path: str) -> bool:
    """Returns whether a path is that of the page that asks whether an app may come in."""
    return path.partition("?")[0].rstrip("/") == AUTHORIZE_PATH


def adapt(headers: Mapping[str, str]) -> dict[str, str]:
    """Returns the security headers for the page being answered: all of them, but for what would stop an app."""
    asks = leads_to_app(request.path)
    if not asks and not getattr(g, "has_waiting_app", False):
        return dict(headers)
    kept = {name: value for name, value in headers.items() if name != "Cross-Origin-Opener-Policy"}
    if asks:
        policy = kept["Content-Security-Policy"].split("; ")
        kept["Content-Security-Policy"] = "; ".join(
            rule for rule in policy if not rule.startswith("form-action")
        )
        kept["Cache-Control"] = "private, no-store"
    return kept
