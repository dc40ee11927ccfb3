"""The tools for which a pixel's place or its neighbours count: clarity, vignette, sharpen, grain, in this order.

Each works on a strip of rows, as (3, rows, width) floats 0…1 in place, and gives the same whatever the strips are. `long`
is the longer side of the picture; amounts are −1…1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from media.editing.looks import LOOKS
from media.editing.recipes import Recipe

Plane = NDArray[np.float32]

CLARITY_CELLS = 256
_BLUR_COLUMNS = 32  # of a picture that are blurred by one small matrix
_CLARITY_SIGMA = 0.02  # of the long side
_RED, _GREEN, _BLUE = (np.float32(share) for share in (0.2126, 0.7152, 0.0722))


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of each effect a recipe asks for: its own tools and its look together."""

    clarity: float
    vignette: float
    sharpen: float
    grain: float

    def __bool__(self) -> bool:
        return any((self.clarity, self.vignette, self.sharpen, self.grain))


def amounts(recipe: Recipe) -> Amounts:
    """Returns the amounts of a recipe, those of the look times its strength."""
    look = LOOKS.get(recipe.look)

    def amount(name: str, low: float) -> float:
        own = float(getattr(recipe.adjust, name)) / 100
        if look is not None:
            own += recipe.strength / 100 * float(getattr(look, name)) / 100
        return min(1.0, max(low, own))

    return Amounts(amount("clarity", -1), amount("vignette", -1), amount("sharpen", 0), amount("grain", 0))


def luma(planes: Plane) -> Plane:
    """Returns the brightness of each pixel."""
    out: Plane = planes[1] * _GREEN
    out += planes[0] * _RED
    out += planes[2] * _BLUE
    return out


def add(planes: Plane, change: Plane) -> None:
    """Adds the same to the three channels, which keeps hues, and stays in 0…1."""
    planes += change
    np.clip(planes, 0, 1, out=planes)


def gaussian_weights(sigma: float) -> Plane:
    """Returns the weights of a blur from the first neighbour that counts to the last."""
    radius = math.ceil(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    whole: Plane = (weights / weights.sum()).astype(np.float32)
    return whole


def blur(rows: Plane, weights: Plane) -> Plane:
    """Blurs rows without the first and the last, which are neighbours; beyond left and right the edges repeat.

    Both steps are products of matrices, small enough to stay in the cache.
    """
    reach = len(weights) - 1
    count, width = len(rows) - reach, rows.shape[1]
    blocks = -(-width // _BLUR_COLUMNS)
    wide = np.empty((count, blocks * _BLUR_COLUMNS + reach), np.float32)
    left, right = reach // 2, reach // 2 + width
    np.matmul(_band(weights, count), rows, out=wide[:, left:right])
    wide[:, :left] = wide[:, left : left + 1]
    wide[:, right:] = wide[:, right - 1 : right]
    strides = (wide.strides[0], _BLUR_COLUMNS * wide.strides[1], wide.strides[1])
    windows = np.ndarray((count, blocks, _BLUR_COLUMNS + reach), np.float32, wide, 0, strides)
    blurred = windows.reshape(count * blocks, -1) @ _band(weights, _BLUR_COLUMNS).T
    return blurred.reshape(count, -1)[:, :width]


def _band(weights: Plane, count: int) -> Plane:
    """Returns the matrix whose product with values and their neighbours is so many blurred values."""
    band = np.zeros((count, count + len(weights)), np.float32)
    band[:, : len(weights)] = weights
    # Each row begins one place later than the one above.
    return band.ravel()[: count * (count + len(weights) - 1)].reshape(count, -1)


class Clarity:
    """Local contrast of brightness against a blur of 2 % of the long side, made on a copy of 256 cells.

    First the brightness of the whole picture is measured, `measure`; `apply` needs it.
    """

    def __init__(self, width: int, height: int, amount: float) -> None:
        scale = min(1.0, CLARITY_CELLS / max(width, height))
        self._size = max(2, round(width * scale)), max(2, round(height * scale))
        self._amount = amount
        self._shape = width, height

    def measure(self, brightness: Plane) -> None:
        """Takes the brightness of the picture, averaged over the width of each cell already (`narrow`)."""
        width, height = self._size
        small = average(np.ascontiguousarray(brightness.T), height).T
        weights = gaussian_weights(_CLARITY_SIGMA * max(width, height))
        reach = len(weights) // 2
        small = blur(np.pad(small, ((reach, reach), (0, 0)), mode="edge"), weights)
        column, right = _centres(width, self._shape[0])
        self._wide = small.take(column, 1) * (1 - right) + small.take(column + 1, 1) * right
        self._row, self._lower = _centres(height, self._shape[1])

    def narrow(self, brightness: Plane) -> Plane:
        """Returns the brightness of some rows, averaged over the width of each cell."""
        return average(brightness, self._size[0])

    def apply(self, planes: Plane, top: int) -> None:
        """Applies the tool to the rows from `top` on."""
        y = luma(planes)
        change = y - self._base(top, top + planes.shape[1])
        limit = np.abs(change)
        limit *= np.float32(1 / 0.15)
        limit += 1
        change /= limit
        if self._amount > 0:
            change *= y
            np.subtract(1, y, out=y)
            change *= y
            change *= np.float32(0.9 * self._amount * 4)
        else:
            change *= np.float32(0.45 * self._amount)
        add(planes, change)

    def _base(self, top: int, bottom: int) -> Plane:
        """Returns the blurred brightness of these rows of pixels."""
        row, lower = self._row[top:bottom], self._lower[top:bottom]
        first, last = int(row[0]), int(row[-1]) + 2
        weights = np.zeros((bottom - top, last - first), np.float32)
        pixel = np.arange(bottom - top)
        weights[pixel, row - first] = 1 - lower
        weights[pixel, row - first + 1] = lower
        return weights @ self._wide[first:last]


def average(rows: Plane, cells: int) -> Plane:
    """Averages each row into so many equal cells, which need not be whole pixels."""
    if rows.shape[1] < cells:
        rows = np.repeat(rows, cells, 1)
    length = rows.shape[1]
    edge = np.arange(cells + 1) * (length / cells)
    pixel = np.minimum(edge.astype(np.intp), length - 1)
    # Each cell is the sum of the pixels from where it begins, without the part before it, and a part of the next one.
    split = rows.take(pixel, 1) * (edge - pixel).astype(np.float32)
    sums = np.add.reduceat(rows, pixel[:-1], 1)
    sums -= split[:, :-1]
    sums[:, :-1] += split[:, 1:-1]
    sums *= np.float32(cells / length)
    return sums


def _centres(cells: int, pixels: int) -> tuple[NDArray[np.intp], Plane]:
    """Returns for each pixel's centre the cell before it, and how far it lies towards the next."""
    place = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    cell = np.minimum(place.astype(np.intp), cells - 2)
    return cell, (place - cell).astype(np.float32)


class Vignette:
    """Darkens or lightens towards the corners, in an ellipse of the picture's shape."""

    _INSIDE, _OUTSIDE = (
        0.3,
        1.05,
    )  # where it begins and where it is full, from the middle (0) to the corners (1)

    def __init__(self, width: int, height: int, amount: float) -> None:
        self._is_dark = amount > 0
        self._strength = np.float32(-0.65 * abs(amount))
        self._across, self._down = (self._squares(side) for side in (width, height))

    def apply(self, planes: Plane, top: int) -> None:
        """Applies the tool to the rows from `top` on."""
        part = self._across[None] + self._down[top : top + planes.shape[1], None]
        np.sqrt(part, out=part)
        part -= np.float32(self._INSIDE / (self._OUTSIDE - self._INSIDE))
        np.clip(part, 0, 1, out=part)
        factor = part * (-2 * self._strength)
        factor += 3 * self._strength
        factor *= part
        factor *= part
        factor += 1
        if self._is_dark:
            planes *= factor
        else:
            np.subtract(1, planes, out=planes)
            planes *= factor
            np.subtract(1, planes, out=planes)

    def _squares(self, side: int) -> Plane:
        """Returns the squared distance of each pixel from the middle of a side, in units of the way from inside to outside."""
        place = ((np.arange(side) + 0.5) / side * 2 - 1) / (self._OUTSIDE - self._INSIDE)
        squares: Plane = (place**2 / 2).astype(np.float32)
        return squares


class Sharpen:
    """Sharpens brightness alone. Noise is left as it is, and halos are limited."""

    def __init__(self, long: int, amount: float) -> None:
        self._amount = amount
        self._weights = gaussian_weights(max(0.5, 0.0006 * long))

    @property
    def reach(self) -> int:
        """How many rows above and below are needed."""
        return len(self._weights) // 2

    def apply(self, planes: Plane, y: Plane, above: Plane, below: Plane) -> None:
        """Applies the tool to rows of brightness `y`; `above` and `below` is the brightness of the rows around them."""
        change = y - blur(np.concatenate([above, y, below]), self._weights)
        square = change * change
        change *= square
        square += np.float32(0.012**2)
        change /= square
        limit = np.abs(change)
        limit *= np.float32(1 / 0.12)
        limit += 1
        change /= limit
        change *= np.float32(1.6 * self._amount)
        add(planes, change)


def add_grain(planes: Plane, field: Plane, amount: float) -> None:
    """Adds grain, most of it to what is neither black nor white. `field` is used up."""
    y = luma(planes)
    weight = 1 - y
    weight *= y
    weight *= np.float32(0.13 * amount * 3.2)
    weight += np.float32(0.13 * amount * 0.2)
    field *= weight
    add(planes, field)
