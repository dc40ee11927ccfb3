"""A recipe's colours and effects, applied to an upright sRGB picture strip by strip.

One strip at a time is held as floats, so a picture of any size costs little memory beside itself and its result. A
strip has the rows around it that sharpening reads, so nothing shows where strips meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from media.editing import effects, table
from media.editing.interpolation import Interpolation, Packed, Planes, unchanged
from media.editing.noise import Grain
from media.editing.recipes import NEUTRAL, Recipe, colours_only

_STRIP_PIXELS = 1 << 18
_SMALL_PIXELS = 1 << 17  # below that, a table is looked up as it is
_MEASURED_SIDE = 1024  # a larger picture's brightness is measured on a copy of at least that
_MEASURED_WHOLE = 2048

_ToPlanes = Callable[[Packed], Planes]


class Development:
    """A recipe made ready to be applied to pictures of several sizes."""

    def __init__(self, recipe: Recipe) -> None:
        colours = colours_only(recipe)
        self._table = None if colours == NEUTRAL else table.build(colours)
        self._amounts = effects.amounts(recipe)
        self._seed = recipe.seed
        self._interpolation: Interpolation | None = None

    @property
    def depends_on_place(self) -> bool:
        """Whether a part of the picture alone would look different."""
        return bool(self._amounts)

    def apply(self, image: Image.Image, *, with_grain: bool = True) -> Image.Image:
        """Returns the picture as the recipe wants it: the same object if that is how it is.

        `with_grain`: it may be left out of small copies, which would average it away.
        """
        amounts = self._amounts
        grain = amounts.grain if with_grain else 0.0
        if not (amounts.clarity or amounts.vignette or amounts.sharpen or grain):
            return self._apply_table(image)
        to_planes = self._to_planes(image.width * image.height)
        strips = _Strips(image, amounts, grain, self._seed, to_planes)
        result = Image.new("RGB", image.size, None)
        for top, strip in strips:
            result.paste(strip, (0, top))
        return result

    def _apply_table(self, image: Image.Image) -> Image.Image:
        """Applies the table alone: in 8 bits, which is faster and as near as the last digit."""
        if self._table is None:
            return image
        colours = ImageFilter.Color3DLUT(table.NODES, self._table.ravel())
        result = Image.new("RGB", image.size, None)
        rows = _rows_of_strip(image.width)
        for top in range(0, image.height, rows):
            box = (0, top, image.width, min(image.height, top + rows))
            result.paste(image.crop(box).filter(colours), box)
        return result

    def _to_planes(self, pixels: int) -> _ToPlanes:
        if self._table is None:
            return unchanged
        if self._interpolation is None and pixels < _SMALL_PIXELS:
            return self._look_up
        if self._interpolation is None:
            self._interpolation = Interpolation(self._table)
        return self._interpolation

    def _look_up(self, pixels: Packed) -> Planes:
        assert self._table is not None
        return table.look_up(unchanged(pixels).T, self._table).T.astype(np.float32)


class _Strips:
    """The finished strips of a picture, in their order."""

    def __init__(
        self, image: Image.Image, amounts: effects.Amounts, grain: float, seed: int, to_planes: _ToPlanes
    ) -> None:
        size = image.size
        self._image, self._to_planes = image, to_planes
        self._grain_amount = grain
        self._grain = Grain(*size, seed) if grain else None
        self._vignette = effects.Vignette(*size, amounts.vignette) if amounts.vignette else None
        self._sharpen = effects.Sharpen(max(size), amounts.sharpen) if amounts.sharpen else None
        self._clarity = effects.Clarity(*size, amounts.clarity) if amounts.clarity else None
        if self._clarity is not None:
            self._clarity.measure(self._brightness(self._clarity))

    def __iter__(self) -> Iterator[tuple[int, Image.Image]]:
        width, height = self._image.size
        reach = self._sharpen.reach if self._sharpen else 0
        # Rows that are read for their neighbours only should not be most of the work.
        rows = max(_rows_of_strip(width), 6 * reach)
        for top in range(0, height, rows):
            bottom = min(height, top + rows)
            yield top, self._strip(top, bottom, max(0, top - reach), min(height, bottom + reach))

    def _strip(self, top: int, bottom: int, first: int, last: int) -> Image.Image:
        """Returns rows `top` to `bottom`, made from rows `first` to `last`."""
        planes = _planes(self._image, first, last, self._to_planes)
        if self._clarity is not None:
            self._clarity.apply(planes, first)
        if self._vignette is not None:
            self._vignette.apply(planes, first)
        if self._sharpen is not None:
            self._sharpen.apply(planes, top - first, bottom - first)
        planes = planes[:, top - first : bottom - first]
        if self._grain is not None:
            effects.add_grain(planes, self._grain.rows(top, bottom), self._grain_amount)
        return _to_image(planes)

    def _brightness(self, clarity: effects.Clarity) -> NDArray[np.float32]:
        """Returns the brightness of the whole picture, each row narrowed to the cells of clarity."""
        image = self._image
        if max(image.size) > _MEASURED_WHOLE:
            image = image.reduce(max(image.size) // _MEASURED_SIDE)
        rows = _rows_of_strip(image.width)
        return np.concatenate(
            [
                clarity.narrow(
                    effects.luma(_planes(image, top, min(image.height, top + rows), self._to_planes))
                )
                for top in range(0, image.height, rows)
            ]
        )


def _rows_of_strip(width: int) -> int:
    return max(1, _STRIP_PIXELS // width)


def _planes(image: Image.Image, top: int, bottom: int, to_planes: _ToPlanes) -> NDArray[np.float32]:
    """Returns rows of a picture as (3, rows, width)."""
    data = image.crop((0, top, image.width, bottom)).tobytes("raw", "RGBX")
    pixels = np.frombuffer(data, "<u4").astype(np.uint32, copy=False)
    return to_planes(pixels).reshape(3, bottom - top, image.width)


def _to_image(planes: NDArray[np.float32]) -> Image.Image:
    """Returns the picture of these floats, each rounded half up."""
    _, height, width = planes.shape
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., 3] = 255
    for channel, plane in enumerate(planes):
        plane *= 255
        plane += np.float32(0.5)
        pixels[..., channel] = plane
    return Image.frombuffer("RGB", (width, height), pixels, "raw", "RGBX", 0, 1)
