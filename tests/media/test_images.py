"""The tables of variants, how types are recognised, and what importing the table loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.images import (
    AVATAR_VARIANTS,
    EMOJI_VARIANTS,
    EXTENSIONS,
    HEADER_VARIANTS,
    MIMES,
    VARIANTS,
    Variant,
    sniff,
)

ROOT = Path(__file__).parents[2]


def test_the_first_variant_is_a_jpeg_that_other_servers_accept():
    for table in (VARIANTS, AVATAR_VARIANTS, HEADER_VARIANTS):
        assert len({(variant.name, variant.format) for variant in table}) == len(table)
        assert all(variant.purpose for variant in table)
        first = table[0]
        assert (first.format, first.is_deferred) == ("jpeg", False)
        assert first.edge <= 4096


def test_names_of_variants_are_unique_and_every_format_has_an_extension() -> None:
    for table in (VARIANTS, AVATAR_VARIANTS, HEADER_VARIANTS, EMOJI_VARIANTS):
        assert all(MIMES[variant.format] in EXTENSIONS for variant in table)
    assert not {variant.name for variant in AVATAR_VARIANTS} & {variant.name for variant in HEADER_VARIANTS}


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x14ftypavif\0\0\0\0mif1", "image/avif"),
        (b"\0\0\0\x14ftypheic\0\0\0\0mif1", "image/heic"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "image/avif"),
        (b"\0\0\0\x14ftypmif1\0\0\0\0mif1avif", None),  # behind the end of the box
        (b"\0\0\0\x14ftypisom\0\0\0\0avif", None),
        (b"", None),
    ],
)
def test_a_type_is_recognised_by_its_first_bytes(head: bytes, mime: str | None) -> None:
    assert sniff(head) == mime


@given(st.binary(max_size=64) | st.binary(max_size=60).map(lambda data: data[:4] + b"ftyp" + data[4:]))
def test_any_bytes_have_an_accepted_type_or_none(head: bytes) -> None:
    mime = sniff(head)

    assert mime is None or mime in EXTENSIONS


def test_importing_the_table_loads_no_decoder() -> None:
    program = "import sys, media.images, media.sandbox; print({'PIL', 'pi_heif'} & set(sys.modules))"

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "set()"


EVERY_VARIANT = (*VARIANTS, *AVATAR_VARIANTS, *HEADER_VARIANTS, *EMOJI_VARIANTS)
EDGES = sorted({variant.edge for variant in EVERY_VARIANT})


@pytest.mark.parametrize("edge", EDGES)
def test_no_variant_exceeds_its_edge_for_any_size_near_it(edge: int) -> None:
    near = range(edge - 3, edge + 6)
    sides = [
        1,
        2,
        3,
        edge // 4,
        edge // 2 - 1,
        edge // 2,
        edge // 2 + 1,
        *near,
        edge * 2 - 1,
        edge * 2 + 1,
        edge * 9,
    ]

    for longer in (*near, 2 * edge - 1, 2 * edge, 2 * edge + 1):
        for shorter in (*sides, *range(max(1, edge // 3), longer, 7)):
            for size in ((longer, shorter), (shorter, longer)):
                for variant in EVERY_VARIANT:
                    assert_fits(variant, size)


def assert_fits(variant: Variant, size: tuple[int, int]) -> None:
    width, height = variant.size(*size)
    left, top, right, bottom = variant.box(*size)
    assert 1 <= width <= variant.edge
    assert 1 <= height <= variant.edge
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]
    assert width <= right - left
    assert height <= bottom - top
    if max(right - left, bottom - top) <= variant.edge:
        assert (width, height) == (right - left, bottom - top)
    else:
        assert max(width, height) == variant.edge
        assert abs(width - (right - left) * variant.edge / max(right - left, bottom - top)) <= 1


@given(st.sampled_from(EVERY_VARIANT), st.integers(1, 1 << 20), st.integers(1, 1 << 20))
def test_any_size_fits_any_variant(variant: Variant, width: int, height: int) -> None:
    assert_fits(variant, (width, height))
