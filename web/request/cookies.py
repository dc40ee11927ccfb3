"""Cookies, read in one way by every part of the node.

Parts that read the same request differently would take it for that of somebody else: what is kept for visitors would
then be made for a member. Only our own cookies are read, wherever they stand among those of others: every request is
asked for them before it waits for a turn, so a large header must not cost more than a search for a few bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.sansio.http import parse_cookie

from activitypub.asgi import headers

MAX_BYTES = 16_384
MAX_READ = 24
"""How many cookies named as ours are read: some browsers send one for each path, of which the first counts."""

OUR_PREFIX = "tintype_"


def parse_cookies(values: Iterable[str]) -> ImmutableMultiDict[str, str]:
    """Returns our cookies in all `Cookie` headers of a request: over HTTP/2 each may have one of its own.

    The headers are decoded as latin-1. What is no UTF-8 is replaced.
    """
    text = ";".join(_own_cookies(";".join(values)[:MAX_BYTES]))
    if not text:
        return ImmutableMultiDict()
    return ImmutableMultiDict(
        parse_cookie(text.encode("latin-1").decode("utf-8", "replace")).items(multi=True)
    )


def _own_cookies(text: str) -> Iterator[str]:
    """Yields each cookie that is named as one of ours, as it was sent; looks at `MAX_READ` places at most."""
    position = 0
    for _place in range(MAX_READ):
        name = text.find(OUR_PREFIX, position)
        if name < 0:
            return
        start = text.rfind(";", position, name) + 1 or position
        end = text.find(";", name)
        end = len(text) if end < 0 else end
        if not text[start:name].strip():
            yield text[start:end]
        position = end + 1


def read_cookies(scope: Any) -> dict[str, str]:
    """Returns our cookies of a request; of several with one name the first."""
    values = headers(scope, b"cookie")
    return parse_cookies(values).to_dict() if values else {}
