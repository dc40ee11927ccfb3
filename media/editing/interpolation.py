"""A table looked up for millions of pixels, in 8 bits in and floats or 8 bits out.

A channel has 256 values, so the table is interpolated along red and green once for all of them; of a pixel remains one
step along blue. Its two neighbours are each one number of 64 bits, three channels of 16: 17 MB that a photo, whose
pixels resemble their neighbours, reads nearly in order. Within 1 / 65535 of the exact value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.editing.table import NODES, Table

Planes = NDArray[np.float32]  # (3, pixels): red, green, blue, 0…1
Packed = NDArray[np.int32]  # (pixels,): red in the lowest byte, then green, then blue
Bytes = NDArray[np.uint8]  # (pixels, 4): red, green, blue, and one that means nothing

_LEVELS = 256
_PRECISION = 65535
_NODE_FACTOR = 8224  # of a level, in 65536ths: which node lies below it, without a division


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
        # The same for each of the four channels of a pixel; as one number, it is looked up in one step.
        self._parts = np.repeat(part, 4).view(np.complex128)

    def to_planes(self, pixels: Packed) -> Planes:
        """Returns the colours as floats."""
        found = self._between_nodes(pixels).reshape(-1, 4)
        planes = np.empty((3, len(pixels)), np.float32)
        for channel, plane in enumerate(planes):
            np.multiply(found[:, channel], np.float32(1 / _PRECISION), out=plane)
        return planes

    def to_bytes(self, pixels: Packed) -> Bytes:
        """Returns the colours in 8 bits, each rounded half up."""
        found = self._between_nodes(pixels)
        found *= np.float32((_LEVELS - 1) / _PRECISION)
        found += np.float32(0.5)
        return found.astype(np.uint8).reshape(-1, 4)

    def _between_nodes(self, pixels: Packed) -> NDArray[np.float32]:
        """Returns four numbers for each pixel, of `_PRECISION`, the last of which means nothing."""
        blue = pixels >> 16
        blue &= 0xFF
        place = blue * _NODE_FACTOR
        place >>= 16
        red_and_green = pixels & 0xFFFF
        red_and_green *= NODES
        place += red_and_green
        at = place.astype(np.intp)
        below = self._nodes.take(at, mode="clip").view(np.uint16).astype(np.float32)
        at += 1
        found = self._nodes.take(at, mode="clip").view(np.uint16).astype(np.float32)
        found -= below
        found *= self._parts.take(blue.astype(np.intp), mode="clip").view(np.float32)
        found += below
        return found


def unchanged(pixels: Packed) -> Planes:
    """Returns the planes of pixels that no table changes."""
    planes = np.empty((3, len(pixels)), np.float32)
    for channel in range(3):
        values = (pixels >> (8 * channel)) & 0xFF
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
