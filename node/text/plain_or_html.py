"""Texts that some servers read as plain text and others as HTML: content warnings and names.

ActivityStreams calls a `summary` HTML, and GoToSocial reads and writes it so. Mastodon reads and writes plain text.
Pixelfed strips what begins like a tag and decodes the rest. So what is sent is spelt so that all show the same.
"""

from __future__ import annotations

import re
from html import unescape

from node.text.formatting import html_to_text

_WORD_JOINER = "\u2060"
"""Has no width and begins no tag and no entity."""

_TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
_NO_SPACE_AFTER = re.compile(r"<(?!\s)")
_MARKED = re.compile(f"([<&]){_WORD_JOINER}")
_LOOKS_LIKE_HTML = re.compile(
    r"</[A-Za-z][A-Za-z0-9]*\s*>|<(?:p|br|hr|img|div|span)\b[^<>]*>|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)


def spell_name(text: str) -> str:
    """Returns a name as plain text that shows the same when it is read as HTML."""
    return _mark_entities(_TAG_START.sub("<" + _WORD_JOINER, text))


def spell_warning(text: str) -> str:
    """Returns a content warning as plain text that shows the same when it is read as HTML.

    Pixelfed takes any `<` without a space after it for a tag, up to the end of the text: there a space is added.
    """
    return _mark_entities(_NO_SPACE_AFTER.sub("< ", text))


def _mark_entities(text: str) -> str:
    first, *parts = text.split("&")
    return first + "".join(
        "&" + (_WORD_JOINER if unescape("&" + part[:40]) != "&" + part[:40] else "") + part for part in parts
    )


def read(text: str) -> str:
    """Returns the plain text of a warning or a name, whichever way it was written.

    Without an entity or the end of an element it was written as plain text.
    """
    if _LOOKS_LIKE_HTML.search(text) is not None:
        text = html_to_text(text)
    return _MARKED.sub(r"\1", text)
