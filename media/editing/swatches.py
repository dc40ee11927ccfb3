"""The swatches of the looks: one small picture in each of them, in one square picture.

Decoded once and drawn in one go, all of them cost about half a second of the processor. The colours are computed and not looked up
in tables, since a swatch has fewer pixels than a table has nodes; effects are left out, which would not show.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from media.editing import table
from media.editing.looks import LOOKS
from media.editing.recipes import Recipe, colours_only

COLUMNS = 5
SIDE = 96
"""Pixels of a swatch, which has the place `divmod(n, COLUMNS)` (row, column): first no look, then the looks in their order."""

EDGE = COLUMNS * SIDE


def draw(image: Image.Image, recipe: Recipe) -> Image.Image:
    """Draws the swatches of a square upright sRGB picture, over the colours of this recipe without its look."""
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    pixels = np.asarray(small.convert("RGB")).reshape(-1, 3) / 255
    sheet = Image.new("RGB", (EDGE, EDGE))
    for n, look in enumerate(("", *LOOKS)):
        colours = table.transform(pixels, replace(colours_only(recipe), look=look, strength=100))
        drawn = (colours * 255 + 0.5).astype(np.uint8).reshape(SIDE, SIDE, 3)
        row, column = divmod(n, COLUMNS)
        sheet.paste(Image.fromarray(drawn), (column * SIDE, row * SIDE))
    return sheet
