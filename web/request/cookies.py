"""Cookies, read in one way by every part of the node.

Parts that read the same request differently would take it for that of somebody else: what is kept for visitors would
then be made for a member.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.sansio.http import parse_cookie

from activitypub.asgi import headers

MAX_BYTES = 16_384


def parse_cookies(values: Iterable[str]) -> ImmutableMultiDict[str, str]:
    """Returns the cookies in all `Cookie` headers of a request: over HTTP/2 each may have one of its own.

    The headers are decoded as latin-1. What is no UTF-8 is replaced.
    """
    text = ";".join(values)[:MAX_BYTES].encode("latin-1").decode("utf-8", "replace")
    return ImmutableMultiDict(parse_cookie(text).items(multi=True))


def read_cookies(scope: Any) -> dict[str, str]:
    """Returns the cookies of a request; of several with one name the first."""
    values = headers(scope, b"cookie")
    return parse_cookies(values).to_dict() if values else {}
