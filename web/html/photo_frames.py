"""Decides in what frame a photo lies, and what is around it where it does not fill the frame.

In a stream no photo is taller than 4:5 or wider than 1.91:1, and all photos of an album share one frame, so that
nothing below an album moves while it turns. What is left of a frame is the hue of the photo's average colour at a
chroma that only just shows: the style sheet has twelve of them, since pages allow no styles in their HTML.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from node.attachments.photo_rows import Photo

TALLEST = 4 / 5
WIDEST = 1.91
PANORAMA = 2.2
"""From this ratio on, a photo is shown at the full height of its frame and moved sideways."""
FILLS_WITHIN = 0.08
"""A photo whose ratio differs from that of its frame by no more than this share is cropped to it."""
HUES = 12
DEFAULT_RATIO = 4 / 3

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
# Below this chroma a photo counts as grey.
_GREY = 0.004


def ratio_of(photo: Photo) -> float:
    """Returns width divided by height; that of most cameras where the size is unknown."""
    return photo.width / photo.height if photo.width and photo.height else DEFAULT_RATIO


def clamp(ratio: float) -> float:
    """Returns the ratio of the frame of a single photo in a stream."""
    return min(WIDEST, max(TALLEST, ratio))


def is_panorama(photo: Photo) -> bool:
    return ratio_of(photo) >= PANORAMA


def fills(photo: Photo, frame: float) -> bool:
    """Returns whether a photo is so near to a frame that it is cropped to it."""
    return _covered(ratio_of(photo), frame) >= 1 - FILLS_WITHIN


def album_ratio(photos: Sequence[Photo]) -> float:
    """Returns the ratio of the frame that all photos of an album share.

    It is that of one of them, within the limits: the one that leaves least of the frame empty. Of several that
    do, it is that of the first.
    """
    ratios = [ratio_of(photo) for photo in photos]
    return min((clamp(ratio) for ratio in ratios), key=lambda frame: round(_wasted(ratios, frame), 6))


def _wasted(ratios: Sequence[float], frame: float) -> float:
    covered = [_covered(ratio, frame) for ratio in ratios]
    return sum(0 if share >= 1 - FILLS_WITHIN else 1 - share for share in covered)


def _covered(ratio: float, frame: float) -> float:
    """Returns the share of a frame that a whole photo covers in it."""
    return min(ratio / frame, frame / ratio)


def surround_class(photo: Photo) -> str:
    """Returns the class of what is around a photo: `hue0` to `hue11`; '' for grey or unknown."""
    red, green, blue = _average_colour(photo.blurhash)
    a, b = _oklab_hue_plane(_linear(red), _linear(green), _linear(blue))
    if math.hypot(a, b) < _GREY:
        return ""
    return f"hue{round(math.atan2(b, a) / math.tau * HUES) % HUES}"


def _average_colour(blurhash: str) -> tuple[int, int, int]:
    """Returns the average colour of a photo, which its blurhash begins with; grey if there is none."""
    value = 0
    for digit in blurhash[2:6]:
        value = value * 83 + _DIGITS.find(digit)
    if len(blurhash) < 6 or not 0 <= value < 1 << 24 or any(digit not in _DIGITS for digit in blurhash[2:6]):
        return 0, 0, 0
    return value >> 16, value >> 8 & 255, value & 255


def _linear(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)


def _oklab_hue_plane(red: float, green: float, blue: float) -> tuple[float, float]:
    """Returns a and b of OKLab, whose angle is the hue: https://bottosson.github.io/posts/oklab/"""
    l = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)  # noqa: E741
    m = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    s = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    )
