"""Reads one JSON-LD property, in whatever form it arrived, as one plain value or None.

Every parser of `vocab` is built from these functions; none of them ever raises.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from activitypub.uris import Malformed, fits_index, normalize_host, parse_uri
from node.text import line_breaks

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
AS_PREFIX = "https://www.w3.org/ns/activitystreams#"
MAX_COUNT = 1_000_000_000
MAX_RECIPIENTS = 500

_PUBLIC_NAMES = {PUBLIC, "as:Public", "Public"}
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f]+")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    # With an offset, a "Z" behind it is ignored: some servers write both.
    r"\s?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2})?[Zz]?)?"
)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,10}(?:[.,][0-9]{1,20})?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,4}")
# Control characters other than tab and line breaks, and those that reverse the reading direction.
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to an object: its uri, the embedded document, or both."""

    uri: str | None = None
    doc: dict[str, Any] | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return self.uri is not None or self.doc is not None


def items(value: Any, limit: int = 100) -> list[Any]:
    """Returns the members of a list, a JSON-LD `@list` or `@set`,
    or a single value as a list; null is dropped."""
    if value is None:
        return []
    if isinstance(value, list):
        return [item for item in value[:limit] if item is not None]
    if isinstance(value, dict) and isinstance(value.get("@list", value.get("@set")), list):
        return items(value.get("@list", value.get("@set")), limit)
    return [value]


def first(value: Any) -> Any:
    """Returns the value itself, or the first of a list; None when there is none."""
    if isinstance(value, list | dict):
        return next(iter(items(value, 20)), None)
    return value


def objects(value: Any, limit: int = 100) -> Iterator[dict[str, Any]]:
    """Yields the JSON objects among `items`."""
    return (item for item in items(value, limit) if isinstance(item, dict))


def text(value: Any, max_length: int) -> str:
    """Returns plain text, cut to `max_length` characters; "" when there is none."""
    for item in items(value, 10):
        if isinstance(item, dict):
            item = item.get("@value")
        if isinstance(item, str):
            return _INVISIBLE.sub("", line_breaks.normalize(item[:max_length])).strip()
    return ""


def localized_text(document: dict[str, Any], name: str, max_length: int, language: str | None = None) -> str:
    """Returns the plain text of a property or, without one, of its map: in this language, or else the first."""
    if found := text(document.get(name), max_length):
        return found
    texts = language_map(document.get(f"{name}Map"))
    chosen = texts.get(language or "") or next(iter(texts.values()), "")
    return text(chosen, max_length)


def language_map(value: Any) -> dict[str, str]:
    """Returns the texts of a `contentMap` and the like by normalized language tag, without those that are empty."""
    found: dict[str, str] = {}
    for one in objects(value, 1):
        for tag, item in list(one.items())[:50]:
            language = language_tag(tag)
            if language is not None and isinstance(item, str) and item.strip():
                found.setdefault(language, item)
    return found


def language_tag(value: Any) -> str | None:
    """Returns the language tag that a value is or names (`identifier` of a language object); None without one.

    "und", which is no language, stays as it is.
    """
    for item in items(value, 10):
        names = [item]
        if isinstance(item, dict):
            keys = ("identifier", "@value", "@language", "alternateName", "code", "name")
            names = [item.get(key) for key in keys]
        for name in names:
            if isinstance(name, str) and _LANGUAGE.fullmatch(name.strip()):
                return name.strip().replace("_", "-")
    return None


def uri(value: Any) -> str | None:
    """Returns the URI that a value is or names, of any scheme, with a normalized host; None without one."""
    for item in items(value, 20):
        if isinstance(item, dict):
            item = _address(item)
        if isinstance(item, str) and fits_index(item) and _URI.fullmatch(item):
            return normalize_host(item)
    return None


def uris(value: Any, limit: int) -> list[str]:
    """Returns the URIs in a value, each once, in order."""
    found = (uri(item) for item in items(value, limit))
    return list(dict.fromkeys(item for item in found if item is not None))


def web_url(value: Any) -> str | None:
    """Returns the first http(s) URL in a value."""
    for item in items(value, 20):
        found = uri(item)
        if found is not None and is_web_url(found):
            return found
    return None


def is_web_url(address: object) -> bool:
    """Returns whether this is a well-formed http(s) URL."""
    try:
        parse_uri(address)
    except Malformed:
        return False
    return True


def media_type(document: dict[str, Any]) -> str:
    """Returns the media type of a link or a file as it is written; older software calls it `mimeType`."""
    return text(document.get("mediaType"), 200) or text(document.get("mimeType"), 200)


def page_url(value: Any) -> str | None:
    """Returns the URL of the HTML page: of several links the one of type text/html,
    or else the first web URL."""
    for item in objects(value, 20):
        if media_type(item).startswith("text/html") and (found := web_url(item)):
            return found
    return web_url(value)


def recipients(value: Any) -> list[str]:
    """Returns the URIs in `to` or `cc`, at most 500;
    every name of the public collection becomes PUBLIC and is never cut off."""
    members = items(value, 10_000)
    named = [PUBLIC if _name(item) in _PUBLIC_NAMES else uri(item) for item in members]
    found = list(dict.fromkeys(item for item in named if item is not None))
    if PUBLIC in found[MAX_RECIPIENTS:]:
        found.insert(0, PUBLIC)
    return found[:MAX_RECIPIENTS]


def _name(item: Any) -> str | None:
    name = item.get("id", item.get("@id")) if isinstance(item, dict) else item
    return name if isinstance(name, str) else None


def ref(value: Any) -> Ref:
    """Returns the first reference in a value; empty without one."""
    for item in items(value, 20):
        if isinstance(item, dict):
            return Ref(_id(item), item)
        if (found := uri(item)) is not None:
            return Ref(found)
    return Ref()


def refs(value: Any, limit: int) -> list[Ref]:
    """Returns the references in a value, in order."""
    return [found for item in items(value, limit) if (found := ref(item))]


def document_id(document: dict[str, Any]) -> str | None:
    """Returns the document's own id, which must be a string."""
    return _id(document)


def type_name(document: dict[str, Any], known: frozenset[str] = frozenset()) -> str | None:
    """Returns the short name of the type; of several the first in `known`, or else the first."""
    value = document.get("type", document.get("@type"))
    names = [
        item.removeprefix(AS_PREFIX).removeprefix("as:")
        for item in items(value, 10)
        if isinstance(item, str) and 0 < len(item) <= 256
    ]
    return next((name for name in names if name in known), names[0] if names else None)


def boolean(value: Any, default: bool = False) -> bool:
    """Returns a boolean, also as the text "true" or "false" or as a typed value; `default` for anything else."""
    for item in items(value, 1):
        found = item.get("@value") if isinstance(item, dict) else item
        if isinstance(found, str):
            found = {"true": True, "false": False}.get(found.strip().lower())
        if isinstance(found, bool):
            return found
    return default


def count(value: Any) -> int | None:
    """Returns a count from 0 to 1,000,000,000; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        return None
    return value


def pixel_length(value: Any) -> int | None:
    """Returns a length in pixels: a whole number from 1 to 65,535,
    also as text or with a zero fraction; None otherwise."""
    found = decimal(first(value))
    return int(found) if found is not None and 1 <= found <= 65_535 and found == int(found) else None


def decimal(value: Any) -> float | None:
    """Returns a finite number, also as text with a point or a comma; None otherwise."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        return float(value.strip().replace(",", "."))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def timestamp_ms(value: Any) -> int | None:
    """Returns the Unix time in milliseconds of an ISO 8601 time (UTC if no offset);
    None when malformed or before 1970."""
    found = next((_DATE.fullmatch(item.strip()) for item in items(value, 1) if isinstance(item, str)), None)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, off_hours, off_minutes = found.groups()
    try:
        offset = timedelta(hours=int(off_hours or 0), minutes=int(off_minutes or 0))
        zone = UTC if not offset else timezone(-offset if sign == "-" else offset)
        micro = int((fraction or "0").ljust(6, "0")[:6])
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), min(int(second or 0), 59), micro, zone
        )
        found_ms = (moment - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None
    return found_ms if found_ms >= 0 else None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def _id(document: dict[str, Any]) -> str | None:
    value = document.get("id", document.get("@id"))
    if not isinstance(value, str) or not fits_index(value) or not _URI.fullmatch(value):
        return None
    return normalize_host(value)


def _address(document: dict[str, Any]) -> str | None:
    if (found := _id(document)) is not None:
        return found
    for name in ("href", "url", "@value"):
        value = document.get(name)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, dict):
            value = value.get("href")
        if isinstance(value, str):
            return value
    return None
