"""Parses the media attachments of a post: alt text, size, focal point, place, Exif, licence.

An attachment that cannot be used is left out; the others and the post stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from activitypub.vocab.values import (
    decimal,
    document_id,
    first,
    is_web_url,
    items,
    localized_text,
    media_type,
    objects,
    pixel_length,
    text,
    type_name,
    uri,
    web_url,
)

MAX_ATTACHMENTS, MAX_ALT_LENGTH, MAX_EXIF_FIELDS, MAX_PEOPLE = 20, 10_000, 40, 20

_TYPES = frozenset({"Document", "Image", "Video", "Audio"})
_FILE_TYPES = frozenset({"Link", "File", "MediaObject", "ImageObject", "VideoObject", "AudioObject"})
_MENTION = frozenset({"Mention"})
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,80}")
_BASE83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
_BLURHASH = re.compile("[" + re.escape(_BASE83) + "]{6,164}")
_MEDIA_TYPE_BY_EXTENSION = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "heic": "image/heic",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
}
_LEGACY_EXIF = {
    "make": "Make",
    "model": "Model",
    "lens": "LensModel",
    "createDate": "DateTime",
    "focalLength": "FocalLength",
    "focalLenIn35mmFilm": "FocalLengthIn35mmFilm",
    "fNumber": "FNumber",
    "exposureTime": "ExposureTime",
    "photographicSensitivity": "PhotographicSensitivity",
    "software": "Software",
    "film": "Film",
    "flash": "Flash",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A named location. `country` is a name or a two-character code, as received; coordinates are in degrees."""

    name: str
    latitude: float | None
    longitude: float | None
    country: str
    geoname_id: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A parsed media attachment. `media_type` is `image/*` when only that much is known.

    `exif` holds (Exif field name, value) without any GPS field; `focus` is (x, y), each within -1..1; `width` and
    `height` are in pixels. `people` holds (actor, x, y) of those tagged in it: shares of its width and height.
    """

    url: str
    media_type: str
    alt: str
    width: int | None
    height: int | None
    blurhash: str | None
    focus: tuple[float, float] | None
    exif: tuple[tuple[str, str], ...]
    license: str
    place: Place | None
    people: tuple[tuple[str, float, float], ...] = ()

    @property
    def is_image(self) -> bool:
        return self.media_type.startswith("image/")

    @property
    def kind(self) -> str:
        """ "image", "video", "audio", or "file" for everything else."""
        name = self.media_type.partition("/")[0]
        return name if name in ("image", "video", "audio") else "file"


def parse_attachments(doc: dict[str, Any], type_: str) -> list[Attachment]:
    """Returns the images, videos and audio files of a post, at most 20.

    An Image object without attachments is its own attachment; other types fall back to their `image` or `icon`.
    """
    found = [media for item in objects(doc.get("attachment"), 100) if (media := parse_attachment(item))]
    if not found and type_ == "Image":
        found = [media for media in [parse_attachment({**doc, "attachment": None})] if media]
    if type_ != "Image" and not any(media.is_image for media in found):
        # The icon of a Note is that of its author or application.
        names = ("image",) if type_ == "Note" else ("image", "icon")
        pictures = (parse_image(item) for name in names for item in reversed(items(doc.get(name), 10)))
        found = [media for media in pictures if media and media.is_image][:1] + found
    return found[:MAX_ATTACHMENTS]


def parse_attachment(item: dict[str, Any], *, files: bool = False) -> Attachment | None:
    """Parses one attachment; None when it has no web address, or is not a media file unless `files` are wanted."""
    name = type_name(item, _TYPES)
    url, media_type = _file(item, name)
    is_media = media_type.startswith(("image/", "video/", "audio/"))
    if url is None or not (name in _TYPES or (is_media and _is_file(item, name))):
        return None
    if not media_type and name in ("Image", "Video", "Audio"):
        media_type = f"{name.lower()}/*"
    if not files and not media_type.startswith(("image/", "video/", "audio/")):
        return None
    return Attachment(
        url=url,
        media_type=media_type,
        alt=localized_text(item, "name", MAX_ALT_LENGTH) or localized_text(item, "summary", MAX_ALT_LENGTH),
        width=pixel_length(item.get("width")),
        height=pixel_length(item.get("height")),
        blurhash=_blurhash(item.get("blurhash")),
        focus=_focus(item.get("focalPoint")),
        exif=tuple(_exif(item)),
        license=parse_licence(item),
        place=parse_place(item.get("location")),
        people=tuple(_people(item)),
    )


def parse_image(value: Any) -> Attachment | None:
    """Parses an avatar or header image, given as an object, a link or a bare address."""
    if isinstance(value, str):
        return parse_attachment({"type": "Image", "url": value})
    if isinstance(value, dict):
        return parse_attachment({**value, "type": "Image"})
    return None


def parse_place(value: Any) -> Place | None:
    """Parses a `location`; None without a name. Coordinates out of range are dropped."""
    for item in objects(value, 1):
        address = item.get("address")
        country = item.get("addressCountry", item.get("country"))
        if country is None and isinstance(address, dict):
            country = address.get("addressCountry")
        name = text(item.get("name"), 500)
        if not name:
            return None
        latitude, longitude = (decimal(first(item.get(axis))) for axis in ("latitude", "longitude"))
        if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
            latitude = longitude = None
        geoname = item.get("geonameId")
        return Place(name, latitude, longitude, text(country, 200), text(str(geoname) if geoname else "", 40))
    return None


def _is_file(item: dict[str, Any], name: str | None) -> bool:
    """Returns whether an attachment with the address of a media file is that file, by its type or without one."""
    return name in _FILE_TYPES or (name is None and ("url" in item or bool(_media_type(item))))


def _file(item: dict[str, Any], name: str | None) -> tuple[str | None, str]:
    """Returns the address and media type; of several files the first image, or else the first file."""
    offers: list[tuple[str, str]] = []
    given = _media_type(item)
    for one in items(item.get("url", item.get("href")), 20):
        address = web_url(one)
        if address is not None:
            own = _media_type(one) if isinstance(one, dict) else ""
            offers.append((address, own or given or _guess_media_type(address)))
    if name == "Link" and not offers and (address := web_url(item.get("href"))):
        offers.append((address, given))
    wanted = ("image/",) if name == "Image" else ("image/", "video/", "audio/")
    best = next((offer for offer in offers if offer[1].startswith(wanted)), offers[0] if offers else None)
    if best is None:
        return None, ""
    return best


def _media_type(item: dict[str, Any]) -> str:
    found = media_type(item).partition(";")[0].strip().lower()
    found = "image/jpeg" if found == "image/jpg" else found
    return found if _MEDIA_TYPE.fullmatch(found) else ""


def _guess_media_type(address: str) -> str:
    return _MEDIA_TYPE_BY_EXTENSION.get(address.partition("?")[0].rpartition(".")[2].lower(), "")


def _blurhash(value: Any) -> str | None:
    value = first(value)
    if not isinstance(value, str) or not _BLURHASH.fullmatch(value):
        return None
    size = _BASE83.index(value[0])
    return value if len(value) == 4 + 2 * (size % 9 + 1) * (size // 9 + 1) else None


def _focus(value: Any) -> tuple[float, float] | None:
    numbers = [decimal(item) for item in items(value, 3)]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        return None
    x, y = numbers[0], numbers[1]
    return (x, y) if abs(x) <= 1 and abs(y) <= 1 else None


def _people(item: dict[str, Any]) -> Iterator[tuple[str, float, float]]:
    """Yields who is tagged in a picture: Mentions in its `tag`, each with the point where somebody is."""
    for tag in objects(item.get("tag"), MAX_PEOPLE):
        href, point = web_url(tag.get("href")), _focus(tag.get("focalPoint"))
        if type_name(tag, _MENTION) == "Mention" and href is not None and point is not None:
            yield href, (point[0] + 1) / 2, (1 - point[1]) / 2


def _exif(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    # A place comes from `location` only, never from GPS fields.
    found = 0
    for entry in objects(item.get("exifData"), 200):
        name, value = text(entry.get("name"), 100), _exif_value(entry.get("value"))
        if name and value and not name.startswith("GPS") and found < MAX_EXIF_FIELDS:
            found += 1
            yield name, value
    legacy = item.get("exif")
    if not found and isinstance(legacy, dict):
        for old, name in _LEGACY_EXIF.items():
            if value := _exif_value(legacy.get(old)):
                yield name, value


def _exif_value(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12:
        return f"{value:.10g}"
    return text(value, 500)


def parse_licence(item: dict[str, Any]) -> str:
    """Returns the licence of an object: a name or a web address, or ''."""
    for name in ("license", "schema:license", "dcterms:license", "licenseUrl"):
        for value in items(item.get(name), 1):
            if isinstance(value, dict):
                value = value.get("name") or document_id(value) or uri(value)
            if found := text(value, 300):
                return found if ":" not in found or is_web_url(found) else ""
    return ""
