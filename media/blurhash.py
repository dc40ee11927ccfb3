"""BlurHash: a picture in about thirty characters, shown until the real one is loaded.

Follows the algorithm as published at https://github.com/woltapp/blurhash/blob/master/Algorithm.md. A few
dozen pixels a side are enough, so plain Python is quick enough: the sums are taken one axis at a time.
"""

from __future__ import annotations

from math import cos, pi

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

Colour = tuple[float, float, float]


def encode(rgb: bytes, width: int, height: int, across: int, down: int) -> str:
    """Returns the hash of `width` × `height` sRGB pixels (three bytes each),
    with `across` × `down` components (1–9)."""
    factors = _components([_LINEAR[byte] for byte in rgb], width, height, across, down)
    first, rest = factors[0], factors[1:]
    largest = max((abs(value) for factor in rest for value in factor), default=0.0)
    scale = max(0, min(82, int(largest * 166 - 0.5)))
    return "".join(
        (
            _base83((across - 1) + (down - 1) * 9, 1),
            _base83(scale, 1),
            _base83((_srgb(first[0]) << 16) + (_srgb(first[1]) << 8) + _srgb(first[2]), 4),
            *(_base83(_quantised(factor, (scale + 1) / 166), 2) for factor in rest),
        )
    )


def _components(light: list[float], width: int, height: int, across: int, down: int) -> list[Colour]:
    """Returns the first cosine components of the linear light, row by row."""
    rows: list[list[Colour]] = []
    waves = [[cos(pi * i * x / width) for x in range(width)] for i in range(across)]
    for y in range(height):
        start, end = y * width * 3, (y + 1) * width * 3
        channels = [light[start + c : end : 3] for c in range(3)]
        rows.append([_sums(channels, wave) for wave in waves])
    factors = []
    for j in range(down):
        wave = [cos(pi * j * y / height) for y in range(height)]
        for i in range(across):
            norm = (1 if i == j == 0 else 2) / (width * height)
            column = [[row[i][c] for row in rows] for c in range(3)]
            red, green, blue = _sums(column, wave)
            factors.append((red * norm, green * norm, blue * norm))
    return factors


def _sums(channels: list[list[float]], wave: list[float]) -> Colour:
    red, green, blue = (sum(a * b for a, b in zip(channel, wave, strict=True)) for channel in channels)
    return red, green, blue


def _quantised(factor: Colour, largest: float) -> int:
    number = 0
    for value in factor:
        ratio = value / largest
        root = abs(ratio) ** 0.5 * (1 if ratio >= 0 else -1)
        number = number * 19 + max(0, min(18, int(root * 9 + 9.5)))
    return number


def _base83(number: int, length: int) -> str:
    return "".join(_DIGITS[number // 83**place % 83] for place in reversed(range(length)))


def _to_linear(byte: int) -> float:
    ratio = byte / 255
    return ratio / 12.92 if ratio <= 0.04045 else ((ratio + 0.055) / 1.055) ** 2.4


def _srgb(light: float) -> int:
    light = max(0.0, min(1.0, light))
    ratio = light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return int(ratio * 255 + 0.5)


_LINEAR = tuple(_to_linear(byte) for byte in range(256))
