"""Parses posts: every object type that other software uses for one, reduced to the properties this node uses.

Mostly Notes, but also Images, Pages, Articles, Videos, Events, Albums and polls.
Actors, activities and collections never are posts.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

from activitypub.uris import Malformed
from activitypub.vocab import activities, actors, collections
from activitypub.vocab.attachments import Attachment, Place, parse_attachments, parse_place
from activitypub.vocab.collections import CollectionCount, parse_collection_count
from activitypub.vocab.emoji import EmojiTag, parse_emoji
from activitypub.vocab.values import (
    boolean,
    document_id,
    items,
    objects,
    page_url,
    recipients,
    text,
    timestamp_ms,
    type_name,
    uri,
    web_url,
)

MAX_CONTENT_LENGTH, MAX_SUMMARY_LENGTH, MAX_NAME_LENGTH, MAX_TAGS = 100_000, 20_480, 2048, 100
TYPES = frozenset({"Note", "Image", "Page", "Article", "Video", "Event", "Album", "Question", "ChatMessage"})
_QUOTE_PROPERTIES = ("quote", "quoteUrl", "quoteUri", "quoteURL", "_misskey_quote")
_NOT_POSTS = actors.TYPES | collections.TYPES | (activities.TYPES - TYPES) | {"Tombstone", "Story", "Link"}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed post. `content` is unsanitised HTML, `name` and `summary` are plain text; times are in milliseconds.

    `hashtags` are (name without #, address), `mentions` (actor id, name as given).
    """

    id: str
    url: str | None
    type: str
    actor: str
    content: str
    name: str
    summary: str
    sensitive: bool
    language: str | None
    in_reply_to: str | None
    published_ms: int | None
    updated_ms: int | None
    to: list[str]
    cc: list[str]
    attachments: list[Attachment]
    hashtags: list[tuple[str, str | None]]
    mentions: list[tuple[str, str]]
    emoji: list[EmojiTag]
    place: Place | None
    replies: str | None
    likes: CollectionCount
    shares: CollectionCount
    comments_enabled: bool
    capabilities: dict[str, Any] | None
    interaction_policy: dict[str, Any] | None
    quote: str | None
    context: str | None
    raw: dict[str, Any] = field(repr=False)

    @property
    def is_vote(self) -> bool:
        """Whether this is a vote in a poll, which has the form of a comment and is never shown as one."""
        return bool(
            self.name
            and self.in_reply_to
            and not self.content
            and not self.attachments
            and self.type == "Note"
        )


def parse_note(doc: dict[str, Any]) -> Note:
    """Parses a post. Raises Malformed for other objects, and without an id or an author."""
    if not isinstance(doc, dict):
        raise Malformed("not a document")
    name = type_name(doc, TYPES)
    if name is None or name in _NOT_POSTS:
        raise Malformed("not a post")
    own, author = document_id(doc), _author(doc)
    if own is None or author is None:
        raise Malformed("a post without an id or an author")
    media = parse_attachments(doc, name)
    if name not in TYPES and not any(item.is_image for item in media):
        raise Malformed("not a post, and without a picture")
    content, language = _content(doc)
    capabilities = doc.get("capabilities")
    policy = doc.get("interactionPolicy")
    tags = list(objects(doc.get("tag"), 1000))
    return Note(
        id=own,
        url=None if name == "Image" and not doc.get("attachment") else page_url(doc.get("url")),
        type=name,
        actor=author,
        content=content,
        name=text(doc.get("name"), MAX_NAME_LENGTH),
        summary=text(doc.get("summary"), MAX_SUMMARY_LENGTH),
        sensitive=boolean(doc.get("sensitive")),
        language=language,
        in_reply_to=uri(doc.get("inReplyTo")),
        published_ms=timestamp_ms(doc.get("published")),
        updated_ms=timestamp_ms(doc.get("updated")),
        to=recipients(doc.get("to")),
        cc=recipients(doc.get("cc")),
        attachments=media,
        hashtags=_hashtags(tags),
        mentions=_mentions(tags),
        emoji=parse_emoji(tags),
        place=parse_place(doc.get("location")),
        replies=uri(doc.get("replies")),
        likes=parse_collection_count(doc.get("likes")),
        shares=parse_collection_count(doc.get("shares")),
        comments_enabled=boolean(doc.get("commentsEnabled"), True) and doc.get("capabilities.reply") != "[]",
        capabilities=capabilities if isinstance(capabilities, dict) else None,
        interaction_policy=policy if isinstance(policy, dict) else None,
        quote=_quote(doc, tags),
        context=uri(doc.get("context")) or uri(doc.get("conversation")),
        raw=doc,
    )


def _author(doc: dict[str, Any]) -> str | None:
    """Returns the author. Where a channel and a Person are named, as PeerTube does for videos, the Person."""
    value = doc.get("attributedTo", doc.get("actor"))
    for item in objects(value, 20):
        if type_name(item) == "Person" and (found := uri(item)):
            return found
    return uri(value)


def _content(doc: dict[str, Any]) -> tuple[str, str | None]:
    """Returns the content as HTML, and its language tag or None."""
    given = doc.get("contentMap")
    texts = {
        language: content
        for language, content in (list(given.items())[:50] if isinstance(given, dict) else [])
        if isinstance(content, str) and _LANGUAGE.fullmatch(language)
    }
    content = text(doc.get("content"), MAX_CONTENT_LENGTH)
    if not content and texts:
        language = next(iter(texts))
        return text(texts[language], MAX_CONTENT_LENGTH), _language(language)
    same = [language for language, other in texts.items() if text(other, MAX_CONTENT_LENGTH) == content]
    if str(doc.get("mediaType")) in ("text/plain", "text/markdown"):
        content = "<p>" + html.escape(content).replace("\n", "<br>") + "</p>" if content else ""
    if same:
        return content, _language(same[0])
    for context in objects(doc.get("@context"), 20):
        language = context.get("@language")
        if isinstance(language, str) and _LANGUAGE.fullmatch(language):
            return content, _language(language)
    return content, None


def _language(tag: str) -> str | None:
    return None if tag.lower() == "und" else tag


def _hashtags(tags: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    found: dict[str, str | None] = {}
    for tag in tags:
        if type_name(tag) in ("Hashtag", "Category"):
            name = text(tag.get("name"), 300).lstrip("#＃").strip()
            if name and not any(character.isspace() for character in name):
                found.setdefault(name, web_url(tag.get("href")))
    return list(found.items())[:MAX_TAGS]


def _mentions(tags: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for tag in tags:
        if type_name(tag) == "Mention" and (href := uri(tag.get("href"))):
            found.setdefault(href, text(tag.get("name"), 500))
    return list(found.items())[:MAX_TAGS]


def _quote(doc: dict[str, Any], tags: list[dict[str, Any]]) -> str | None:
    for name in _QUOTE_PROPERTIES:
        if found := uri(doc.get(name)):
            return found
    for tag in tags:
        if type_name(tag) == "Link" and any(
            "quote" in item for item in items(tag.get("rel"), 10) if isinstance(item, str)
        ):
            return uri(tag.get("href"))
    return None
