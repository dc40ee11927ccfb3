"""Redirects after a form, which never lead away from this node."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from quart import Response, g, has_request_context, redirect, request

AUTHORIZE_PATH = "/oauth/authorize"
MAX_PATH_LENGTH = 5000  # an app may ask with a long state and a long redirect URI
_PATH = re.compile(r"(?i)/(?![/\\]|%2f|%5c)[\x21-\x5b\x5d-\x7e]*")


def safe_path(path: str, default: str = "/") -> str:
    """Returns `path` if every browser takes it for a path on this node, else `default`.

    Refused are absolute and protocol-relative URLs, also with backslashes or encoded slashes, and white space.
    """
    if len(path) > MAX_PATH_LENGTH or not _PATH.fullmatch(path):
        return default
    if leads_to_app(path) and has_request_context():
        g.has_waiting_app = True
    return path


def leads_to_app(path: str) -> bool:
    """Returns whether a path is that of the page that asks whether an app may come in."""
    return path.partition("?")[0].rstrip("/") == AUTHORIZE_PATH


def has_waiting_app() -> bool:
    """Returns whether the page being answered is on the way to that one: its `next`, or where it redirects, leads there."""
    return bool(getattr(g, "has_waiting_app", False))


def referring_path(default: str = "/") -> str:
    """Returns the path of the page of this node that the request came from, else `default`."""
    try:
        source = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return default
    if source.netloc != request.host:
        return default
    return safe_path(source.path + (f"?{source.query}" if source.query else ""), default)


def see_other(path: str, *, fragment: str = "") -> Response:
    """Redirects with 303 to a path on this node; `fragment` is the id of the element to scroll to."""
    target = safe_path(path)
    if fragment:
        target = f"{target.partition('#')[0]}#{fragment}"
    return redirect(target, 303)  # type: ignore[return-value]


def wants_json() -> bool:
    """Returns whether a script made the request and shows the response itself."""
    return "application/json" in request.headers.get("Accept", "")
