"""What a camera wrote into a file about itself: a short, fixed list of Exif fields, never a place or a number.

Fields and their names are of Exif 3.0 (CIPA DC-008); values are spelt as FEP-ee3a and its readers have them:
`f/2.2`, `1/200`, `85 mm`. GPS, serial numbers, owners and notes of the maker are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image

from media.images import CAMERA, LONGEST_FACT

_EXIF_IFD = 0x8769


def _words(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        return ""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[
        :LONGEST_FACT
    ]


def _float(value: Any) -> float:
    """The number that a field holds; 0 for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return 0.0


def _number(value: Any) -> str:
    """`2.2`, at most two places; empty for what is none."""
    if isinstance(value, tuple | list) and value:
        value = value[0]
    number = _float(value)
    return f"{number:.2f}".rstrip("0").rstrip(".") if 0 < number < 10_000_000 else ""


def _with(pattern: str) -> Callable[[Any], str]:
    def spelt(value: Any) -> str:
        found = _number(value)
        return pattern.format(found) if found else ""

    return spelt


def _seconds(value: Any) -> str:
    seconds = _float(value)
    if not 0.000_001 < seconds < 100_000:
        return ""
    return f"1/{round(1 / seconds)}" if seconds < 0.3 else _number(seconds)


_FIELDS: dict[str, tuple[int, Callable[[Any], str]]] = {
    "Make": (0x010F, _words),
    "Model": (0x0110, _words),
    "LensModel": (0xA434, _words),
    "FocalLength": (0x920A, _with("{} mm")),
    "FocalLengthIn35mmFilm": (0xA405, _with("{}")),
    "FNumber": (0x829D, _with("f/{}")),
    "ExposureTime": (0x829A, _seconds),
    "PhotographicSensitivity": (0x8827, _with("{}")),
    "DateTime": (0x9003, _words),  # when it was taken (DateTimeOriginal), not when it was last saved
}
assert tuple(_FIELDS) == CAMERA


def facts(image: Image.Image) -> list[tuple[str, str]]:
    """(Exif field name, value) for what is there of `CAMERA`; nothing for a picture with broken Exif."""
    try:
        exif = image.getexif()
        tags = {**dict(exif), **dict(exif.get_ifd(_EXIF_IFD))}
    except Exception:  # Exif is hostile, and a picture without it is a picture still
        return []
    return [(name, said) for name, (tag, spell) in _FIELDS.items() if (said := spell(tags.get(tag)))]
