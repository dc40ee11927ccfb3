"""Custom emoji among words: `:name:` in text becomes a little picture, for names, captions and bios.

Only short names that the row itself keeps are replaced, only in what people read and never inside a tag, so
whatever a name is, nothing but one `img` element with an address of this node can come of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from markupsafe import Markup, escape

from node.attachments import custom_emoji
from node.database import Site
from node.models.account import Account
from node.models.post import Post

# A tag, whose quoted values may hold anything, or words up to the next one.
_PIECE = re.compile(r'<[^<>"]*(?:"[^"]*"[^<>"]*)*>|[^<]+|<')
_NAME = re.compile(r"(?<![^\W_]):([^\s:<>]+):(?![^\W_])")


def path(emoji_id: int) -> str:
    return f"/media/emoji/{emoji_id}.webp"


def in_html(html: str, kept: str) -> Markup:
    """Safe HTML with the emoji of its row shown; still safe."""
    if not kept or ":" not in html:
        return Markup(html)  # noqa: S704
    replaced = _replacer(custom_emoji.used(kept))
    return Markup(  # noqa: S704
        "".join(
            piece if piece.startswith("<") else _NAME.sub(replaced, piece) for piece in _PIECE.findall(html)
        )
    )


def in_words(words: str, kept: str) -> Markup:
    """Plain words as HTML, with the emoji of their row shown."""
    return in_html(str(escape(words)), kept)


def _replacer(known: dict[str, int]) -> Callable[[re.Match[str]], str]:
    def replaced(match: re.Match[str]) -> str:
        id_ = known.get(unescape(match[1]))
        if id_ is None:
            return match[0]
        said = match[0].replace('"', "&#34;")
        return f'<img class="emoji" src="{path(id_)}" alt="{said}" title="{said}" loading="lazy" decoding="async">'

    return replaced


def of_post(post: Post, author: Account) -> str:
    """What is kept of a post's emoji, if pictures of its author's server are shown."""
    return "" if author.is_without_media else post.emoji


def of_account(account: Account) -> str:
    return "" if account.is_without_media else account.emoji


def name(account: Account) -> Markup:
    """What somebody is called, as HTML."""
    return in_words(account.label, of_account(account))


def entities(site: Site, kept: str) -> list[dict[str, Any]]:
    """The CustomEmoji of the client API."""
    found = []
    for shortcode, id_ in custom_emoji.used(kept).items():
        url = site.uri(path(id_))
        found.append(
            {
                "shortcode": shortcode,
                "url": url,
                "static_url": url,
                "visible_in_picker": False,
                "category": None,
            }
        )
    return found
