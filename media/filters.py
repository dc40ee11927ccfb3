"""Edits photos by recipe: the way in to `media/editing`, whose formulas browsers compute, too.

The order is fixed: upright → turn, mirror → straighten, perspective → crop → resize → table of colours → clarity →
vignette → sharpen → grain. `pixels` does the resizing and calls an `Edit` before and after it. What needs no pixels,
reading and comparing recipes, is in `media/editing/recipes.py`, which loads neither numpy nor Pillow; this module loads
Pillow, and numpy once colours are edited or looked at: that takes a twentieth of a second, which a crop does not need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from media.editing import geometry, recipes
from media.editing.recipes import Recipe, colours_only

if TYPE_CHECKING:
    from media.editing.developing import Development


class Edit:
    """A recipe made ready for one picture in several sizes."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._development = _development(recipe)

    @property
    def needs_whole(self) -> bool:
        """Whether a part of the picture alone would look different, since its corners are darker, or it has grain."""
        return self._development is not None and self._development.depends_on_place

    def shape(self, orientation: Image.Transpose | None) -> geometry.Shape:
        """Returns what becomes of the shape of a picture that `orientation` makes upright."""
        return geometry.shape(self.recipe, orientation)

    def cropped_sizes(self, decoded: geometry.Size) -> list[geometry.Size]:
        """Returns the sizes that a picture may have once it is cropped, before it is known which way is up."""
        return list(geometry.sizes(self.recipe, decoded))

    @property
    def levels_side(self) -> int:
        """How large a copy `found_levels` looks at, at most: pixels of the long side."""
        from media.editing import auto_levels

        return auto_levels.MAX_SIDE

    def found_levels(self, image: Image.Image) -> str:
        """Returns a recipe with the amounts of the tools that suit an upright, cropped sRGB picture."""
        from media.editing import auto_levels

        return recipes.canonical(Recipe(adjust=auto_levels.find(image)))

    def swatches(self, image: Image.Image) -> Image.Image:
        """Returns a square upright sRGB picture in every look, over the colours of this recipe."""
        from media.editing import swatches

        return swatches.draw(image, self.recipe)

    def develop(self, image: Image.Image, *, with_grain: bool = True, in_place: bool = False) -> Image.Image:
        """Applies colours and effects to an upright, cropped sRGB picture, which stays as it is unless `in_place`.

        Returns the same object if the recipe has none.
        """
        if self._development is None:
            return image
        return self._development.apply(image, with_grain=with_grain, in_place=in_place)


def _development(recipe: Recipe) -> Development | None:
    """Returns what edits the colours; None where only the shape is edited."""
    if recipes.shape_only(recipe) == recipe:
        return None
    from media.editing.developing import Development

    return Development(recipe)


def load(recipe: str, *, finds_levels: bool = False, shows_looks: bool = False) -> Edit:
    """Returns an edit ready to use, from a canonical recipe or nothing. From then on no file has to be opened.

    `finds_levels` and `shows_looks` ask for what auto-level and swatches need, too.
    """
    edit = Edit(recipes.parse(recipe) if recipe else recipes.NEUTRAL)
    # Pillow and numpy import parts of themselves when they are first used.
    sample = Image.linear_gradient("L").resize((16, 1)).convert("RGB")
    edit.develop(sample)
    if shows_looks:
        from media.editing import swatches  # noqa: F401
    if finds_levels or shows_looks:
        edit.found_levels(sample)
    return edit


def table_bytes(recipe: Recipe) -> bytes:
    """Returns the table of a recipe's colours: 33 × 33 × 33 nodes of three little-endian float32, red fastest."""
    from media.editing import table

    return table.to_bytes(table.build(colours_only(recipe)))
