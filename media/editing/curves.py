"""Curves: functions of one value 0…1 that never fall, and how one is applied to a colour without turning its hue."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from media.editing.colours import TINY, Array, colourful, highest, lowest
from media.editing.looks import Points
from media.editing.recipes import Adjustments

Curve = Callable[[Array], Array]

# The share of its ratio to the largest channel that the smallest one keeps.
_KEPT_RATIO = 0.8


def levels(black: float, white: float) -> Curve:
    """Stretches black…white to 0…1, with parabolas at the ends: nothing is cut off."""
    span, top = white - black, 1 - white

    def curve(value: Array) -> Array:
        out = (value - black) / span
        if black > 0:
            out = np.where(value < 2 * black, value * value / (4 * black * span), out)
        if top > 0:
            out = np.where(value > 1 - 2 * top, 1 - (1 - value) ** 2 / (4 * top * span), out)
        return out

    return curve


def contrast(value: Array, amount: float) -> Array:
    """Steepens around one half by a logistic function, or flattens by its exact inverse; 0 and 1 stay."""
    steepness = 5.6 * abs(amount)
    if steepness < TINY:
        return value
    low = 1 / (1 + math.exp(steepness / 2))
    if amount > 0:
        return (1 / (1 + np.exp(-steepness * (value - 0.5))) - low) / (1 - 2 * low)
    part = low + value * (1 - 2 * low)
    return 0.5 + np.log(part / (1 - part)) / steepness


def tone(adjust: Adjustments) -> Curve:
    """Returns levels, blacks, shadows, highlights, whites and contrast as one curve from 0 to 1."""
    # Towards an end the slope there has to stay above 0; away from it there is room for more.
    blacks = _scaled(adjust.blacks, up=1.6, down=0.9)
    shadows = _scaled(adjust.shadows, up=1.9, down=0.9)
    highlights = _scaled(adjust.highlights, up=0.9, down=1.5)
    whites = _scaled(adjust.whites, up=0.9, down=1.6)
    stretch = levels(*adjust.levels)

    def curve(value: Array) -> Array:
        value = stretch(value)
        value = value + blacks * value * (1 - value) ** 6
        value = value + shadows * value * (1 - value) ** 3
        value = value + highlights * (1 - value) * value**3
        value = value + whites * (1 - value) * value**6
        return contrast(value, adjust.contrast / 100)

    return curve


def changes_tone(adjust: Adjustments) -> bool:
    """Returns whether `tone` is more than the straight line."""
    amounts = (adjust.blacks, adjust.shadows, adjust.highlights, adjust.whites, adjust.contrast)
    return any(amounts) or adjust.levels != (0.0, 1.0)


def _scaled(amount: int, *, up: float, down: float) -> float:
    return amount / 100 * (up if amount > 0 else down)


def through(points: Points) -> Curve:
    """Returns the monotone cubic through points: Hermite, with the slopes of Fritsch and Butland."""
    across, up = np.array(points, float).T
    width, secant = np.diff(across), np.diff(up) / np.diff(across)
    slope = _slopes(width, secant)

    def curve(value: Array) -> Array:
        place = np.clip(np.searchsorted(across, value, side="right") - 1, 0, len(width) - 1)
        t = (np.clip(value, across[0], across[-1]) - across[place]) / width[place]
        found: Array = (
            (1 + 2 * t) * (1 - t) ** 2 * up[place]
            + t * (1 - t) ** 2 * width[place] * slope[place]
            + t * t * (3 - 2 * t) * up[place + 1]
            + t * t * (t - 1) * width[place] * slope[place + 1]
        )
        return found

    return curve


def _slopes(width: Array, secant: Array) -> Array:
    """Returns the slope at each point: a weighted harmonic mean inside, three points and a limit at the ends."""
    if len(secant) == 1:
        return np.repeat(secant, 2)
    slope = np.empty(len(secant) + 1)
    before, after = secant[:-1], secant[1:]
    is_flat = before * after <= 0
    weight_before, weight_after = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    safe_before, safe_after = np.where(is_flat, 1.0, before), np.where(is_flat, 1.0, after)
    mean = (weight_before + weight_after) / (weight_before / safe_before + weight_after / safe_after)
    slope[1:-1] = np.where(is_flat, 0, mean)
    for end, near, far in ((0, 0, 1), (-1, -1, -2)):
        three_points = (2 * width[near] + width[far]) * secant[near] - width[near] * secant[far]
        slope[end] = np.clip(three_points / (width[near] + width[far]), 0, 3 * secant[near])
    return slope


def apply_to_colours(rgb: Array, curve: Curve) -> Array:
    """Applies a curve without turning hues.

    The largest channel goes through the curve, the smallest mostly by the same ratio, so that colours neither wash
    out nor overheat; the middle one keeps its place between them. What is nearly grey goes through the curve alone.
    """
    high, low = highest(rgb), lowest(rgb)
    new_high = curve(high)
    kept = _KEPT_RATIO * colourful(high - low, 0.08)
    black = curve(np.zeros(1))
    new_low = (1 - kept) * curve(low) + kept * (black + low * (new_high - black) / np.maximum(high, TINY))
    place = (rgb - low) / np.maximum(high - low, TINY)
    return np.where(high - low < TINY, curve(rgb), new_low + place * (new_high - new_low))
