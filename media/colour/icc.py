"""Builds small ICC.1:2010 (version 4) display profiles: three colorants and one curve.

Colorants are adapted to D50, as the format demands.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

Colorant = tuple[float, float, float]
Chromaticity = tuple[float, float]
Matrix = tuple[Colorant, Colorant, Colorant]

D65: Chromaticity = (0.3127, 0.3290)
_D50: Colorant = (0.9642, 1.0, 0.8249)
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


SRGB_CURVE = struct.pack(">4sIHH", b"para", 0, 3, 0) + _fixed(
    2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045
)


def table_curve(levels: Sequence[float]) -> bytes:
    """Returns a curve given by its values (0…1) at even steps."""
    values = [round(65535 * min(1.0, max(0.0, level))) for level in levels]
    return struct.pack(f">4sII{len(values)}H", b"curv", 0, len(values), *values)


def profile(name: str, red: Colorant, green: Colorant, blue: Colorant, curve: bytes = SRGB_CURVE) -> bytes:
    """Returns a display profile."""

    def text_tag(text: str) -> bytes:
        return struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(text) * 2, 28) + text.encode(
            "utf-16-be"
        )

    def xyz_tag(*numbers: float) -> bytes:
        return b"XYZ " + bytes(4) + _fixed(*numbers)

    adaptation = (1.047882, 0.022919, -0.050201, 0.029587, 0.990479, -0.017059, -0.009232, 0.015076, 0.751678)
    tags = {
        b"desc": text_tag(name),
        b"cprt": text_tag("Public domain"),
        b"wtpt": xyz_tag(*_D50),
        b"chad": b"sf32" + bytes(4) + _fixed(*adaptation),
        b"rXYZ": xyz_tag(*red),
        b"gXYZ": xyz_tag(*green),
        b"bXYZ": xyz_tag(*blue),
        b"rTRC": curve,
    }
    table, body, places = b"", b"", {}
    start = 128 + 4 + 12 * (len(tags) + 2)
    for tag, value in tags.items():
        places[tag] = struct.pack(">II", start + len(body), len(value))
        table += tag + places[tag]
        body += value + bytes(-len(value) % 4)
    table += b"gTRC" + places[b"rTRC"] + b"bTRC" + places[b"rTRC"]
    header = struct.pack(
        ">I4sI4s4s4s6H4s4sI8sQI12s4s16s28s",
        *(start + len(body), bytes(4), 0x04300000, b"mntr", b"RGB ", b"XYZ ", 2025, 1, 1, 0, 0, 0, b"acsp"),
        *(bytes(4), 0, bytes(8), 0, 0, _fixed(*_D50), bytes(4), bytes(16), bytes(28)),
    )
    return header + struct.pack(">I", len(tags) + 2) + table + body


def colorants(
    red: Chromaticity, green: Chromaticity, blue: Chromaticity, white: Chromaticity
) -> tuple[Colorant, Colorant, Colorant]:
    """Returns the colorants of primaries and a white point, adapted to D50 (Bradford).

    Raises ValueError for primaries that span no colours.
    """
    primaries = _transposed((_xyz(red), _xyz(green), _xyz(blue)))
    white_xyz = _xyz(white)
    shares = _apply(_inverted(primaries), white_xyz)
    if min(shares) <= 0:
        raise ValueError("the white point lies outside the primaries")
    there, here = _apply(_BRADFORD, white_xyz), _apply(_BRADFORD, _D50)
    if min(abs(one) for one in there) < 1e-6:
        raise ValueError("a white point without a colour")
    gains = [target / source for source, target in zip(there, here, strict=True)]
    back = _inverted(_BRADFORD)

    def adapted(colour: Chromaticity, share: float) -> Colorant:
        x, y, z = _apply(_BRADFORD, _xyz(colour))
        return _apply(back, (x * gains[0] * share, y * gains[1] * share, z * gains[2] * share))

    return adapted(red, shares[0]), adapted(green, shares[1]), adapted(blue, shares[2])


def _xyz(colour: Chromaticity) -> Colorant:
    x, y = colour
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ValueError("a chromaticity is a share")
    # Primaries may lie on the axis (the imaginary ones of XYZ do); nothing is divided by a y of 0.
    y = max(y, 1e-4)
    return x / y, 1.0, (1 - x - y) / y


def _apply(matrix: Matrix, vector: Colorant) -> Colorant:
    one, two, three = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return one, two, three


def _transposed(matrix: Matrix) -> Matrix:
    one, two, three = zip(*matrix, strict=True)
    return one, two, three


def _inverted(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    if abs(determinant) < 1e-6:
        raise ValueError("primaries on one line")
    rows = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    one, two, three = ((x / determinant, y / determinant, z / determinant) for x, y, z in rows)
    return one, two, three
