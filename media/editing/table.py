"""The table of a recipe: all that changes each pixel by itself, sampled at 33 × 33 × 33 colours.

The table is the definition of the result: a browser and this server read the same bytes and interpolate trilinearly
between the nodes. As bytes it is little-endian float32, three values a node, red fastest, then green, then blue.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.editing import curves, look_stages, tools
from media.editing.colours import Array
from media.editing.looks import LOOKS
from media.editing.recipes import Recipe

NODES = 33
Table = NDArray[np.float32]


def transform(rgb: Array, recipe: Recipe) -> Array:
    """Applies the tools and the look of a recipe to colours, exactly: the function that the table samples."""
    adjust = recipe.adjust
    rgb = tools.expose(rgb, adjust.exposure / 100, adjust.warmth / 100, adjust.tint / 100)
    if curves.changes_tone(adjust):
        rgb = curves.apply_to_colours(rgb, curves.tone(adjust))
    rgb = tools.saturate(rgb, adjust.saturation / 100, adjust.vibrance / 100)
    if recipe.look:
        rgb = rgb + recipe.strength / 100 * (look_stages.apply(rgb, LOOKS[recipe.look]) - rgb)
    return np.clip(tools.fade(rgb, adjust.fade / 100), 0, 1)


def build(recipe: Recipe) -> Table:
    """Returns the table, indexed by blue, green, red, and then the channel."""
    axis = np.linspace(0, 1, NODES)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    return transform(np.stack([red, green, blue], -1), recipe).astype(np.float32)


def to_bytes(table: Table) -> bytes:
    """Returns what a browser loads."""
    return table.astype("<f4").tobytes()


def look_up(rgb: NDArray[np.floating], table: Table) -> Array:
    """Interpolates trilinearly: for few colours. `interpolation` is for many pixels."""
    place = np.clip(rgb, 0, 1) * (NODES - 1)
    node = np.minimum(place.astype(int), NODES - 2)
    part = place - node
    out = np.zeros_like(place, float)
    for corner in range(8):
        step = np.array([corner & 1, corner >> 1 & 1, corner >> 2 & 1])
        weight = np.where(step == 1, part, 1 - part).prod(-1, keepdims=True)
        at = node + step
        out += weight * table[at[..., 2], at[..., 1], at[..., 0]]
    return out
