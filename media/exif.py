"""Reads what a camera wrote into a file: a short, fixed list of Exif fields, never a place or a serial number.

Fields and their names are of Exif 3.0 (CIPA DC-008); values are formatted as FEP-ee3a and its readers have them:
`f/2.2`, `1/200`, `85 mm`. GPS, serial numbers, owners and maker notes are not read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image

from media.images import CAMERA_FIELDS, MAX_EXIF_VALUE_LENGTH

_EXIF_IFD = 0x8769


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
