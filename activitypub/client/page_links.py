"""What a page or an XRD links to: the ActivityPub document behind it, or the template of its WebFinger.

No parser of HTML or XML, and every step linear in the length of the page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urljoin

from activitypub.client.response_body import AS_PROFILE
from activitypub.uris import Malformed, parts

_MOST_TAGS, _LONGEST_TAG = 50, 1024
_ATTRIBUTE = re.compile(r"""([A-Za-z-]{1,20})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""")


def alternate(base: str, page: str, link_header: str = "") -> str | None:
    """Where the page at `base` says its ActivityPub document is, or None."""
    for attributes in (*_from_header(link_header), *_from_page(page)):
        kind = attributes.get("type", "").lower()
        if "alternate" not in attributes.get("rel", "").lower().split():
            continue
        if kind == "application/activity+json" or (
            kind.startswith("application/ld+json") and AS_PROFILE in kind
        ):
            try:
                address = urljoin(base, attributes.get("href", ""))
                parts(address)
            except (Malformed, ValueError):
                continue
            return address
    return None


def lrdd(document: str) -> str | None:
    """The template for WebFinger in an XRD (RFC 6415); None where there is none, or a DTD, which none needs."""
    if "<!" in document.replace("<!--", ""):
        return None
    for attributes in _from_page(document):
        if attributes.get("rel") == "lrdd" and "template" in attributes:
            return attributes["template"]
    return None


def _from_header(text: str) -> Iterator[dict[str, str]]:
    for piece in text[:8192].split("<")[1:_MOST_TAGS]:
        address, _, rest = piece.partition(">")
        yield _attributes(rest[:_LONGEST_TAG]) | {"href": address}


def _from_page(page: str) -> Iterator[dict[str, str]]:
    tags = 0
    for piece in page.split(">"):
        tail = piece[-_LONGEST_TAG:].lower()
        if tail.lstrip().startswith("<body"):
            return
        start = tail.rfind("<link")
        if start >= 0:
            tags += 1
            if tags > _MOST_TAGS:
                return
            yield _attributes(piece[-_LONGEST_TAG:][start:])


def _attributes(text: str) -> dict[str, str]:
    return {
        name.lower(): html.unescape(double or single or bare)
        for name, double, single, bare in _ATTRIBUTE.findall(text)
    }
