"""Parses HTML for tests, and checks that it holds only what the sanitizer lets through."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class Elements(HTMLParser):
    """The elements of an HTML text, with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


KEPT = {"p", "br", "a", "span", "strong", "em", "b", "i", "u", "s", "del", "code", "pre", "blockquote"}
KEPT |= {"ul", "ol", "li"}


CLASSES = {"mention", "hashtag", "u-url", "h-card"}


def assert_safe(html: str) -> None:
    for tag, attributes in Elements(html).found:
        assert tag in KEPT
        assert set(attributes) <= {"href", "rel", "class", "start"}
        assert set((attributes.get("class") or "").split()) <= CLASSES
        if "href" in attributes:
            assert re.match(r"https?://", attributes["href"] or "")
