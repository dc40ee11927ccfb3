"""The tools that change each pixel by itself, as exact functions of arrays of colours; amounts are −1…1."""

from __future__ import annotations

import numpy as np

from media.editing.colours import (
    LUMA,
    TINY,
    Array,
    colourful,
    decode,
    encode,
    gain,
    highest,
    lowest,
    luma,
    skin_mask,
    to_oklab,
)

_WARMTH_STOPS, _TINT_STOPS = np.array([0.5, 0.0, -0.8]), np.array([0.22, -0.32, 0.22])


def expose(rgb: Array, exposure: float, warmth: float, tint: float) -> Array:
    """Changes exposure and white balance: one gain for each channel in linear light, by which a grey stays as bright.

    Black and white stay where they are, save that less exposure also scales plainly by a part of the stops: the
    steep end of the gain alone would show bands in skies.
    """
    if not (exposure or warmth or tint):
        return rgb
    factor = 2.0 ** (_WARMTH_STOPS * warmth + _TINT_STOPS * tint)
    factor = factor / (factor @ LUMA) * 2.0 ** (exposure * (2.2 if exposure > 0 else 1.3))
    return encode(gain(decode(rgb), factor) * 2.0 ** (0.9 * min(exposure, 0)))


def saturate(rgb: Array, saturation: float, vibrance: float) -> Array:
    """Applies vibrance, then saturation.

    Less moves colours towards their own grey. More works like denser dye: the largest channel stays and the others
    sink, so nothing leaves the cube. Vibrance favours weak colours and moves skin half as much.
    """
    for amount, is_vibrance in ((vibrance, True), (saturation, False)):
        if amount:
            rgb = _saturate(rgb, amount, is_vibrance=is_vibrance)
    return rgb


def _saturate(rgb: Array, amount: float, *, is_vibrance: bool) -> Array:
    high, low = highest(rgb), lowest(rgb)
    saturation = np.clip(1 - low / np.maximum(high, TINY), 0, 1)
    strength = amount * np.ones_like(saturation)
    if amount > 0:
        strength = 1.6 * amount * colourful(high - low, 0.06)
    if is_vibrance:
        share = (1 - saturation) ** 1.5 * (1 - 0.55 * skin_mask(to_oklab(rgb)))
        strength = strength * (1.4 if amount > 0 else 1) * share
    if amount > 0:
        changed: Array = high - (high - rgb) * (1 + strength) / (1 + strength * saturation)
    else:
        changed = luma(rgb) + (rgb - luma(rgb)) * (1 + np.maximum(strength, -1))
    return changed


def fade(rgb: Array, amount: float) -> Array:
    """Fades to a matte print: black rises to 0.16, white sinks to 0.96, colours weaken by a fifth."""
    if not amount:
        return rgb
    rgb = rgb + amount * (0.16 * (1 - rgb) ** 2 - 0.04 * rgb**2)
    return saturate(rgb, -0.2 * amount, 0)
