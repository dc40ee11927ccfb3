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
    for plane in planes:
        plane += change
        np.clip(plane, 0, 1, out=plane)


def gaussian_weights(sigma: float) -> Plane:
    """Returns the weights of a blur from the middle outwards, of which the others are the mirror image."""
    radius = math.ceil(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    whole: Plane = (weights / (2 * weights.sum() - weights[0])).astype(np.float32)
    return whole


def blur(plane: Plane, weights: Plane, top: int, bottom: int) -> Plane:
    """Blurs rows `top` to `bottom` of a plane; beyond its edges they repeat."""
    radius = len(weights) - 1
    above, below = max(0, radius - top), max(0, bottom + radius - len(plane))
    rows = plane[max(0, top - radius) : bottom + radius]
    if above or below:
        rows = np.pad(rows, ((above, below), (0, 0)), mode="edge")
    count, width = bottom - top, plane.shape[1]
    down = rows[radius : radius + count] * weights[0]
    pair = np.empty_like(down)
    for step in range(1, radius + 1):
        np.add(rows[radius - step :][:count], rows[radius + step :][:count], out=pair)
        pair *= weights[step]
        down += pair
    wide = np.pad(down, ((0, 0), (radius, radius)), mode="edge")
    out: Plane = wide[:, radius : radius + width] * weights[0]
    for step in range(1, radius + 1):
        np.add(wide[:, radius - step :][:, :width], wide[:, radius + step :][:, :width], out=pair)
        pair *= weights[step]
        out += pair
    return out


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
        small = average(brightness.T, height).T.astype(np.float32)
        weights = gaussian_weights(_CLARITY_SIGMA * max(width, height))
        small = blur(small, weights, 0, height)
        column, right = _centres(width, self._shape[0])
        self._wide = small.take(column, 1) * (1 - right) + small.take(column + 1, 1) * right
        self._row, self._lower = _centres(height, self._shape[1])

    def narrow(self, brightness: Plane) -> Plane:
        """Returns the brightness of some rows, averaged over the width of each cell."""
        return average(brightness, self._size[0]).astype(np.float32)

    def apply(self, planes: Plane, top: int) -> None:
        """Applies the tool to the rows from `top` on."""
        y = luma(planes)
        rows = slice(top, top + planes.shape[1])
        lower = self._lower[rows, None]
        change: Plane = y.copy()
        change -= self._wide.take(self._row[rows], 0) * (1 - lower)
        change -= self._wide.take(self._row[rows] + 1, 0) * lower
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


def average(rows: Plane, cells: int) -> NDArray[np.float64]:
    """Averages each row into so many equal cells, which need not be whole pixels."""
    length = rows.shape[1]
    sums = np.zeros((len(rows), length + 1))
    np.cumsum(rows, 1, dtype=np.float64, out=sums[:, 1:])
    edge = np.arange(cells + 1) * (length / cells)
    pixel = np.minimum(edge.astype(np.intp), length - 1)
    part = edge - pixel
    at_edges = sums.take(pixel, 1) * (1 - part) + sums.take(pixel + 1, 1) * part
    averages: NDArray[np.float64] = np.diff(at_edges, axis=1) * (cells / length)
    return averages


def _centres(cells: int, pixels: int) -> tuple[NDArray[np.intp], Plane]:
    """Returns for each pixel's centre the cell before it, and how far it lies towards the next."""
    place = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    cell = np.minimum(place.astype(np.intp), cells - 2)
    return cell, (place - cell).astype(np.float32)


class Vignette:
    """Darkens or lightens towards the corners, in an ellipse of the picture's shape."""

    def __init__(self, width: int, height: int, amount: float) -> None:
        self._amount = amount
        self._across = ((np.arange(width) + 0.5) / width * 2 - 1).astype(np.float32) ** 2 / 2
        self._down = ((np.arange(height) + 0.5) / height * 2 - 1).astype(np.float32) ** 2 / 2

    def apply(self, planes: Plane, top: int) -> None:
        """Applies the tool to the rows from `top` on."""
        part = self._across[None] + self._down[top : top + planes.shape[1], None]
        np.sqrt(part, out=part)
        part -= np.float32(0.3)
        part *= np.float32(1 / 0.75)
        np.clip(part, 0, 1, out=part)
        factor = part * np.float32(-2)
        factor += 3
        factor *= part
        factor *= part
        factor *= np.float32(-0.65 * abs(self._amount))
        factor += 1
        for plane in planes:
            if self._amount > 0:
                plane *= factor
            else:
                np.subtract(1, plane, out=plane)
                plane *= factor
                np.subtract(1, plane, out=plane)


class Sharpen:
    """Sharpens brightness alone. Noise is left as it is, and halos are limited."""

    def __init__(self, long: int, amount: float) -> None:
        self._amount = amount
        self._weights = gaussian_weights(max(0.5, 0.0006 * long))

    @property
    def reach(self) -> int:
        """How many rows above and below are needed."""
        return len(self._weights) - 1

    def apply(self, planes: Plane, top: int, bottom: int) -> None:
        """Applies the tool to rows `top` to `bottom` of these; the others are read."""
        y = luma(planes)
        change = y[top:bottom] - blur(y, self._weights, top, bottom)
        square = change * change
        change *= square
        square += np.float32(0.012**2)
        change /= square
        limit = np.abs(change)
        limit *= np.float32(1 / 0.12)
        limit += 1
        change /= limit
        change *= np.float32(1.6 * self._amount)
        add(planes[:, top:bottom], change)


def add_grain(planes: Plane, field: Plane, amount: float) -> None:
    """Adds grain, most of it to what is neither black nor white. `field` is used up."""
    y = luma(planes)
    weight = 1 - y
    weight *= y
    weight *= np.float32(0.13 * amount * 3.2)
    weight += np.float32(0.13 * amount * 0.2)
    field *= weight
    add(planes, field)
