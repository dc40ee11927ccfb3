"""BlurHash agrees with the reference implementation; the expected values below are its own."""

from __future__ import annotations

import pytest

from media import blurhash


def pattern(width: int, height: int) -> bytes:
    return bytes(
        channel % 256 for y in range(height) for x in range(width) for channel in (x * 8, y * 10, x * y * 3)
    )


@pytest.mark.parametrize(
    ("size", "components", "expected"),
    [
        ((32, 24), (4, 3), "LxH27x2nwtX4mCWUjrf6gFfhfRfl"),
        ((24, 32), (4, 4), "UZCtkG7DwsbpmBadjre:dGe.fRe?q3bYjvf+"),
        ((1, 1), (4, 4), "U00000fQfQfQfQfQfQfQfQfQfQfQfQfQfQfQ"),
        ((32, 1), (4, 3), "L~G{_V6hwxWp|c6hwxWp|c6hwxWp"),
    ],
)
def test_the_hash_is_the_one_others_would_make(size, components, expected):
    assert blurhash.encode(pattern(*size), *size, *components) == expected
