"""Renders custom emoji: `:shortcode:` in display names, captions and bios becomes a small image.

Only shortcodes that are stored with the row are replaced, only in text and never inside a tag, so
whatever a shortcode is, the result is nothing but one `img` element with a URL of this node.
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

# A tag, whose quoted values may hold anything, or the text up to the next one.
_TAG_OR_TEXT = re.compile(r'<[^<>"]*(?:"[^"]*"[^<>"]*)*>|[^<]+|<')
_SHORTCODE = re.compile(r"(?<![^\W_]):([^\s:<>]+):(?![^\W_])")


def emoji_path(emoji_id: int) -> str:
    return f"/media/emoji/{emoji_id}.webp"


def replace_in_html(html: str, emoji_json: str) -> Markup:
    """Replaces the shortcodes in sanitised HTML by the emoji of its row; the result is as safe."""
    if not emoji_json or ":" not in html:
        return Markup(html)  # noqa: S704
    replaced = _replacer(custom_emoji.ids_by_shortcode(emoji_json))
    return Markup(  # noqa: S704
        "".join(
            piece if piece.startswith("<") else _SHORTCODE.sub(replaced, piece)
            for piece in _TAG_OR_TEXT.findall(html)
        )
    )


def replace_in_text(text: str, emoji_json: str) -> Markup:
    """Escapes plain text and replaces its shortcodes by the emoji of its row."""
    return replace_in_html(str(escape(text)), emoji_json)


def _replacer(ids: dict[str, int]) -> Callable[[re.Match[str]], str]:
    def replaced(match: re.Match[str]) -> str:
        id_ = ids.get(unescape(match[1]))
        if id_ is None:
            return match[0]
        text = match[0].replace('"', "&#34;")
        return f'<img class="emoji" src="{emoji_path(id_)}" alt="{text}" title="{text}" loading="lazy" decoding="async">'

    return replaced


def post_emoji(post: Post, author: Account) -> str:
    """Returns the stored emoji of a post; '' if media of its author's server is not shown."""
    return "" if author.is_without_media else post.emoji


def account_emoji(account: Account) -> str:
    return "" if account.is_without_media else account.emoji


def render_display_name(account: Account) -> Markup:
    """Renders the display name of an account as HTML."""
    return replace_in_text(account.label, account_emoji(account))


def to_entities(site: Site, emoji_json: str) -> list[dict[str, Any]]:
    """Renders the CustomEmoji entities of the client API."""
    found = []
    for shortcode, id_ in custom_emoji.ids_by_shortcode(emoji_json).items():
        url = site.uri(emoji_path(id_))
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
