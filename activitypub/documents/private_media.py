"""The addresses of pictures that are not public, in documents for other servers.

A document is rendered once for all servers. What each of them gets has addresses of its own: they open a picture as long
as somebody on that server may see it, so a block or a removed follower ends them.
"""

from __future__ import annotations

import re

from node.database import Site

_MARK = b"/media/p/"
_RENDERED = re.compile(rb"/media/p/([0-9a-f]{32})/([0-9A-Za-z._/-]+)")


def bind_to_server(site: Site, document: bytes, host: str) -> bytes:
    """Returns a rendered document as one server gets it: the same bytes at every call."""

    def bind(match: re.Match[bytes]) -> bytes:
        key = match[2].decode()
        if not site.is_media_capability(match[1].decode(), key):
            return match[0]  # something that looks like one, in a text
        return _MARK + f"{site.server_capability(key, host)}/{key}".encode()

    return _RENDERED.sub(bind, document) if _MARK in document else document
