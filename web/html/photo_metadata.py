"""Renders the metadata of photos on the page of their post: camera, time, place, licence; in its form, what was set for each.

Only what the author has chosen to share is stored as public metadata. Much of it comes from other servers, so every
value is cut short, stripped of characters that reorder text, and escaped; of a place only its name is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from node.attachments.photo_metadata import LICENCES
from node.attachments.photo_rows import Photo
from node.database import Reader
from node.models import places
from node.models.account import Account
from node.posts import tagged_people
from node.posts.tagged_people import TaggedPerson
from node.text import display_names
from web.html.helpers import profile_path
from web.i18n import formats
from web.i18n.translations import gettext as _
from web.i18n.translations import ngettext

MAX_VALUE_LENGTH = 120

_CC = re.compile(
    r"https?://creativecommons\.org/(?:licenses/([a-z-]{2,20})/([0-9.]{1,5})"
    r"|publicdomain/(zero|mark)/([0-9.]{1,5}))(?:/.*)?"
)
_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d)(?::\d\d)?.*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that was set in the details of a photo: which part it is, its icon ('' for none), and what is said."""

    part: str
    icon: str
    label: str


def render_metadata(photos: Sequence[Photo], people: Sequence[TaggedPerson] = ()) -> Markup:
    """Renders the metadata of a post's photos as a `<dl>`, and who is tagged in one; empty when there is none."""
    all_metadata = [photo.public_metadata for photo in photos]
    lines = []
    if people:
        names = "".join(f"<dd>{_profile_link(one.account)}</dd>" for one in people)
        lines.append(f"<dt>{escape(_('In this photo'))}</dt>{names}")
    for label, render in (
        (_("Camera"), _camera),
        (_("Taken"), _taken),
        (_("Location"), _place),
        (_("Licence"), _licence),
    ):
        values = _values([render(metadata) for metadata in all_metadata])
        if values:
            lines.append(
                f"<dt>{escape(label)}</dt>" + "".join(f"<dd><bdi>{value}</bdi></dd>" for value in values)
            )
    return Markup(f'<dl class="facts metadata">{"".join(lines)}</dl>' if lines else "")  # noqa: S704


def _profile_link(account: Account) -> str:
    return f'<a href="{escape(profile_path(account))}"><bdi>{escape(account.label)}</bdi></a>'


def _values(values: list[str]) -> list[str]:
    """Returns one value when it is the same for all photos; else one for each photo that has it, numbered."""
    if len(set(values)) <= 1:
        return [value for value in values[:1] if value]
    return [f"{number}: {value}" for number, value in enumerate(values, 1) if value]


def _clean(value: object) -> str:
    return display_names.clean_line(value, MAX_VALUE_LENGTH) if isinstance(value, str) else ""


def _exif_reader(metadata: dict[str, Any]) -> Callable[[str], str]:
    pairs = metadata.get("exif")
    values = {
        pair[0]: _clean(pair[1])
        for pair in (pairs if isinstance(pairs, list) else [])
        if isinstance(pair, list) and len(pair) == 2
    }
    return lambda name: values.get(name, "")


def camera_summary(photo: Photo) -> str:
    """Returns the camera's metadata of a photo as one line of plain text, for its owner."""
    metadata = {"exif": json.loads(photo.camera)}
    return " · ".join(part for part in (*_camera_parts(metadata), _taken(metadata)) if part)


def _camera(metadata: dict[str, Any]) -> str:
    return str(escape(" · ".join(_camera_parts(metadata))))


def _camera_parts(metadata: dict[str, Any]) -> list[str]:
    """Returns the known parts of `SONY ILCE-7M4 · Batis 1.8/85 · 85 mm · f/2.2 · 1/200 s · ISO 3200`."""
    value_of = _exif_reader(metadata)
    make, model, lens = value_of("Make"), value_of("Model"), value_of("LensModel")
    body = model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()
    parts = [
        body,
        lens,
        value_of("Film"),
        _with_unit(value_of("FocalLength"), "{} mm"),
        _with_unit(value_of("FNumber"), "f/{}"),
        _with_unit(_fraction(value_of("ExposureTime")), "{} s"),
        _with_unit(value_of("PhotographicSensitivity") or value_of("ISOSpeedRatings"), "ISO {}"),
    ]
    return [part for part in dict.fromkeys(parts) if part]


def _with_unit(value: str, pattern: str) -> str:
    """Adds the unit to a bare number; a value that has one stays as it is."""
    return pattern.format(value) if _NUMBER.fullmatch(value) or re.fullmatch(r"1/[0-9]+", value) else value


def _fraction(value: str) -> str:
    """Writes an exposure time as a fraction: `0.005` → `1/200`."""
    if not _NUMBER.fullmatch(value):
        return value
    seconds = float(value)
    return f"1/{round(1 / seconds)}" if 0 < seconds < 0.3 else value


def _taken(metadata: dict[str, Any]) -> str:
    value_of = _exif_reader(metadata)
    match = _TIME.fullmatch(value_of("DateTimeOriginal") or value_of("DateTime"))
    if match is None:
        return ""
    try:  # by the clock of the camera, wherever that was
        year, month, day, hour, minute = map(int, match.groups())
        return formats.format_moment(datetime(year, month, day, hour, minute))
    except ValueError:
        return ""


def _place(metadata: dict[str, Any]) -> str:
    place = metadata.get("place")
    if not isinstance(place, dict):
        return ""
    parts = [_clean(place.get("name")), _clean(place.get("country"))]
    return str(escape(", ".join(dict.fromkeys(part for part in parts if part))))


def _licence(metadata: dict[str, Any]) -> str:
    text = _clean(metadata.get("license"))
    if text in LICENCES:
        return _licence_link(LICENCES[text], text)
    if not text.startswith(("https://", "http://")):
        return str(escape(text))
    if match := _CC.fullmatch(text):
        kind, version, dedication, version_of_it = match.groups()
        name = f"CC {kind.upper()} {version}" if kind else "CC0 " + version_of_it
        if dedication == "mark":
            name = _("Public domain")
    else:
        try:
            name = urlsplit(text).hostname or ""
        except ValueError:
            name = ""
    return _licence_link(text, name) if name else ""


def _licence_link(url: str, name: str) -> str:
    return f'<a href="{escape(url)}" rel="license nofollow noopener noreferrer">{escape(name)}</a>'


def load_marks(tx: Reader, _account: Account, photos: Sequence[Photo]) -> dict[int, list[Mark]]:
    """Returns what was set for these photos, by id."""
    people = tagged_people.by_photos(tx, [one.id for one in photos])
    return {one.id: _marks(one, len(people.get(one.id, ()))) for one in photos}


def _marks(photo: Photo, people: int) -> list[Mark]:
    found = []
    if people:
        found.append(Mark("people", "people", ngettext("%(num)s person", "%(num)s people", people)))
    if place := places.load(photo.place):
        found.append(Mark("place", "place", place.label))
    if photo.focus_x or photo.focus_y:
        found.append(Mark("focus", "", _("Focal point")))
    return found
