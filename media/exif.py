"""Reads what a camera wrote into a file: a short, fixed list of Exif fields, never a serial number.

Fields and their names are of Exif 3.0 (CIPA DC-008); values are formatted as FEP-ee3a and its readers have them:
`f/2.2`, `1/200`, `85 mm`. Serial numbers, owners and maker notes are not read; the place only when its author has asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PIL import Image

from media.images import CAMERA_FIELDS, MAX_EXIF_VALUE_LENGTH

ORIENTATION = 0x0112
_EXIF_IFD, _GPS_IFD, _INTEROPERABILITY_IFD = 0x8769, 0x8825, 0xA005
_COLOUR_SPACE, _INTEROPERABILITY_INDEX = 0xA001, 1
_SRGB, _ADOBE_RGB = 1, 2


def _clean_text(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        return ""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())[
        :MAX_EXIF_VALUE_LENGTH
    ]


def _float(value: Any) -> float:
    """Returns the number that a field holds; 0 for anything else."""
    try:
        return float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return 0.0


def _number(value: Any) -> str:
    """Formats a number as `2.2`, with at most two places; empty for anything else."""
    if isinstance(value, tuple | list) and value:
        value = value[0]
    number = _float(value)
    return f"{number:.2f}".rstrip("0").rstrip(".") if 0 < number < 10_000_000 else ""


def _number_formatter(pattern: str) -> Callable[[Any], str]:
    def format_number(value: Any) -> str:
        number = _number(value)
        return pattern.format(number) if number else ""

    return format_number


def _seconds(value: Any) -> str:
    seconds = _float(value)
    if not 0.000_001 < seconds < 100_000:
        return ""
    return f"1/{round(1 / seconds)}" if seconds < 0.3 else _number(seconds)


_FIELDS: dict[str, tuple[int, Callable[[Any], str]]] = {
    "Make": (0x010F, _clean_text),
    "Model": (0x0110, _clean_text),
    "LensModel": (0xA434, _clean_text),
    "FocalLength": (0x920A, _number_formatter("{} mm")),
    "FocalLengthIn35mmFilm": (0xA405, _number_formatter("{}")),
    "FNumber": (0x829D, _number_formatter("f/{}")),
    "ExposureTime": (0x829A, _seconds),
    "PhotographicSensitivity": (0x8827, _number_formatter("{}")),
    "DateTime": (0x9003, _clean_text),  # when it was taken (DateTimeOriginal), not when it was last saved
}
assert tuple(_FIELDS) == CAMERA_FIELDS


def read_fields(image: Image.Image) -> list[tuple[str, str]]:
    """Returns (Exif field name, value) of each present `CAMERA_FIELDS`;
    nothing for a picture with broken Exif."""
    try:
        exif = image.getexif()
        tags = {**dict(exif), **dict(exif.get_ifd(_EXIF_IFD))}
    except Exception:  # Exif is untrusted, and a picture without it is still a picture
        return []
    return [(name, text) for name, (tag, to_text) in _FIELDS.items() if (text := to_text(tags.get(tag)))]


def read_place(exif: Image.Exif) -> tuple[float, float] | None:
    """Returns latitude and longitude in degrees; None without both, or for numbers that are no place."""
    try:
        fields = exif.get_ifd(_GPS_IFD)
        latitude = _degrees(fields.get(2), fields.get(1), "S")
        longitude = _degrees(fields.get(4), fields.get(3), "W")
    except Exception:  # Exif is untrusted
        return None
    # Cameras that have found no place write 0, 0.
    if abs(latitude) > 90 or abs(longitude) > 180 or (latitude, longitude) == (0, 0):
        return None
    return latitude, longitude


def _degrees(value: Any, side: Any, negative: str) -> float:
    """Returns degrees, minutes and seconds as one number. Raises ValueError for anything else."""
    numbers = [float(part) for part in value]
    if not 1 <= len(numbers) <= 3 or not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise ValueError(value)
    found = sum(number / unit for number, unit in zip(numbers, (1, 60, 3600), strict=False))
    return -found if _clean_text(side).upper().startswith(negative) else found


def is_adobe_rgb(image: Image.Image) -> bool:
    """Returns whether Exif says Adobe RGB.

    Cameras say it by the interoperability rule R03 (DCF 2.0), some by a colour space that Exif does not define.
    """
    try:
        exif = image.getexif()
        space = exif.get_ifd(_EXIF_IFD).get(_COLOUR_SPACE)
        rule = exif.get_ifd(_INTEROPERABILITY_IFD).get(_INTEROPERABILITY_INDEX, "")
    except Exception:  # Exif is untrusted, and a picture without it is still a picture
        return False
    return space == _ADOBE_RGB or (space != _SRGB and _clean_text(rule).startswith("R03"))
