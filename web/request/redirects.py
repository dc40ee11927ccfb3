"""Where to go after a form, without ever leading away from this node."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from quart import Response, redirect, request

_PATH = re.compile(r"(?i)/(?![/\\]|%2f|%5c)[\x21-\x5b\x5d-\x7e]*")


def safe_path(wanted: str, otherwise: str = "/") -> str:
    """`wanted` if it is a path on this node, whatever a browser might make of it, else `otherwise`."""
    return wanted if len(wanted) <= 2000 and _PATH.fullmatch(wanted) else otherwise


def came_from(otherwise: str = "/") -> str:
    """The page of this node that the request came from."""
    source = urlsplit(request.headers.get("Referer", ""))
    if source.netloc != request.host:
        return otherwise
    return safe_path(source.path + (f"?{source.query}" if source.query else ""), otherwise)


def go(path: str, *, mark: str = "") -> Response:
    """See another page; `mark` is the element to stop at."""
    target = safe_path(path)
    if mark:
        target = f"{target.partition('#')[0]}#{mark}"
    return redirect(target, 303)  # type: ignore[return-value]


def wants_json() -> bool:
    """Whether a script asks, which shows the answer itself."""
    return "application/json" in request.headers.get("Accept", "")
