"""Parses what a post has besides text and pictures: files to link to, links, a poll, time and place of an event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from activitypub.vocab.attachments import parse_attachment, parse_place
from activitypub.vocab.values import (
    count,
    first,
    is_web_url,
    items,
    localized_text,
    media_type,
    objects,
    page_url,
    text,
    timestamp_ms,
    type_name,
    web_url,
)
from node.models.post_extras import (
    MAX_FILES,
    MAX_OPTION_LENGTH,
    MAX_OPTIONS,
    MAX_URL_LENGTH,
    Poll,
    PollOption,
    RemoteFile,
)

MAX_LINKS, MAX_LINK_TEXT_LENGTH, MAX_PLACES, MAX_COUNTED_OPTIONS = 10, 300, 5, 1000

_LINK_TYPES = frozenset({"Link", "Page", "Article", "Note", "Object", "WebPage"})
_PLAYED_TYPES = {"Video": "video", "Audio": "audio"}


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link in the attachments of a post; `title` may be ''."""

    url: str
    title: str


@dataclass(frozen=True, slots=True)
class EventDetails:
    """When and where something takes place. Times are milliseconds; `places` are lines of text, `urls` online places."""

    starts_at: int | None
    ends_at: int | None
    places: tuple[str, ...]
    urls: tuple[str, ...]


def parse_poll(doc: dict[str, Any]) -> Poll | None:
    """Parses the options of a Question, each title once; None without any. Of those beyond `MAX_OPTIONS` only number
    and votes are kept."""
    options: dict[str, PollOption] = {}
    for name in ("oneOf", "anyOf"):
        for item in objects(doc.get(name), MAX_COUNTED_OPTIONS):
            title = " ".join(localized_text(item, "name", MAX_OPTION_LENGTH).split())
            if title:
                options.setdefault(title, PollOption(title, _votes(item)))
    if not options:
        return None
    closed = first(doc.get("closed"))
    closed_at = timestamp_ms(closed)
    if closed is True:
        closed_at = timestamp_ms(doc.get("endTime")) or timestamp_ms(doc.get("updated")) or 1
    listed = tuple(options.values())
    return Poll(
        options=listed[:MAX_OPTIONS],
        is_multiple=bool(items(doc.get("anyOf"), 1)),
        ends_at=timestamp_ms(doc.get("endTime")),
        closed_at=closed_at,
        voters=count(doc.get("votersCount")),
        more_options=len(listed[MAX_OPTIONS:]),
        more_votes=sum(option.votes or 0 for option in listed[MAX_OPTIONS:]),
    )


def _votes(option: dict[str, Any]) -> int | None:
    for replies in objects(option.get("replies"), 1):
        return count(replies.get("totalItems"))
    return count(option.get("_misskey_votes"))


def parse_files(doc: dict[str, Any], type_: str) -> list[RemoteFile]:
    """Returns the attachments that are no pictures, and the recording that a Video or an Audio is itself."""
    found = [
        RemoteFile(
            kind=one.kind,
            url=one.url,
            alt=one.alt,
            mime=one.media_type,
            width=one.width or 0,
            height=one.height or 0,
            blurhash=one.blurhash or "",
        )
        for item in objects(doc.get("attachment"), 100)
        if (one := parse_attachment(item, files=True)) is not None and not one.is_image
    ]
    own = page_url(doc.get("url"))
    if not found and type_ in _PLAYED_TYPES and own is not None:
        found = [RemoteFile(kind=_PLAYED_TYPES[type_], url=own)]
    return [file for file in found if len(file.url) <= MAX_URL_LENGTH][:MAX_FILES]


def parse_links(doc: dict[str, Any]) -> list[PageLink]:
    """Returns the links to pages among the attachments, each once, at most 10."""
    found: dict[str, PageLink] = {}
    for item in items(doc.get("attachment"), 100):
        link = _link(item)
        if link is not None:
            found.setdefault(link.url, link)
    return list(found.values())[:MAX_LINKS]


def _link(item: Any) -> PageLink | None:
    if isinstance(item, str):
        return PageLink(item, "") if is_web_url(item) and len(item) <= MAX_URL_LENGTH else None
    if not isinstance(item, dict):
        return None
    name = type_name(item, _LINK_TYPES)
    type_ = media_type(item)
    if name not in _LINK_TYPES and not (name is None and "href" in item):
        return None
    if name in ("Link", None) and type_ and not type_.startswith(("text/", "application/")):
        return None
    url = web_url(item.get("href")) or page_url(item.get("url"))
    if url is None or len(url) > MAX_URL_LENGTH:
        return None
    title = localized_text(item, "name", MAX_LINK_TEXT_LENGTH) or localized_text(
        item, "summary", MAX_LINK_TEXT_LENGTH
    )
    return PageLink(url, " ".join(title.split()))


def parse_event(doc: dict[str, Any]) -> EventDetails:
    """Returns start, end and places of a post; empty where it has none."""
    places: list[str] = []
    urls: list[str] = []
    for item in items(doc.get("location"), MAX_PLACES):
        if isinstance(item, str):
            if is_web_url(item):
                urls.append(item)
            elif name := text(item, 300):
                places.append(name)
        elif isinstance(item, dict):
            if line := ", ".join(dict.fromkeys(_place_parts(item))):
                places.append(line)
            if type_name(item) == "VirtualLocation" and (url := web_url(item.get("url"))):
                urls.append(url)
    return EventDetails(
        timestamp_ms(doc.get("startTime")),
        timestamp_ms(doc.get("endTime")),
        tuple(dict.fromkeys(places)),
        tuple(dict.fromkeys(url for url in urls if len(url) <= MAX_URL_LENGTH)),
    )


def _place_parts(item: dict[str, Any]) -> Iterator[str]:
    """Yields the name of a place and the parts of its address."""
    if name := localized_text(item, "name", 300):
        yield name
    address = item.get("address")
    if isinstance(address, str) and (line := text(address, 300)):
        yield line
    for part in objects(address, 1):
        street, code = (text(part.get(key), 300) for key in ("streetAddress", "postalCode"))
        city = " ".join(filter(None, (code, text(part.get("addressLocality"), 300))))
        for line in (
            street,
            city,
            text(part.get("addressRegion"), 300),
            text(part.get("addressCountry"), 300),
        ):
            if line:
                yield line
    if not isinstance(address, dict) and (place := parse_place(item)) is not None and place.country:
        yield place.country
