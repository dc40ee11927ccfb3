"""Where HTML breaks a line: for block elements that are not kept, and for its text alone.

Two words in two blocks must never become one, however deep the blocks are nested. Every step takes time linear in the
length of the HTML.
"""

from __future__ import annotations

import re
from html import unescape

KEPT_BLOCKS = frozenset({"p", "pre", "blockquote", "ul", "ol", "li"})
OTHER_BLOCKS = frozenset(
    {
        *(
            "address",
            "article",
            "aside",
            "body",
            "button",
            "caption",
            "center",
            "col",
            "colgroup",
            "dd",
            "details",
        ),
        *("dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "frame"),
        *(
            "frameset",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "head",
            "header",
            "hgroup",
            "html",
            "legend",
            "listing",
        ),
        *(
            "main",
            "marquee",
            "menu",
            "nav",
            "noframes",
            "optgroup",
            "option",
            "plaintext",
            "search",
            "section",
        ),
        *("select", "summary", "table", "tbody", "td", "textarea", "tfoot", "th", "thead", "tr", "xmp"),
    }
)
PLACEHOLDERS = frozenset({"div", "hr"})
"""The elements that stand for all other blocks between `mark_blocks` and `break_lines`."""

_OTHER_BLOCK = re.compile(
    rf"<(/?)(?:{'|'.join(sorted(OTHER_BLOCKS, reverse=True))})(?=[\s/>])", re.IGNORECASE
)
_RULE = re.compile(r"<hr[\s/>]", re.IGNORECASE)
_EMBEDDED = re.compile(r"<(?:img|(/?(?:iframe|video|audio|object|embed|canvas)))(?=[\s/>])", re.IGNORECASE)
_TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)[^<>]*>|<[^<>]*>|[^<]+|<")


def mark_blocks(html: str) -> tuple[str, bool]:
    """Renames all blocks that are not kept to `div`. Returns the HTML, and whether it has such blocks.

    The parser drops cells outside of a table and options outside of a list without a trace, but never a `div`. What is
    embedded and dropped gets a rule before it and at its end, and a picture in the line, as an emoji is, a blank.
    """
    html = _EMBEDDED.sub(_separate, html)
    marked, found = _OTHER_BLOCK.subn(r"<\1div", html)
    return marked, found > 0 or _RULE.search(html) is not None


def _separate(embedded: re.Match[str]) -> str:
    return ("<hr>" if embedded[1] else " ") + embedded[0]


def break_lines(html: str) -> str:
    """Replaces the placeholders in sanitized HTML by line breaks, where there is not a break anyway."""
    parts: list[str] = []
    # Whether the line has text, and whether a block began or ended behind it.
    has_text = is_broken = False
    for token in _TOKEN.finditer(html):
        name = token[2]
        if name in PLACEHOLDERS:
            is_broken = True
            continue
        if name == "br" or name in KEPT_BLOCKS:
            has_text = is_broken = False
        elif name is not None:
            if is_broken and has_text and not token[1]:
                parts.append("<br>")
                has_text = is_broken = False
        elif token[0].isspace():
            if is_broken:
                continue
        else:
            if is_broken and has_text:
                parts.append("<br>")
            has_text, is_broken = True, False
        parts.append(token[0])
    return "".join(parts)


def to_text(html: str) -> str:
    """Returns the text of safe HTML, with its line breaks and a blank line between paragraphs."""
    parts: list[str] = []
    breaks = 0
    for token in _TOKEN.finditer(html):
        name = (token[2] or "").lower()
        if name == "br":
            breaks += 1
        elif name == "li" or name == "hr" or name in OTHER_BLOCKS:
            breaks = max(breaks, 1)
        elif name in KEPT_BLOCKS:
            breaks = max(breaks, 2)
        elif token[0][0] != "<" or token[0] == "<":
            text = unescape(token[0])
            if breaks:
                text = text.lstrip()
                if not text:
                    continue
                parts.append("\n" * min(breaks, 2) if parts else "")
                breaks = 0
            parts.append(text)
    return "".join(parts).strip()


def to_line(html: str) -> str:
    """Returns the text of safe HTML on one line: for titles and excerpts."""
    return " ".join(to_text(html).split())
