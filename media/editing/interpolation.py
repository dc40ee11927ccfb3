"""A table looked up for millions of pixels, in 8 bits in and floats out.

A channel has 256 values, so the table is interpolated along red and green once for all of them; of a pixel remains one
step along blue. Its two neighbours are each one number of 64 bits, three channels of 16: 17 MB that a photo, whose
pixels resemble their neighbours, reads nearly in order. Within 1 / 65535 of the exact value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.editing.table import NODES, Table

Planes = NDArray[np.float32]  # (3, pixels): red, green, blue, 0…1
Packed = NDArray[np.uint32]  # (pixels,): red in the lowest byte, then green, then blue

_LEVELS = 256
_PRECISION = 65535


class Interpolation:
    """A table made ready for many pixels."""

    def __init__(self, table: Table) -> None:
        node, part = _places()
        # By green, red, blue: the two nodes of a pixel lie beside each other. The fourth channel makes a node one number.
        scaled = np.zeros((NODES, NODES, NODES, 4), np.float32)
        np.multiply(table.transpose(1, 2, 0, 3), _PRECISION, out=scaled[..., :3])
        by_red = _between(scaled[:, node], scaled[:, node + 1], part[:, None, None])
        nodes = np.empty((_LEVELS, _LEVELS, NODES, 4), np.uint16)
        for level, of_green in enumerate(nodes):
            below = by_red[node[level]]
            between = _between(below, by_red[node[level] + 1].copy(), part[level])
            between += 0.5
            of_green[:] = between
        self._nodes = nodes.view(np.uint64).ravel()
        self._node = node
        self._part = part * np.float32(1 / _PRECISION)
        self._rest = (1 - part) * np.float32(1 / _PRECISION)

    def __call__(self, pixels: Packed) -> Planes:
        blue = ((pixels >> np.uint32(16)) & np.uint32(0xFF)).astype(np.uint8)
        at = (pixels & np.uint32(0xFFFF)).astype(np.intp)
        at *= NODES
        at += self._node.take(blue)
        below = self._nodes.take(at, mode="clip").view(np.uint16).reshape(-1, 4)
        at += 1
        above = self._nodes.take(at, mode="clip").view(np.uint16).reshape(-1, 4)
        rest, part = self._rest.take(blue), self._part.take(blue)
        planes = np.empty((3, len(pixels)), np.float32)
        step = np.empty(len(pixels), np.float32)
        for channel in range(3):
            np.multiply(below[:, channel], rest, out=planes[channel])
            np.multiply(above[:, channel], part, out=step)
            planes[channel] += step
        return planes


def unchanged(pixels: Packed) -> Planes:
    """Returns the planes of pixels that no table changes."""
    planes = np.empty((3, len(pixels)), np.float32)
    for channel in range(3):
        values = (pixels >> np.uint32(8 * channel)) & np.uint32(0xFF)
        np.multiply(values, np.float32(1 / 255), out=planes[channel])
    return planes


def _places() -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Returns for each of 256 levels the node below it, and how far it lies towards the next."""
    place = np.arange(_LEVELS) * ((NODES - 1) / (_LEVELS - 1))
    node = np.minimum(place.astype(np.intp), NODES - 2)
    return node, (place - node).astype(np.float32)


def _between(below: Table, above: Table, part: NDArray[np.float32] | np.float32) -> Table:
    """Returns what lies between two tables. `above` is used up."""
    above -= below
    above *= part
    above += below
    return above
