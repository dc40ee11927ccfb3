"""What a photo says of itself on the page of its post: camera, time, place, licence.

Only what its author has shared is there to be shown. It came from a stranger as often as not, so every word
is cut short, cleared of what reorders text, and escaped; of a place only its name is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from node.attachments.photo_metadata import LICENCES
from node.attachments.photo_rows import Photo
from node.text import display_names
from web.i18n.translations import gettext as _

LONGEST = 120

_CC = re.compile(
    r"https?://creativecommons\.org/(?:licenses/([a-z-]{2,20})/([0-9.]{1,5})"
    r"|publicdomain/(zero|mark)/([0-9.]{1,5}))(?:/.*)?"
)
_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d)(?::\d\d)?.*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def shown(photos: Sequence[Photo]) -> Markup:
    """All facts of a post's photos as a list of terms; empty when there are none."""
    told = [photo.told for photo in photos]
    lines = []
    for label, line in (
        (_("Camera"), _camera),
        (_("Taken"), _taken),
        (_("Location"), _place),
        (_("Licence"), _licence),
    ):
        values = _values([line(extra) for extra in told])
        if values:
            lines.append(
                f"<dt>{escape(label)}</dt>" + "".join(f"<dd><bdi>{value}</bdi></dd>" for value in values)
            )
    return Markup(f'<dl class="facts told">{"".join(lines)}</dl>' if lines else "")  # noqa: S704


def _values(found: list[str]) -> list[str]:
    """One line when all photos say the same; else one for each that says something, numbered."""
    if len(set(found)) <= 1:
        return [value for value in found[:1] if value]
    return [f"{number}: {value}" for number, value in enumerate(found, 1) if value]


def _clean(value: object) -> str:
    return display_names.shown(value, LONGEST) if isinstance(value, str) else ""


def _exif(extra: dict[str, Any]) -> Callable[[str], str]:
    pairs = extra.get("exif")
    values = {
        pair[0]: _clean(pair[1])
        for pair in (pairs if isinstance(pairs, list) else [])
        if isinstance(pair, list) and len(pair) == 2
    }
    return lambda name: values.get(name, "")


def written(photo: Photo) -> str:
    """What the camera wrote into a photo, as one line of plain text for its owner."""
    extra = {"exif": json.loads(photo.camera)}
    return " · ".join(part for part in (*_parts(extra), _taken(extra)) if part)


def _camera(extra: dict[str, Any]) -> str:
    return str(escape(" · ".join(_parts(extra))))


def _parts(extra: dict[str, Any]) -> list[str]:
    """`SONY ILCE-7M4 · Batis 1.8/85 · 85 mm · f/2.2 · 1/200 s · ISO 3200`, as far as it is told."""
    fact = _exif(extra)
    make, model, lens = fact("Make"), fact("Model"), fact("LensModel")
    body = model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()
    parts = [
        body,
        lens,
        fact("Film"),
        _in_units(fact("FocalLength"), "{} mm"),
        _in_units(fact("FNumber"), "f/{}"),
        _in_units(_fraction(fact("ExposureTime")), "{} s"),
        _in_units(fact("PhotographicSensitivity") or fact("ISOSpeedRatings"), "ISO {}"),
    ]
    return [part for part in dict.fromkeys(parts) if part]


def _in_units(value: str, pattern: str) -> str:
    """A bare number gets its unit; what came with one stays."""
    return pattern.format(value) if _NUMBER.fullmatch(value) or re.fullmatch(r"1/[0-9]+", value) else value


def _fraction(value: str) -> str:
    """`0.005` → `1/200`."""
    if not _NUMBER.fullmatch(value):
        return value
    seconds = float(value)
    return f"1/{round(1 / seconds)}" if 0 < seconds < 0.3 else value


def _taken(extra: dict[str, Any]) -> str:
    fact = _exif(extra)
    match = _TIME.fullmatch(fact("DateTimeOriginal") or fact("DateTime"))
    return "{}-{}-{} {}:{}".format(*match.groups()) if match else ""


def _place(extra: dict[str, Any]) -> str:
    place = extra.get("place")
    if not isinstance(place, dict):
        return ""
    parts = [_clean(place.get("name")), _clean(place.get("country"))]
    return str(escape(", ".join(dict.fromkeys(part for part in parts if part))))


def _licence(extra: dict[str, Any]) -> str:
    said = _clean(extra.get("license"))
    if said in LICENCES:
        return _licence_link(LICENCES[said], said)
    if not said.startswith(("https://", "http://")):
        return str(escape(said))
    if match := _CC.fullmatch(said):
        kind, version, dedication, version_of_it = match.groups()
        name = f"CC {kind.upper()} {version}" if kind else "CC0 " + version_of_it
        if dedication == "mark":
            name = _("Public domain")
    else:
        try:
            name = urlsplit(said).hostname or ""
        except ValueError:
            name = ""
    return _licence_link(said, name) if name else ""


def _licence_link(address: str, name: str) -> str:
    return f'<a href="{escape(address)}" rel="license nofollow noopener noreferrer">{escape(name)}</a>'
