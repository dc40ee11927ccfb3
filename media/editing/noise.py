"""Grain: noise that depends on nothing but a seed and a place in the picture, so it is the same at every size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_COARSE_CELLS, _FINE_CELLS = 700, 1600
_COARSE_SHARE, _FINE_SHARE = 0.45, 0.8
_WORD = 0xFFFFFFFF
_ROWS_AT_ONCE = 32


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

    def __init__(self, width: int, height: int, cells: int, seed: int, share: float) -> None:
        longest = max(width, height)
        self._seed = seed
        strength = np.float32(share * min(1.0, longest / cells))  # a small copy averages grain away
        self._across, self._left, self._right = _axis(width, cells / longest)
        self._down, self._upper, self._lower = _axis(height, cells / longest)
        self._upper *= strength
        self._lower *= strength
        self._first, self._wide = 0, np.empty((0, width), np.float32)

    def rows(self, top: int, bottom: int) -> Plane:
        """Returns the noise of these rows of pixels."""
        down = self._down[top:bottom]
        first, last = int(down[0]), int(down[-1]) + 2
        weights = np.zeros((bottom - top, last - first), np.float32)
        row = np.arange(bottom - top)
        weights[row, down - first] = self._upper[top:bottom]
        weights[row, down - first + 1] = self._lower[top:bottom]
        return weights @ self._rows_of_lattice(first, last)

    def _rows_of_lattice(self, first: int, last: int) -> Plane:
        """Returns rows of the lattice, read at each column of pixels; the next ones are computed with them."""
        if not self._first <= first <= last <= self._first + len(self._wide):
            self._first = first
            self._wide = self._read_lattice(
                first, max(last, min(first + _ROWS_AT_ONCE, int(self._down[-1]) + 2))
            )
        return self._wide[first - self._first : last - self._first]

    def _read_lattice(self, first: int, last: int) -> Plane:
        points = lattice(
            np.arange(int(self._across[-1]) + 2, dtype=np.uint32)[None],
            np.arange(first, last, dtype=np.uint32)[:, None],
            self._seed,
        )
        wide: Plane = points.take(self._across, 1) * self._left
        wide += points.take(self._across + 1, 1) * self._right
        return wide


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
        self._fine = _Layer(width, height, _FINE_CELLS, seed, _FINE_SHARE)
        self._coarse = _Layer(width, height, _COARSE_CELLS, seed + 1, _COARSE_SHARE)

    def rows(self, top: int, bottom: int) -> Plane:
        """Returns the noise of these rows of pixels: fastest from the top to the bottom."""
        field = self._fine.rows(top, bottom)
        field += self._coarse.rows(top, bottom)
        return field
