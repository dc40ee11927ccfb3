"""Colour spaces and the small functions that tools and looks are built from.

All of them take and return arrays of (…, 3) or (…, 1) values 0…1, in gamma sRGB unless a name says otherwise. Each maps
0…1 into 0…1, monotonically, and leaves greys grey: a kink at the grey axis would show as ripples once the table of
33 nodes a side is interpolated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LUMA = np.array([0.2126, 0.7152, 0.0722])
# OKLab, by Björn Ottosson: https://bottosson.github.io/posts/oklab/
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LMS, _FROM_LAB = np.linalg.inv(_TO_LMS), np.linalg.inv(_TO_LAB)
_TOE = 0.02
TINY = 1e-6


def decode(gamma: Array) -> Array:
    """Returns linear light, by the exact function of IEC 61966-2-1."""
    return np.where(gamma <= 0.04045, gamma / 12.92, ((np.maximum(gamma, 0.04045) + 0.055) / 1.055) ** 2.4)


def encode(linear: Array) -> Array:
    """Returns gamma sRGB of linear light."""
    return np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    )


def to_oklab(rgb: Array) -> Array:
    """Returns OKLab of gamma sRGB."""
    lab: Array = np.cbrt(decode(rgb) @ _TO_LMS.T) @ _TO_LAB.T
    return lab


def from_oklab(lab: Array) -> Array:
    """Returns gamma sRGB of OKLab, brought into the cube by `into_gamut`."""
    return into_gamut((lab @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T)


def into_gamut(linear: Array) -> Array:
    """Returns gamma sRGB of linear light that may lie outside 0…1.

    A channel far below the largest one follows an exponential toe instead of stopping at 0; what is too bright is
    scaled down and keeps its hue.
    """
    top = np.maximum(highest(linear), TINY)
    share = linear / top
    share = np.where(share < _TOE, _TOE * np.exp(np.minimum(share - _TOE, 0) / _TOE), share)
    return encode(share * np.minimum(top, 1))


def highest(rgb: Array) -> Array:
    """Returns the largest channel as (…, 1): much faster than `max`, since there are but three."""
    return np.maximum(np.maximum(rgb[..., 0:1], rgb[..., 1:2]), rgb[..., 2:3])


def lowest(rgb: Array) -> Array:
    """Returns the smallest channel as (…, 1)."""
    return np.minimum(np.minimum(rgb[..., 0:1], rgb[..., 1:2]), rgb[..., 2:3])


def luma(rgb: Array) -> Array:
    """Returns the brightness as (…, 1)."""
    brightness: Array = (rgb @ LUMA)[..., None]
    return brightness


def gain(value: Array, factor: Array) -> Array:
    """Multiplies by `factor` at black and leaves 0 and 1 where they are; its inverse is the gain of 1 / factor."""
    return value * factor / (1 + (factor - 1) * value)


def smoothstep(low: float, high: float, value: Array) -> Array:
    """Rises from 0 at `low` to 1 at `high`, flat at both."""
    part = np.clip((value - low) / (high - low), 0, 1)
    return part * part * (3 - 2 * part)


def colourful(chroma: Array, half: float) -> Array:
    """Rises from 0 at grey, flat there, by way of one half at `half` towards 1."""
    return chroma * chroma / (chroma * chroma + half * half)


def skin_mask(lab: Array) -> Array:
    """Returns 1 inside the family of human skin colours, of any lightness, and falls smoothly to 0 around it."""
    hue = np.degrees(np.arctan2(lab[..., 2:3], lab[..., 1:2]))
    chroma = np.hypot(lab[..., 1:2], lab[..., 2:3])
    return (
        smoothstep(15, 38, hue)
        * (1 - smoothstep(75, 105, hue))
        * smoothstep(0.008, 0.028, chroma)
        * (1 - smoothstep(0.13, 0.19, chroma))
    )
