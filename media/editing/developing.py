"""A recipe's colours and effects, applied to an upright sRGB picture strip by strip.

One strip at a time is held as floats, and fits the cache of a processor; a picture of any size costs little memory
beside itself and its result. Sharpening reads rows of the strips above and below, so nothing shows where strips meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from media.editing import effects, table
from media.editing.interpolation import Bytes, Interpolation, Packed, Planes, unchanged
from media.editing.noise import Grain
from media.editing.recipes import NEUTRAL, Recipe, colours_only

_STRIP_PIXELS = 1 << 15
_STRIP_ROWS = 64
_SMALL_PIXELS = 1 << 17  # below that, a table is looked up as it is
_FEW_PIXELS = (
    1 << 20
)  # below that, Pillow looks a table up in less time than an `Interpolation` takes to be made
_MEASURED_SIDE = 768  # a larger picture's brightness is measured on a copy of at least that
_MEASURED_WHOLE = 2048

Plane = NDArray[np.float32]
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

    def apply(self, image: Image.Image, *, with_grain: bool = True, in_place: bool = False) -> Image.Image:
        """Returns the picture as the recipe wants it: the same object if that is how it is.

        `with_grain`: it may be left out of small copies, which would average it away. `in_place`: the picture may be changed.
        """
        amounts = self._amounts
        grain = amounts.grain if with_grain else 0.0
        if amounts.clarity or amounts.vignette or amounts.sharpen or grain:
            to_planes = self._to_planes(image.width * image.height)
            return _joined(image, _Strips(image, amounts, grain, self._seed, to_planes), in_place=in_place)
        if self._table is None:
            return image
        return _joined(image, self._with_table_alone(image), in_place=in_place)

    def _with_table_alone(self, image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
        """Yields strips to which the table is applied."""
        assert self._table is not None
        is_large = image.width * image.height >= _FEW_PIXELS
        if self._interpolation is None and is_large:
            self._interpolation = Interpolation(self._table)
        colours = ImageFilter.Color3DLUT(table.NODES, self._table.ravel())
        for top, bottom in _tops_and_bottoms(image):
            if self._interpolation is not None:
                pixels = self._interpolation.to_bytes(_pixels(image, top, bottom))
                yield top, _from_bytes(pixels, image.width, bottom - top)
            else:
                yield top, image.crop((0, top, image.width, bottom)).filter(colours)

    def _to_planes(self, pixels: int) -> _ToPlanes:
        if self._table is None:
            return unchanged
        if self._interpolation is None and pixels < _SMALL_PIXELS:
            return self._look_up
        if self._interpolation is None:
            self._interpolation = Interpolation(self._table)
        return self._interpolation.to_planes

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
        strips = self._until_sharpening()
        for top, planes in strips if self._sharpen is None else _sharpened(strips, self._sharpen):
            if self._grain is not None:
                effects.add_grain(planes, self._grain.rows(top, top + planes.shape[1]), self._grain_amount)
            yield top, _to_image(planes)

    def _until_sharpening(self) -> Iterator[tuple[int, Planes]]:
        """Yields strips as they are before the tools that come last."""
        least = self._sharpen.reach if self._sharpen else 1
        for top, bottom in _tops_and_bottoms(self._image, least):
            planes = _planes(self._image, top, bottom, self._to_planes)
            if self._clarity is not None:
                self._clarity.apply(planes, top)
            if self._vignette is not None:
                self._vignette.apply(planes, top)
            yield top, planes

    def _brightness(self, clarity: effects.Clarity) -> Plane:
        """Returns the brightness of the whole picture, each row narrowed to the cells of clarity."""
        image = self._image
        if max(image.size) > _MEASURED_WHOLE:
            image = image.reduce(max(image.size) // _MEASURED_SIDE)
        return np.concatenate(
            [
                clarity.narrow(effects.luma(_planes(image, top, bottom, self._to_planes)))
                for top, bottom in _tops_and_bottoms(image)
            ]
        )


def _sharpened(
    strips: Iterator[tuple[int, Planes]], sharpen: effects.Sharpen
) -> Iterator[tuple[int, Planes]]:
    """Sharpens each strip once the one below is there, whose first rows count, too. All but the last have enough rows for that."""
    reach = sharpen.reach
    waiting: tuple[int, Planes, Plane, Plane] | None = None
    for top, planes in strips:
        y = effects.luma(planes)
        above = np.repeat(y[:1], reach, 0)
        if waiting is not None:
            last_top, last_planes, last_y, last_above = waiting
            above = last_y[-reach:]
            sharpen.apply(last_planes, last_y, last_above, _first_rows(y, reach))
            yield last_top, last_planes
        waiting = top, planes, y, above
    assert waiting is not None
    top, planes, y, above = waiting
    sharpen.apply(planes, y, above, np.repeat(y[-1:], reach, 0))
    yield top, planes


def _first_rows(plane: Plane, count: int) -> Plane:
    """Returns the first rows; where there are fewer, the last one is repeated."""
    return plane.take(np.minimum(np.arange(count), len(plane) - 1), 0)


def _joined(image: Image.Image, strips: Iterable[tuple[int, Image.Image]], *, in_place: bool) -> Image.Image:
    """Returns the picture that the strips of another make. `in_place`: the other may be used up; it is read no more than a strip ahead."""
    result = image if in_place else Image.new("RGB", image.size, None)
    for top, strip in strips:
        result.paste(strip, (0, top))
    return result


def _tops_and_bottoms(image: Image.Image, least: int = 1) -> Iterator[tuple[int, int]]:
    """Yields where strips begin and end: each but the last has at least so many rows."""
    rows = max(least, min(_STRIP_ROWS, _STRIP_PIXELS // image.width))
    for top in range(0, image.height, rows):
        yield top, min(image.height, top + rows)


def _pixels(image: Image.Image, top: int, bottom: int) -> Packed:
    data = image.crop((0, top, image.width, bottom)).tobytes("raw", "RGBX")
    return np.frombuffer(data, "<i4").astype(np.int32, copy=False)


def _planes(image: Image.Image, top: int, bottom: int, to_planes: _ToPlanes) -> Planes:
    """Returns rows of a picture as (3, rows, width)."""
    return to_planes(_pixels(image, top, bottom)).reshape(3, bottom - top, image.width)


def _to_image(planes: Planes) -> Image.Image:
    """Returns the picture of these floats, each rounded half up."""
    _, height, width = planes.shape
    planes *= np.float32(255)
    planes += np.float32(0.5)
    red, green, blue = planes.astype(np.int32)
    green <<= 8
    blue <<= 16
    red |= green
    red |= blue
    return _from_bytes(red.astype("<i4", copy=False), width, height)


def _from_bytes(pixels: NDArray[np.int32] | Bytes, width: int, height: int) -> Image.Image:
    return Image.frombuffer("RGB", (width, height), pixels, "raw", "RGBX", 0, 1)
