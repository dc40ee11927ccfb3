"""Where to go after a form, without ever leading away from this node."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from quart import Response, redirect, request

_PATH = re.compile(r"(?i)/(?![/\\]|%2f|%5c)[\x21-\x5b\x5d-\x7e]*")


def safe_path(path: str, default: str = "/") -> str:
    """`path` if it is a path on this node, whatever a browser might make of it, else `default`."""
    return path if len(path) <= 2000 and _PATH.fullmatch(path) else default


def referring_path(default: str = "/") -> str:
    """The page of this node that the request came from."""
    source = urlsplit(request.headers.get("Referer", ""))
    if source.netloc != request.host:
        return default
    return safe_path(source.path + (f"?{source.query}" if source.query else ""), default)


def see_other(path: str, *, fragment: str = "") -> Response:
    """See another page; `fragment` is the element to stop at."""
    target = safe_path(path)
    if fragment:
        target = f"{target.partition('#')[0]}#{fragment}"
    return redirect(target, 303)  # type: ignore[return-value]


def wants_json() -> bool:
    """Whether a script asks, which shows the answer itself."""
    return "application/json" in request.headers.get("Accept", "")
