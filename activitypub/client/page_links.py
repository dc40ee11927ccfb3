"""Finds links in an HTML page or an XRD: to its ActivityPub document, or the WebFinger template.

No HTML or XML parser is involved (no entity expansion, no DTD), and every step is linear in the length of the page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urljoin

from activitypub.client.response_body import AS_PROFILE
from activitypub.uris import Malformed, parse_uri

_MAX_TAGS, _MAX_TAG_LENGTH = 50, 1024
_ATTRIBUTE = re.compile(r"""([A-Za-z-]{1,20})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""")


def find_alternate(base: str, page: str, link_header: str = "") -> str | None:
    """Returns the address of the ActivityPub document that the page at `base` names, or None.

    The `Link` header goes before `<link rel="alternate">` in the page; links behind `<body` are ignored.
    """
    for attributes in (*_from_header(link_header), *_from_page(page)):
        kind = attributes.get("type", "").lower()
        if "alternate" not in attributes.get("rel", "").lower().split():
            continue
        if kind == "application/activity+json" or (
            kind.startswith("application/ld+json") and AS_PROFILE in kind
        ):
            try:
                address = urljoin(base, attributes.get("href", ""))
                parse_uri(address)
            except (Malformed, ValueError):
                continue
            return address
    return None


def find_lrdd_template(document: str) -> str | None:
    """Returns the WebFinger template in an XRD (RFC 6415); None without one,
    and for any document with a DTD."""
    if "<!" in document.replace("<!--", ""):
        return None
    for attributes in _from_page(document):
        if attributes.get("rel") == "lrdd" and "template" in attributes:
            return attributes["template"]
    return None


def _from_header(text: str) -> Iterator[dict[str, str]]:
    for piece in text[:8192].split("<")[1:_MAX_TAGS]:
        address, _, rest = piece.partition(">")
        yield _attributes(rest[:_MAX_TAG_LENGTH]) | {"href": address}


def _from_page(page: str) -> Iterator[dict[str, str]]:
    tags = 0
    for piece in page.split(">"):
        tail = piece[-_MAX_TAG_LENGTH:].lower()
        if tail.lstrip().startswith("<body"):
            return
        start = tail.rfind("<link")
        if start >= 0:
            tags += 1
            if tags > _MAX_TAGS:
                return
            yield _attributes(piece[-_MAX_TAG_LENGTH:][start:])


def _attributes(text: str) -> dict[str, str]:
    return {
        name.lower(): html.unescape(double or single or bare)
        for name, double, single, bare in _ATTRIBUTE.findall(text)
    }
