"""Parses posts: every object type that other software uses for one, reduced to the properties this node uses.

Mostly Notes, but also Images, Pages, Articles, Videos, Events, Albums and polls.
Actors, activities and collections never are posts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from activitypub.uris import Malformed
from activitypub.vocab import activities, actors, collections
from activitypub.vocab.attachments import Attachment, Place, parse_attachments, parse_place
from activitypub.vocab.collections import CollectionCount, parse_collection_count
from activitypub.vocab.emoji import EmojiTag, parse_emoji
from activitypub.vocab.extras import EventDetails, PageLink, parse_event, parse_files, parse_links, parse_poll
from activitypub.vocab.values import (
    boolean,
    document_id,
    items,
    language_map,
    language_tag,
    localized_text,
    objects,
    page_url,
    recipients,
    text,
    timestamp_ms,
    type_name,
    uri,
    web_url,
)
from node.models.post_extras import Poll, RemoteFile
from node.text import formatting

MAX_CONTENT_LENGTH, MAX_SUMMARY_LENGTH, MAX_NAME_LENGTH, MAX_TAGS = 100_000, 20_480, 2048, 100
TYPES = frozenset(
    {"Note", "Image", "Page", "Article", "Video", "Audio", "Event", "Album", "Question", "ChatMessage"}
)
_QUOTE_PROPERTIES = ("quote", "quoteUrl", "quoteUri", "quoteURL", "_misskey_quote")
_NOT_POSTS = actors.TYPES | collections.TYPES | (activities.TYPES - TYPES) | {"Tombstone", "Story", "Link"}


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
    files: list[RemoteFile]
    links: list[PageLink]
    poll: Poll | None
    event: EventDetails
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
    if name not in TYPES and not media:
        raise Malformed("not a post, and without a picture")
    content, language = _content(doc)
    if language is None:
        language = _language_of_document(doc)
    capabilities = doc.get("capabilities")
    policy = doc.get("interactionPolicy")
    tags = list(objects(doc.get("tag"), 1000))
    return Note(
        id=own,
        url=None if name == "Image" and not doc.get("attachment") else page_url(doc.get("url")),
        type=name,
        actor=author,
        content=content,
        name=localized_text(doc, "name", MAX_NAME_LENGTH, language),
        summary=localized_text(doc, "summary", MAX_SUMMARY_LENGTH, language),
        sensitive=boolean(doc.get("sensitive")),
        language=language,
        in_reply_to=uri(doc.get("inReplyTo")),
        published_ms=timestamp_ms(doc.get("published")),
        updated_ms=timestamp_ms(doc.get("updated")),
        to=recipients(doc.get("to")),
        cc=recipients(doc.get("cc")),
        attachments=media,
        files=parse_files(doc, name),
        links=parse_links(doc),
        poll=parse_poll(doc),
        event=parse_event(doc),
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
    texts = language_map(doc.get("contentMap"))
    media_type = text(doc.get("mediaType"), 100).partition(";")[0].strip().lower()
    is_plain = media_type.startswith("text/") and media_type != "text/html"
    content = _joined_texts(doc.get("content"), "\n" if is_plain else "<br>")
    # Servers change one of the two on their way: the language is that of the same text, or else of the first.
    same = [tag for tag, other in texts.items() if text(other, MAX_CONTENT_LENGTH) == content]
    language = same[0] if same and content else next(iter(texts), None)
    if not content and language is not None:
        content = text(texts[language], MAX_CONTENT_LENGTH)
    if content and is_plain:
        content = formatting.text_to_html(content)
    if language is None:
        language = next(
            (tag for one in objects(doc.get("content"), 10) if (tag := language_tag(one.get("@language")))),
            None,
        )
    return content, _language(language)


def _joined_texts(value: Any, separator: str) -> str:
    """Returns the texts of a property, each once; of translations, which name their languages, the first."""
    if any("@language" in item for item in objects(value, 10)):
        return text(value, MAX_CONTENT_LENGTH)
    texts = dict.fromkeys(text(item, MAX_CONTENT_LENGTH) for item in items(value, 10))
    return separator.join(filter(None, texts))[:MAX_CONTENT_LENGTH]


def _language_of_document(doc: dict[str, Any]) -> str | None:
    """Returns the language that a document names for itself, for its title or for everything in it."""
    for value in (doc.get("language"), doc.get("inLanguage"), doc.get("schema:inLanguage")):
        if language := _language(language_tag(value)):
            return language
    for name in ("nameMap", "summaryMap"):
        if language := _language(next(iter(language_map(doc.get(name))), None)):
            return language
    for context in objects(doc.get("@context"), 20):
        if language := _language(language_tag(context.get("@language"))):
            return language
    return None


def _language(tag: str | None) -> str | None:
    return None if tag is None or tag.lower() == "und" else tag


def _hashtags(tags: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    found: dict[str, str | None] = {}
    for tag in tags:
        if type_name(tag) in ("Hashtag", "Category"):
            words = localized_text(tag, "name", 300).lstrip("#＃").split(maxsplit=1)
            if words:
                found.setdefault(words[0], web_url(tag.get("href")))
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
