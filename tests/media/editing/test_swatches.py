"""Swatches show a picture in every look, decoded once and drawn in the sandbox."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image

from media import filters, pixels
from media.editing import swatches, table
from media.editing.looks import LOOKS
from media.editing.recipes import Adjustments, Recipe, canonical
from media.images import Variant
from tests.media import samples

SHEET = Variant("swatches", swatches.EDGE, "webp", 90, "test", ratio=1, shows_looks=True)


def _swatch(sheet: Image.Image, number: int) -> Image.Image:
    row, column = divmod(number, swatches.COLUMNS)
    left, top = column * swatches.SIDE, row * swatches.SIDE
    return sheet.crop((left, top, left + swatches.SIDE, top + swatches.SIDE))


def test_every_look_has_its_swatch_which_is_as_the_look_makes_the_picture() -> None:
    assert len(LOOKS) + 1 <= swatches.COLUMNS**2
    picture = samples.quarters(96, 96)
    recipe = Recipe(adjust=Adjustments(exposure=20))

    sheet = swatches.draw(picture, recipe)

    colours = np.asarray(picture).reshape(-1, 3) / 255
    for number, look in enumerate(("", *LOOKS)):
        expected = 255 * table.look_up(colours, table.build(replace(recipe, look=look)))
        difference = np.abs(np.asarray(_swatch(sheet, number), float).reshape(-1, 3) - expected)
        assert difference.mean() < 1, look


def test_swatches_are_a_variant_of_the_picture() -> None:
    data = samples.encoded(samples.quarters(400, 300), "JPEG")
    edit = filters.load(canonical(Recipe()))

    [file] = pixels.render(data, (SHEET,), edit).files

    assert (file.mime, file.width, file.height) == ("image/webp", swatches.EDGE, swatches.EDGE)
    sheet = Image.open(BytesIO(file.data))
    assert len({_swatch(sheet, number).tobytes() for number in range(len(LOOKS) + 1)}) == len(LOOKS) + 1
