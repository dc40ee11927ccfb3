"""Formatting: typed text is cut into mentions, hashtags and links; remote HTML becomes safe HTML.

Pages and documents use the output of this module and of `accounts.mention_links` unescaped, so no other module
may make HTML out of text. Every step takes time linear in the length of the text, whatever the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape

import nh3

from node.text import html_blocks, line_breaks, links

MAX_REMOTE_HTML_LENGTH = 100_000
# Thousands of open elements make an HTML parser slow in the square of their number.
MAX_REMOTE_HTML_TAGS = 4_000
MAX_MENTIONS = 50
MAX_HASHTAGS = 50
MAX_HASHTAG_LENGTH = 100
MAX_LINK_TEXT_LENGTH = 60

_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufeff\ufffe\uffff\ud800-\udfff]")
_TOKEN_START = re.compile(r"https?://|[@#＃]", re.IGNORECASE)
_NO_LINK = re.compile(r"[^\s<>\"]{0,4096}")
# Remote usernames may be in any script, with marks; blanks and punctuation are excluded.
_IN_NAME = r"[^\s\x00-\x2a,/:-@\[-^`{-\xbf\u2000-\u206f\u3000-\u3004\u3008-\u3020\uff01-\uff0f]"
_HANDLE = re.compile(
    rf"@((?:(?![.+-]){_IN_NAME})(?:{_IN_NAME}{{0,2046}}(?:(?![.+-]){_IN_NAME}))?)"
    r"@([^\W_](?:[\w.-]{0,251}[^\W_])?(?::\d{1,5})?)(?![\w@]|[.-]+\w)"
)
# No local name has a dot, but `@john.doe` is still one name, and no mention of John.
_NAME = re.compile(r"@([A-Za-z0-9_]{1,64}(?:[.-][A-Za-z0-9_]{1,64}){0,8}+)(?![\w@]|://)")
_HASHTAG_JOINERS = "\u00b7\u30fb\u200c\u200d"
_PARAGRAPHS = re.compile(r"\n{2,}")


@dataclass(frozen=True, slots=True)
class Token:
    """A part of typed text; `value` is the handle or the normalized hashtag."""

    kind: str  # 'text' | 'url' | 'mention' | 'hashtag'
    text: str
    value: str = ""


def clean_text(text: object, limit: int) -> str:
    """Cleans plain text from anywhere: at most `limit` characters, without control characters; '' for a non-string."""
    if not isinstance(text, str):
        return ""
    text = line_breaks.normalize(text[: limit * 2])
    return _CONTROL_CHARACTERS.sub("", text).strip()[:limit].rstrip()


def remote_handles(text: str) -> list[str]:
    """Returns the handles with a domain (`name@domain`) that the text mentions, each once."""
    handles = (token.value for token in tokens(text) if token.kind == "mention" and "@" in token.value)
    return list(dict.fromkeys(handles))[:MAX_MENTIONS]


def link(url: str) -> str:
    """Renders a typed URL as a link whose text is shortened."""
    scheme, shown = url.split("://", 1)
    href = f"{scheme.lower()}://{shown}"
    if len(shown) > MAX_LINK_TEXT_LENGTH:
        # The host is always shown whole: a link may not hide where it leads.
        host = len(re.split(r"[/?#]", shown, maxsplit=1)[0])
        shown = shown[: max(MAX_LINK_TEXT_LENGTH, host)] + "…"
    rel = "nofollow noopener noreferrer"
    return f'<a href="{escape(href)}" rel="{rel}">{escape(shown, quote=False)}</a>'


def paragraphs(html: str) -> str:
    """Wraps HTML in <p>: a blank line separates paragraphs, a single line break becomes <br>."""
    blocks = (block.strip("\n") for block in _PARAGRAPHS.split(html.strip()))
    return "".join(f"<p>{block.replace(chr(10), '<br>')}</p>" for block in blocks if block)


def text_to_html(text: str) -> str:
    """Renders plain text of a remote server as safe HTML: paragraphs, line breaks and links."""
    text = line_breaks.normalize(text)
    parts = (link(one.text) if one.kind == "url" else escape(one.text, quote=False) for one in tokens(text))
    return paragraphs("".join(parts))


def tokens(text: str) -> Iterator[Token]:
    """Cuts text into plain text, links, mentions and hashtags, in one pass from left to right."""
    plain = at = 0
    while (mark := _TOKEN_START.search(text, at)) is not None:
        start = mark.start()
        at = mark.end()
        token = _url_at(text, start) if len(mark[0]) > 1 else _name_at(text, start, mark[0])
        if token is None:
            if len(mark[0]) > 1 and (passed := _NO_LINK.match(text, start)):
                # Whatever it is, it is passed over whole: its '@' and '#' are its own.
                at = passed.end()
            continue
        if plain < start:
            yield Token("text", text[plain:start])
        yield token
        plain = at = start + len(token.text)
    if plain < len(text):
        yield Token("text", text[plain:])


def _url_at(text: str, start: int) -> Token | None:
    if not links.may_begin(text, start):
        return None
    end = links.find_end(text, start)
    return Token("url", text[start:end]) if end > start else None


def _name_at(text: str, start: int, mark: str) -> Token | None:
    before = text[start - 1] if start else " "
    if before.isalnum() or before in "_/&@#" or unicodedata.combining(before):
        return None
    if mark == "@":
        if handle := _HANDLE.match(text, start):
            return Token("mention", handle[0], f"{handle[1]}@{handle[2].lower()}")
        if name := _NAME.match(text, start):
            return Token("mention", name[0], name[1])
        return None
    written = text[start : start + 1 + _hashtag_length(text, start + 1)]
    hashtag = normalize_hashtag(written)
    if not hashtag or text.startswith("://", start + len(written)):
        return None
    return Token("hashtag", written, hashtag)


def cut_hashtag(written: str) -> str:
    """Returns a hashtag as it was written, without '#', up to the first character that no hashtag has.

    `cup½` → `cup`, since the normal form of a fraction has a sign in it; '' if nothing is left.
    """
    tag = written.strip().lstrip("#＃")
    return tag[: _hashtag_length(tag, 0)]


def normalize_hashtag(tag: str) -> str:
    """Normalizes a hashtag: `#Été` → `été`, and `#cup½` → `cup` as in `cut_hashtag`; '' if that is no hashtag."""
    tag = unicodedata.normalize("NFKC", cut_hashtag(tag)).casefold()
    # Folding case can undo the normal form, so it is restored.
    tag = unicodedata.normalize("NFKC", tag)
    # Some characters end a hashtag only beside their neighbours, or make it longer.
    return tag[: _hashtag_length(tag, 0)]


def _hashtag_length(text: str, start: int) -> int:
    """Returns the length of the hashtag at `start`: Unicode categories L, M and N and '_', also in their normal form.

    0 if nothing is in category L, or if it is longer than `MAX_HASHTAG_LENGTH`.
    """
    end = start
    has_alphabetic = False
    while end < len(text) and end - start <= MAX_HASHTAG_LENGTH:
        character = text[end]
        kind = _hashtag_kind(character)
        if not kind or (kind == "M" and end == start):
            break
        has_alphabetic = has_alphabetic or kind == "L"
        end += 1
    while end > start and text[end - 1] in _HASHTAG_JOINERS:
        end -= 1
    return end - start if has_alphabetic and end - start <= MAX_HASHTAG_LENGTH else 0


def _hashtag_kind(character: str) -> str:
    """Returns "L" for a character that can make a hashtag, "M" for one that cannot begin it, "N" for others in one;
    '' for none."""
    if character in _HASHTAG_JOINERS:
        return "M"
    kind = "N" if character == "_" else unicodedata.category(character)[0]
    if kind not in "LMN" or character.isascii():
        return kind if kind in "LMN" else ""
    for part in unicodedata.normalize("NFKC", character):
        if part != "_" and part not in _HASHTAG_JOINERS and unicodedata.category(part)[0] not in "LMN":
            return ""
    return kind


_INLINE_TAGS = frozenset({"a", "span", "strong", "em", "b", "i", "u", "s", "del", "code"})
_DROPPED_TAGS = {
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "noscript",
    "template",
    "svg",
    "math",
    "title",
}
_ALLOWED_TAGS = html_blocks.KEPT_BLOCKS | _INLINE_TAGS | {"br"}


def _build_cleaner(tags: frozenset[str]) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(tags),
        clean_content_tags=_DROPPED_TAGS,
        attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
        allowed_classes={
            "a": {"mention", "hashtag", "u-url"},
            "span": {"mention", "h-card"},
        },
        link_rel="nofollow noopener noreferrer",
        url_schemes={"http", "https"},
        url_relative="deny",
        strip_comments=True,
    )


_CLEANER = _build_cleaner(_ALLOWED_TAGS)
_BLOCK_CLEANER = _build_cleaner(_ALLOWED_TAGS | html_blocks.PLACEHOLDERS)
_TAGS = re.compile(r"<[^<>]*>")
_ANCHOR = re.compile(r'(<a [^>]*?href="([^"]*)"[^>]*>)(.*?)</a>', re.DOTALL)
_LOOKS_LIKE_HOST = re.compile(
    r"\s*(?:https?://)?(?:[^\s/?#@]*@)?([\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,})(?![\w.-]*@)", re.I
)
_HREF_HOST = re.compile(r"https?://(?:[^/?#]*@)?([^/?#:]*)", re.IGNORECASE)


def sanitize_html(html: object) -> str:
    """Sanitizes the HTML of a remote server. Never raises: what cannot be cleaned gives ''.

    Paragraphs, lists, emphasis and links to https or http stay; other blocks leave a line break. Classes other than those of mentions and
    hashtags are removed, so that no text can imitate a part of the page or be hidden. A link whose text looks
    like another host than that of its URL gets the real host appended.
    """
    if not isinstance(html, str):
        return ""
    try:
        html = _CONTROL_CHARACTERS.sub("", line_breaks.normalize(html[:MAX_REMOTE_HTML_LENGTH]))
        if html.count("<") > MAX_REMOTE_HTML_TAGS:
            html = escape(unescape(_TAGS.sub(" ", html)), quote=False)
        html, has_other_blocks = html_blocks.mark_blocks(html)
        if has_other_blocks:
            html = html_blocks.break_lines(_BLOCK_CLEANER.clean(html))
        else:
            html = _CLEANER.clean(html)
        # What breaks a line may also be written as an entity.
        html = line_breaks.normalize(html)
        return _ANCHOR.sub(_append_real_host, html).strip()
    except Exception:
        # A sanitizer that fails must lose this text, not block the queue it came in.
        return ""


def _append_real_host(anchor: re.Match[str]) -> str:
    opening, href, content = anchor.groups()
    text = unescape(_TAGS.sub("", content))
    claimed, real = _LOOKS_LIKE_HOST.match(text), _HREF_HOST.match(unescape(href))
    if claimed is None or real is None:
        return anchor[0]
    host = real[1].lower().removeprefix("www.")
    if claimed[1].lower().removeprefix("www.") == host or text.endswith(f" ({host})"):
        return anchor[0]
    return f"{opening}{content} ({escape(host, quote=False)})</a>"


def html_to_text(html: str) -> str:
    """Returns the text of safe HTML, with its line breaks: for notifications, search and titles."""
    return html_blocks.to_text(html)
