"""Grain: noise that depends on nothing but a seed and a place in the picture, so it is the same at every size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_COARSE_CELLS, _FINE_CELLS = 700, 1600
_COARSE_SHARE, _FINE_SHARE = 0.45, 0.8
_WORD = 0xFFFFFFFF


def lattice(across: NDArray[np.uint32], down: NDArray[np.uint32], seed: int) -> Plane:
    """Returns −1…1, triangularly distributed, for points of a lattice: an integer hash, equal to that of the browser."""
    with np.errstate(over="ignore"):  # the hash wraps around at 32 bits
        word = across * np.uint32(0x9E3779B9) + down * np.uint32(0xC0356F07)
        word += np.uint32(seed * 0xD6E48651 & _WORD)
        for shift, factor in ((16, 0xE4E23BB1), (15, 0xA3056CDD)):
            word ^= word >> np.uint32(shift)
            word *= np.uint32(factor)
        word ^= word >> np.uint32(16)
    halves = (word & np.uint32(0xFFFF)) + (word >> np.uint32(16))
    return halves.astype(np.float32) * np.float32(1 / 65535) - np.float32(1)


class _Layer:
    """Noise on a lattice of `cells` along the long side, read at the centres of pixels with equal variance everywhere."""

    def __init__(self, width: int, height: int, cells: int, seed: int) -> None:
        longest = max(width, height)
        self._seed = seed
        self._strength = min(1.0, longest / cells)  # a small copy averages grain away
        self._across, self._left, self._right = _axis(width, cells / longest)
        self._down, self._upper, self._lower = _axis(height, cells / longest)

    def rows(self, top: int, bottom: int) -> Plane:
        """Returns the noise of these rows of pixels."""
        down = self._down[top:bottom]
        first, count = int(down[0]), int(down[-1] - down[0]) + 2
        points = lattice(
            np.arange(int(self._across[-1]) + 2, dtype=np.uint32)[None],
            np.arange(first, first + count, dtype=np.uint32)[:, None],
            self._seed,
        )
        wide = points.take(self._across, 1) * self._left
        wide += points.take(self._across + 1, 1) * self._right
        field = wide.take(down - first, 0)
        field *= self._upper[top:bottom, None] * np.float32(self._strength)
        below = wide.take(down - first + 1, 0)
        below *= self._lower[top:bottom, None] * np.float32(self._strength)
        field += below
        return field


def _axis(length: int, cells_per_pixel: float) -> tuple[NDArray[np.intp], Plane, Plane]:
    """Returns for each pixel the point of the lattice before it, and the weights of that one and the next.

    The squares of the weights add up to 1, and so do those of the four points around a pixel.
    """
    place = (np.arange(length) + 0.5) * cells_per_pixel
    point = place.astype(np.intp)
    part = place - point
    norm = np.sqrt(part**2 + (1 - part) ** 2)
    return point, ((1 - part) / norm).astype(np.float32), (part / norm).astype(np.float32)


class Grain:
    """The noise of a picture of one size: a fine and a coarse layer."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        self._fine = _Layer(width, height, _FINE_CELLS, seed)
        self._coarse = _Layer(width, height, _COARSE_CELLS, seed + 1)

    def rows(self, top: int, bottom: int) -> Plane:
        """Returns the noise of these rows of pixels."""
        field = self._fine.rows(top, bottom)
        field *= np.float32(_FINE_SHARE)
        field += self._coarse.rows(top, bottom) * np.float32(_COARSE_SHARE)
        return field
