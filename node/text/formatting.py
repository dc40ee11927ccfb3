"""Words: what someone typed becomes safe HTML with mentions, hashtags and links; foreign HTML becomes safe HTML.

Pages and documents use what leaves this module as it is, so nothing else may make HTML out of words. Every
step takes time linear in the length of the text, whatever the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape

import nh3

MOST_FOREIGN_HTML = 100_000
# Thousands of open elements make an HTML parser slow in the square of their number.
MOST_FOREIGN_TAGS = 4_000
MOST_MENTIONS = 50
MOST_HASHTAGS = 50
LONGEST_TAG = 100
LONGEST_LINK_TEXT = 60

_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_MARK = re.compile(r"https?://|[@#＃]", re.IGNORECASE)
_URL_END = re.compile(r"[^\s<>\"`{}|\\^\u3000-\u303f\uff01-\uff0f]*")
_URL_HOST = re.compile(r"https?://(\[[0-9a-f:.]{2,45}\]|[\w.-]{1,253})(:\d{1,5})?(?=[/?#]|\Z)", re.IGNORECASE)
# Elsewhere names are written in any script, with marks; what is left out is blank or punctuation.
_IN_NAME = r"[^\s\x00-\x2a,/:-@\[-^`{-\xbf\u2000-\u206f\u3000-\u3004\u3008-\u3020\uff01-\uff0f]"
_HANDLE = re.compile(
    rf"@((?:(?![.+-]){_IN_NAME})(?:{_IN_NAME}{{0,2046}}(?:(?![.+-]){_IN_NAME}))?)"
    r"@([^\W_](?:[\w.-]{0,251}[^\W_])?(?::\d{1,5})?)(?![\w@])"
)
_NAME = re.compile(r"@([A-Za-z0-9_]{1,64})(?![\w@])")
_TAG_JOINERS = "\u00b7\u30fb\u200c\u200d"
_PARAGRAPHS = re.compile(r"\n{2,}")


@dataclass(frozen=True, slots=True)
class Token:
    """A part of typed text; `value` is the handle or the normal form of the hashtag."""

    kind: str  # 'text' | 'url' | 'mention' | 'hashtag'
    text: str
    value: str = ""


def clean_text(text: object, limit: int) -> str:
    """Plain words from anywhere: at most `limit` characters, without controls that no reader can see."""
    if not isinstance(text, str):
        return ""
    text = text[: limit * 2].replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_TEXT.sub("", text).strip()[:limit].rstrip()


def normal_tag(tag: str) -> str:
    """The name under which a hashtag is known: `#Été` → `été`; '' if that is no hashtag."""
    tag = unicodedata.normalize("NFKC", tag.strip().lstrip("#＃")).casefold()
    # Folding case can undo the normal form, so it is restored.
    tag = unicodedata.normalize("NFKC", tag)
    length = _tag_length(tag, 0)
    return tag if 0 < length == len(tag) <= LONGEST_TAG else ""


def mentions_in(text: str) -> list[str]:
    """The handles of people elsewhere (`name@domain`) that the words name, each once."""
    handles = (piece.value for piece in parse(text) if piece.kind == "mention" and "@" in piece.value)
    return list(dict.fromkeys(handles))[:MOST_MENTIONS]


def link(url: str) -> str:
    """The HTML of a link that someone typed, shortened for reading."""
    shown = url.split("://", 1)[1]
    if len(shown) > LONGEST_LINK_TEXT:
        # The host is always shown whole: a link may not hide where it leads.
        host = len(re.split(r"[/?#]", shown, maxsplit=1)[0])
        shown = shown[: max(LONGEST_LINK_TEXT, host)] + "…"
    rel = "nofollow noopener noreferrer"
    return f'<a href="{escape(url)}" rel="{rel}">{escape(shown, quote=False)}</a>'


def paragraphs(html: str) -> str:
    """Wraps HTML in <p>: a blank line separates paragraphs, a single line break becomes <br>."""
    blocks = (block.strip("\n") for block in _PARAGRAPHS.split(html.strip()))
    return "".join(f"<p>{block.replace(chr(10), '<br>')}</p>" for block in blocks if block)


def parse(text: str) -> Iterator[Token]:
    """The text cut into words, links, mentions and hashtags, in one pass from left to right."""
    plain = at = 0
    while (mark := _MARK.search(text, at)) is not None:
        start = mark.start()
        before = text[start - 1] if start else " "
        at = mark.end()
        piece = None
        if not (before.isalnum() or before in "_/&@#" or unicodedata.combining(before)):
            piece = _token(text, start, mark[0])
        if len(mark[0]) > 1:
            # Whatever became of it, a URL is passed over whole: its '@' and '#' are its own.
            at = _url_end(text, start)
        if piece is None:
            continue
        if plain < start:
            yield Token("text", text[plain:start])
        yield piece
        plain = at = start + len(piece.text)
    if plain < len(text):
        yield Token("text", text[plain:])


def _token(text: str, start: int, mark: str) -> Token | None:
    if mark == "@":
        if handle := _HANDLE.match(text, start):
            return Token("mention", handle[0], f"{handle[1]}@{handle[2].lower()}")
        if name := _NAME.match(text, start):
            return Token("mention", name[0], name[1])
        return None
    if mark in "#＃":
        length = _tag_length(text, start + 1)
        word = text[start : start + 1 + length]
        name_ = normal_tag(word) if 0 < length <= LONGEST_TAG else ""
        return Token("hashtag", word, name_) if name_ else None
    url = text[start : _url_end(text, start)]
    return Token("url", url) if _URL_HOST.match(url) else None


def _tag_length(text: str, start: int) -> int:
    """How many characters from `start` make a hashtag: letters, marks, digits, '_'; not digits alone."""
    end = start
    has_letter = False
    while end < len(text) and end - start <= LONGEST_TAG:
        character = text[end]
        category = unicodedata.category(character)
        if category[0] == "L":
            has_letter = True
        elif category[0] == "M" or character in _TAG_JOINERS:
            if end == start:
                break
        elif category[0] != "N" and character != "_":
            break
        end += 1
    while end > start and text[end - 1] in _TAG_JOINERS:
        end -= 1
    return end - start if has_letter else 0


def _url_end(text: str, start: int) -> int:
    """Where a URL ends: before the punctuation of the sentence, and before a bracket it did not open."""
    found = _URL_END.match(text, start)
    end = found.end() if found else start
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
_DROPPED_WHOLE = {
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
    clean_content_tags=_DROPPED_WHOLE,
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


def clean_html(html: object) -> str:
    """Safe HTML of what another server calls HTML. Never raises: what cannot be cleaned is dropped.

    Paragraphs, lists, emphasis and links to https or http stay; classes beyond those of mentions and
    hashtags go, so that no words can dress up as a part of the page or hide behind it. A link whose words
    look like another host than the one it leads to gets that host written behind them.
    """
    if not isinstance(html, str):
        return ""
    try:
        html = _NOT_TEXT.sub("", html[:MOST_FOREIGN_HTML])
        if html.count("<") > MOST_FOREIGN_TAGS:
            html = escape(unescape(_TAGS.sub(" ", html)), quote=False)
        return _ANCHOR.sub(_honest, _CLEANER.clean(html)).strip()
    except Exception:
        # A sanitiser that fails must cost these words, not the queue they came in.
        return ""


def _honest(anchor: re.Match[str]) -> str:
    opening, href, words = anchor.groups()
    text = unescape(_TAGS.sub("", words))
    claimed, real = _LOOKS_LIKE_HOST.match(text), _HREF_HOST.match(unescape(href))
    if claimed is None or real is None:
        return anchor[0]
    host = real[1].lower().removeprefix("www.")
    if claimed[1].lower().removeprefix("www.") == host or text.endswith(f" ({host})"):
        return anchor[0]
    return f"{opening}{words} ({escape(host, quote=False)})</a>"


_BREAKS = re.compile(r"<br\s*/?>|</li>|<li>", re.IGNORECASE)
_BLOCKS = re.compile(r"</(?:p|blockquote|pre|ul|ol)>", re.IGNORECASE)


def plain_text(html: str) -> str:
    """The words of safe HTML, with its line breaks: for notifications, search and titles."""
    text = _BLOCKS.sub("\n\n", _BREAKS.sub("\n", html))
    return re.sub(r"\n{3,}", "\n\n", unescape(_TAGS.sub("", text))).strip()
