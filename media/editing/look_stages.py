"""A look as an exact function of colours: its stages, one after the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from media.editing import curves, tools
from media.editing.colours import (
    LUMA,
    Array,
    colourful,
    decode,
    encode,
    from_oklab,
    gain,
    luma,
    skin_mask,
    smoothstep,
    to_oklab,
)
from media.editing.looks import CHANNELS, HUE_FAMILIES, Look

# The middle of each family in OKLab, in degrees. Between two of them their weights add up to 1.
_CENTRES = dict(zip(HUE_FAMILIES, (25, 55, 100, 140, 195, 255, 300, 345), strict=True))


def apply(rgb: Array, look: Look) -> Array:
    """Applies a look at full strength."""
    source = rgb
    rgb = tools.expose(rgb, look.exposure / 100, look.warmth / 100, look.tint / 100)
    if look.mono is not None:
        rgb = encode(decode(rgb) @ np.array(look.mono))[..., None] * np.ones(3)
    if look.hues:
        rgb = _shift_hues(rgb, look.hues)
    if look.tone:
        rgb = curves.apply_to_colours(rgb, curves.through(look.tone))
    rgb = tools.saturate(rgb, look.saturation / 100, look.vibrance / 100)
    for place, name in enumerate(CHANNELS):
        if points := getattr(look, name):
            changed = curves.through(points)(rgb[..., place : place + 1])
            rgb = np.concatenate([rgb[..., :place], changed, rgb[..., place + 1 :]], -1)
    rgb = _split_tone(rgb, look.split)
    rgb = tools.fade(rgb, look.fade / 100)
    if look.skin:
        rgb = _spare_skin(source, rgb, look.skin)
    return np.clip(rgb, 0, 1)


def _shift_hues(rgb: Array, shifts: Mapping[str, tuple[float, float, float]]) -> Array:
    """Turns, saturates and lightens each family of hues; greys stay."""
    lab = to_oklab(rgb)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360
    centres = list(_CENTRES.values())
    total = np.zeros((3, *hue.shape))
    for place, (name, centre) in enumerate(_CENTRES.items()):
        if name not in shifts:
            continue
        gap_before = (centre - centres[place - 1]) % 360
        gap_after = (centres[(place + 1) % len(centres)] - centre) % 360
        distance = hue - centre
        distance -= 360 * (distance > 180)
        distance += 360 * (distance < -180)
        weight = 1 - smoothstep(0, 1, np.where(distance < 0, -distance / gap_before, distance / gap_after))
        for sum_of_shifts, shift in zip(total, shifts[name], strict=True):
            sum_of_shifts += weight * shift
    total *= colourful(chroma, 0.03)
    turn, saturation, lightness = np.radians(total[0]), total[1], total[2]
    a, b = lab[..., 1] * (1 + saturation), lab[..., 2] * (1 + saturation)
    lift = 0.12 * lightness * np.minimum(chroma / 0.15, 1) * 4 * lab[..., 0] * (1 - lab[..., 0])
    turned = (a * np.cos(turn) - b * np.sin(turn), a * np.sin(turn) + b * np.cos(turn))
    return from_oklab(np.stack([lab[..., 0] + lift, *turned], -1))


def _split_tone(rgb: Array, split: Mapping[str, tuple[float, float]]) -> Array:
    """Tints shadows, midtones and highlights, each at its hue on the circle of RGB; black and white stay neutral."""
    if not split:
        return rgb
    y = luma(rgb)
    weight = {"shadows": (1 - y) ** 2, "midtones": 2 * y * (1 - y), "highlights": y * y}
    stops = np.zeros_like(rgb)
    for band, (hue, amount) in split.items():
        direction = np.cos(np.radians(hue - np.array([0, 120, 240])))
        stops = stops + 1.6 * amount * weight[band] * (direction - direction @ LUMA)
    return gain(rgb, 2.0**stops)


def _spare_skin(source: Array, rgb: Array, share: float) -> Array:
    """Gives skin a share of its own hue and colourfulness back; lightness is the look's."""
    before, after = to_oklab(source), to_oklab(rgb)
    part = share * skin_mask(before)
    own = before[..., 1:] * (after[..., :1] / np.maximum(before[..., :1], 0.05))
    after[..., 1:] += part * (own - after[..., 1:])
    return from_oklab(after)
