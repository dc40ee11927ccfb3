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

MAX_REMOTE_HTML_LENGTH = 100_000
# Thousands of open elements make an HTML parser slow in the square of their number.
MAX_REMOTE_HTML_TAGS = 4_000
MAX_MENTIONS = 50
MAX_HASHTAGS = 50
MAX_HASHTAG_LENGTH = 100
MAX_LINK_TEXT_LENGTH = 60

_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_TOKEN_START = re.compile(r"https?://|[@#＃]", re.IGNORECASE)
_URL_END = re.compile(r"[^\s<>\"`{}|\\^\u3000-\u303f\uff01-\uff0f]*")
_URL_HOST = re.compile(r"https?://(\[[0-9a-f:.]{2,45}\]|[\w.-]{1,253})(:\d{1,5})?(?=[/?#]|\Z)", re.IGNORECASE)
# Remote usernames may be in any script, with marks; blanks and punctuation are excluded.
_IN_NAME = r"[^\s\x00-\x2a,/:-@\[-^`{-\xbf\u2000-\u206f\u3000-\u3004\u3008-\u3020\uff01-\uff0f]"
_HANDLE = re.compile(
    rf"@((?:(?![.+-]){_IN_NAME})(?:{_IN_NAME}{{0,2046}}(?:(?![.+-]){_IN_NAME}))?)"
    r"@([^\W_](?:[\w.-]{0,251}[^\W_])?(?::\d{1,5})?)(?![\w@])"
)
_NAME = re.compile(r"@([A-Za-z0-9_]{1,64})(?![\w@])")
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
    text = text[: limit * 2].replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL_CHARACTERS.sub("", text).strip()[:limit].rstrip()


def normalize_hashtag(tag: str) -> str:
    """Normalizes a hashtag: `#Été` → `été`; '' if that is no hashtag."""
    tag = unicodedata.normalize("NFKC", tag.strip().lstrip("#＃")).casefold()
    # Folding case can undo the normal form, so it is restored.
    tag = unicodedata.normalize("NFKC", tag)
    length = _hashtag_length(tag, 0)
    return tag if 0 < length == len(tag) <= MAX_HASHTAG_LENGTH else ""


def remote_handles(text: str) -> list[str]:
    """Returns the handles with a domain (`name@domain`) that the text mentions, each once."""
    handles = (token.value for token in tokens(text) if token.kind == "mention" and "@" in token.value)
    return list(dict.fromkeys(handles))[:MAX_MENTIONS]


def link(url: str) -> str:
    """Renders a typed URL as a link whose text is shortened."""
    shown = url.split("://", 1)[1]
    if len(shown) > MAX_LINK_TEXT_LENGTH:
        # The host is always shown whole: a link may not hide where it leads.
        host = len(re.split(r"[/?#]", shown, maxsplit=1)[0])
        shown = shown[: max(MAX_LINK_TEXT_LENGTH, host)] + "…"
    rel = "nofollow noopener noreferrer"
    return f'<a href="{escape(url)}" rel="{rel}">{escape(shown, quote=False)}</a>'


def paragraphs(html: str) -> str:
    """Wraps HTML in <p>: a blank line separates paragraphs, a single line break becomes <br>."""
    blocks = (block.strip("\n") for block in _PARAGRAPHS.split(html.strip()))
    return "".join(f"<p>{block.replace(chr(10), '<br>')}</p>" for block in blocks if block)


def tokens(text: str) -> Iterator[Token]:
    """Cuts text into plain text, links, mentions and hashtags, in one pass from left to right."""
    plain = at = 0
    while (mark := _TOKEN_START.search(text, at)) is not None:
        start = mark.start()
        before = text[start - 1] if start else " "
        at = mark.end()
        token = None
        if not (before.isalnum() or before in "_/&@#" or unicodedata.combining(before)):
            token = _token_at(text, start, mark[0])
        if len(mark[0]) > 1:
            # Whatever became of it, a URL is passed over whole: its '@' and '#' are its own.
            at = _url_end(text, start)
        if token is None:
            continue
        if plain < start:
            yield Token("text", text[plain:start])
        yield token
        plain = at = start + len(token.text)
    if plain < len(text):
        yield Token("text", text[plain:])


def _token_at(text: str, start: int, mark: str) -> Token | None:
    if mark == "@":
        if handle := _HANDLE.match(text, start):
            return Token("mention", handle[0], f"{handle[1]}@{handle[2].lower()}")
        if name := _NAME.match(text, start):
            return Token("mention", name[0], name[1])
        return None
    if mark in "#＃":
        length = _hashtag_length(text, start + 1)
        written = text[start : start + 1 + length]
        hashtag = normalize_hashtag(written) if 0 < length <= MAX_HASHTAG_LENGTH else ""
        return Token("hashtag", written, hashtag) if hashtag else None
    url = text[start : _url_end(text, start)]
    return Token("url", url) if _URL_HOST.match(url) else None


def _hashtag_length(text: str, start: int) -> int:
    """Returns the length of the hashtag at `start`: Unicode categories L, M and N and '_';
    0 if nothing is in category L."""
    end = start
    has_alphabetic = False
    while end < len(text) and end - start <= MAX_HASHTAG_LENGTH:
        character = text[end]
        category = unicodedata.category(character)
        if category[0] == "L":
            has_alphabetic = True
        elif category[0] == "M" or character in _HASHTAG_JOINERS:
            if end == start:
                break
        elif category[0] != "N" and character != "_":
            break
        end += 1
    while end > start and text[end - 1] in _HASHTAG_JOINERS:
        end -= 1
    return end - start if has_alphabetic else 0


def _url_end(text: str, start: int) -> int:
    """Returns the end of the URL at `start`: before trailing punctuation,
    and before a bracket it did not open."""
    match = _URL_END.match(text, start)
    end = match.end() if match else start
    opened, closed = text.count("(", start, end), text.count(")", start, end)
    while end > start:
        last = text[end - 1]
        if last == ")" and closed > opened:
            closed -= 1
        elif last not in ".,;:!?'\"…*~_":
            break
        end -= 1
    return end


_BLOCK_TAGS = {"p", "br", "pre", "blockquote", "ul", "ol", "li"}
_INLINE_TAGS = {"a", "span", "strong", "em", "b", "i", "u", "s", "del", "code"}
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
_CLEANER = nh3.Cleaner(
    tags=_BLOCK_TAGS | _INLINE_TAGS,
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
_TAGS = re.compile(r"<[^<>]*>")
_ANCHOR = re.compile(r'(<a [^>]*?href="([^"]*)"[^>]*>)(.*?)</a>', re.DOTALL)
_LOOKS_LIKE_HOST = re.compile(
    r"\s*(?:https?://)?(?:[^\s/?#@]*@)?([\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,})(?![\w.-]*@)", re.I
)
_HREF_HOST = re.compile(r"https?://(?:[^/?#]*@)?([^/?#:]*)", re.IGNORECASE)


def sanitize_html(html: object) -> str:
    """Sanitizes the HTML of a remote server. Never raises: what cannot be cleaned gives ''.

    Paragraphs, lists, emphasis and links to https or http stay. Classes other than those of mentions and
    hashtags are removed, so that no text can imitate a part of the page or be hidden. A link whose text looks
    like another host than that of its URL gets the real host appended.
    """
    if not isinstance(html, str):
        return ""
    try:
        html = _CONTROL_CHARACTERS.sub("", html[:MAX_REMOTE_HTML_LENGTH])
        if html.count("<") > MAX_REMOTE_HTML_TAGS:
            html = escape(unescape(_TAGS.sub(" ", html)), quote=False)
        return _ANCHOR.sub(_append_real_host, _CLEANER.clean(html)).strip()
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


_BREAKS = re.compile(r"<br\s*/?>|</li>|<li>", re.IGNORECASE)
_BLOCKS = re.compile(r"</(?:p|blockquote|pre|ul|ol)>", re.IGNORECASE)


def html_to_text(html: str) -> str:
    """Returns the text of safe HTML, with its line breaks: for notifications, search and titles."""
    text = _BLOCKS.sub("\n\n", _BREAKS.sub("\n", html))
    return re.sub(r"\n{3,}", "\n\n", unescape(_TAGS.sub("", text))).strip()
