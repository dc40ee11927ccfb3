"""Auto-level finds what the reference finds, as amounts that a recipe may have, and leaves good pictures alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image

from media.editing import auto_levels, recipes
from media.editing.recipes import Adjustments, Recipe
from tests.media.editing import reference

UNHURRIED = settings(deadline=None)


def told(adjust: Adjustments) -> dict:
    return recipes.to_json(Recipe(adjust=adjust)).get("adjust", {})


@UNHURRIED
@given(
    some.integers(0, 10**6),
    some.floats(0.2, 4),
    some.floats(0, 0.5),
    some.floats(0.02, 0.5),
    *[some.floats(0.4, 1)] * 3,
)
def test_it_finds_what_the_reference_finds(seed, gamma, low, span, red, green, blue):
    pixels = np.random.default_rng(seed).random((300, 3)).repeat(2, 0) ** gamma * span + low
    pixels = np.clip(pixels * np.array([red, green, blue]), 0, 1)

    found = auto_levels.from_pixels(pixels)

    wanted = reference.auto(pixels[None])
    assert told(found).keys() == wanted.keys()
    for name, value in told(found).items():
        # On the border between two whole numbers either is right.
        assert value == pytest.approx(wanted[name], abs=0.001 if name == "levels" else 1)


@UNHURRIED
@given(
    some.sampled_from(["L", "RGB", "1"]), some.integers(1, 400), some.integers(1, 400), some.integers(0, 255)
)
def test_any_picture_gives_a_recipe(mode, width, height, level):
    found = auto_levels.find(Image.new(mode, (width, height), level))

    assert recipes.parse(recipes.canonical(Recipe(adjust=found))).adjust == found


def test_a_dull_picture_gets_contrast_and_a_dark_one_light():
    ramp = np.linspace(0, 1, 400)[:, None] * np.ones(3)

    dull = auto_levels.from_pixels(0.4 + ramp * 0.2)
    dark = auto_levels.from_pixels(ramp**2 * 0.8)

    assert dull.levels != (0.0, 1.0)
    assert dull.contrast > 0
    assert dark.exposure > 0


def test_a_cast_is_taken_back_in_part_and_a_black_and_white_picture_stays_one():
    ramp = np.linspace(0.05, 0.9, 400)[:, None] * np.ones(3)

    warm = auto_levels.from_pixels(ramp * np.array([1.0, 0.97, 0.9]))
    grey = auto_levels.from_pixels(ramp)

    assert warm.warmth < 0
    assert (grey.warmth, grey.tint, grey.vibrance, grey.saturation) == (0, 0, 0, 0)


def test_a_large_picture_gives_what_its_small_copy_gives():
    noise = np.random.default_rng(1).integers(60, 200, (192, 256, 3), np.uint8)
    small = Image.fromarray(noise)
    large = small.resize((1024, 768), Image.Resampling.NEAREST)

    assert auto_levels.find(large) == auto_levels.find(small)
