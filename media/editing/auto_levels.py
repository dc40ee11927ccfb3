"""Auto-level: finds the amounts of the tools that suit a picture.

They are ordinary numbers of a recipe, so what a recipe does never depends on the picture.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from media.editing import curves
from media.editing.colours import LUMA, Array, decode, smoothstep
from media.editing.recipes import Adjustments

MAX_SIDE = 256  # pixels of the copy that is looked at

_DARK = 0.02


def find(image: Image.Image) -> Adjustments:
    """Returns the amounts for an upright, cropped sRGB picture."""
    share = min(1.0, MAX_SIDE / max(image.size))
    if share < 1:
        size = max(1, round(image.width * share)), max(1, round(image.height * share))
        image = image.resize(size, Image.Resampling.BOX)
    return from_pixels(np.asarray(image.convert("RGB")).reshape(-1, 3) / 255)


def from_pixels(pixels: Array) -> Adjustments:
    """Returns the amounts for pixels of (count, 3)."""
    y = pixels @ LUMA
    high, low = pixels.max(-1), pixels.min(-1)
    black = _clamp(np.percentile(y, 0.5) - 0.01, 0, 0.16)
    white = _clamp(np.percentile(high, 99.5) + 0.02, 0.72, 1)
    levelled = curves.levels(black, white)(y)
    dark, middle, bright = (float(value) for value in np.percentile(levelled, [10, 50, 90]))
    day = float(smoothstep(0.25, 0.5, np.array(bright)))  # 0 for a picture that is meant to be dark
    colourfulness = float((1 - low / np.maximum(high, _DARK)).mean())
    warmth, tint = _white_balance(pixels, y, 1 - low / np.maximum(high, 1e-6))
    return Adjustments(
        levels=(round(black * day, 3), round(white, 3)),
        exposure=round(100 * _stops((middle + float(levelled.mean())) / 2) * (0.3 + 0.7 * day) / 2.2),
        shadows=round(_clamp(300 * (0.12 - dark), 0, 25) * day),
        highlights=-round(_clamp(250 * float((levelled > 0.95).mean()) - 5, 0, 30)),
        contrast=round(_clamp(70 * (0.55 - (bright - dark)), -8, 20) * day),
        # A black and white picture stays one.
        vibrance=round(_clamp(60 * (0.35 - colourfulness), 0, 15)) if colourfulness > _DARK else 0,
        warmth=warmth,
        tint=tint,
    )


def _stops(middle: float) -> float:
    """Returns a part of the way by which the middle of the picture is from a usual one, in linear light."""
    usual, found = decode(np.array(0.44)), decode(np.array(max(middle, _DARK)))
    return _clamp(0.45 * float(np.log2(usual / found)), -0.45, 0.7)


def _white_balance(pixels: Array, y: Array, saturation: Array) -> tuple[int, int]:
    """Returns warmth and tint that take 40 % of a cast away, so that sunsets stay; 0 without evidence of one."""
    is_usable = (y > 0.12) & (pixels.max(-1) < 0.97)
    grey = pixels[is_usable & (saturation < 0.2)]
    if len(grey) < 0.1 * len(pixels):  # without greys, the brightest part may show the light
        grey = pixels[is_usable & (saturation < 0.35) & (y > np.percentile(y, 90))]
    if len(grey) <= 0.03 * len(pixels):
        return 0, 0
    red, green, blue = (float(value) for value in np.log2(np.maximum(decode(grey), 1e-4)).mean(0))
    warmth = _clamp(-0.4 * (red - blue) / 1.3, -0.18, 0.18)
    tint = _clamp((-0.4 * ((red + blue) / 2 - green) + 0.15 * warmth) / 0.54, -0.1, 0.1)
    return round(100 * warmth), round(100 * tint)


def _clamp(value: float, low: float, high: float) -> float:
    return float(min(high, max(low, value)))
