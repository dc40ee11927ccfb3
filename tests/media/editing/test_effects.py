"""Clarity, vignette, sharpen and grain: the designed numbers, the same in strips as in one piece, at every size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from media import filters
from media.editing import developing, effects, noise, recipes
from media.editing.recipes import Adjustments, Recipe
from tests.media.editing import reference
from tests.media.test_filters import EXPECTED, LOOKS_AS_DICTS

LOOKS_FILE = Path(filters.__file__).parent / "editing" / "looks.json"
STEP = np.where(np.arange(32) < 16, 0.25, 0.75)
ALL = Adjustments(
    exposure=20, contrast=15, vibrance=10, clarity=40, vignette=30, sharpen=50, fade=10, grain=30
)


def planes(width: int, height: int, value: float | np.ndarray) -> np.ndarray:
    return np.zeros((3, height, width), np.float32) + np.float32(value)


def scene(width: int, height: int) -> Image.Image:
    """A picture with edges, smooth parts, texture and colours."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    wave = np.sin(40 * x * x + 9 * y) * 0.25 + 0.5
    disc = np.where((x - 0.4) ** 2 + (y - 0.3) ** 2 < 0.03, 0.35, 0.0)
    texture = np.random.default_rng(5).normal(0, 0.02, (height, width))
    rgb = np.stack([wave + disc, 0.8 * y + 0.5 * wave + texture, 1 - x + texture - disc], -1)
    return Image.fromarray((np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8))


def in_reference(image: Image.Image, recipe: Recipe) -> np.ndarray:
    told = recipes.to_json(recipe)
    rendered = reference.render(np.asarray(image) / 255, told, LOOKS_AS_DICTS)
    return np.floor(rendered * 255 + 0.5).astype(int)


def differences(image: Image.Image, recipe: Recipe) -> np.ndarray:
    got = np.asarray(filters.Edit(recipe).develop(image)).astype(int)
    return np.abs(got - in_reference(image, recipe))


def test_a_vignette_is_the_designed_one():
    white = planes(5, 3, 1.0)

    effects.Vignette(5, 3, 1.0).apply(white, 0)

    assert white[0, 0] == pytest.approx(EXPECTED["vignette 100, 5x3 white, first row"], abs=1e-4)


def test_sharpening_is_the_designed_one():
    step = planes(32, 16, STEP)

    y = effects.luma(step)
    effects.Sharpen(32, 1.0).apply(step, y, y[:2], y[-2:])

    wanted = EXPECTED["sharpen 100, step 0.25/0.75 at x=16 of 32x16, row 8, x=13..18"]
    assert step[1, 8, 13:19] == pytest.approx(wanted, abs=1e-4)


def test_clarity_is_the_designed_one():
    step = planes(32, 16, STEP)
    clarity = effects.Clarity(32, 16, 1.0)
    clarity.measure(clarity.narrow(effects.luma(step)))

    clarity.apply(step, 0)

    wanted = EXPECTED["clarity 100, same step, row 8, x=13..18"]
    assert step[2, 8, 13:19] == pytest.approx(wanted, abs=1e-4)


def test_grain_is_the_designed_one():
    grey = planes(4, 2, 0.5)

    effects.add_grain(grey, noise.Grain(4, 2, 1).rows(0, 2), 1.0)

    wanted = EXPECTED["grain 100, 4x2 grey 0.5 at long side 4, seed 1"]
    assert grey[0] == pytest.approx(np.array(wanted), abs=1e-4)


def test_the_noise_is_that_of_every_browser():
    for point in EXPECTED["noise"]:
        place = (np.array([point["x"]], np.uint32), np.array([point["y"]], np.uint32))
        assert noise.lattice(*place, point["seed"])[0] == pytest.approx(point["value"], abs=1e-6)


def test_grain_is_as_strong_as_designed_and_of_no_direction():
    field = noise.Grain(2000, 1500, 3).rows(0, 1500)

    assert float(field.std()) == pytest.approx(0.375, abs=0.01)
    assert float(field.mean()) == pytest.approx(0, abs=0.01)
    again = noise.Grain(2000, 1500, 3)
    for top in (700, 703, 1490, 0):
        assert again.rows(top, top + 10) == pytest.approx(field[top : top + 10], abs=1e-6)


@pytest.mark.parametrize("size", [(700, 525), (300, 500)])
@pytest.mark.parametrize(
    "adjust",
    [
        Adjustments(clarity=100),
        Adjustments(clarity=-100),
        Adjustments(vignette=100),
        Adjustments(vignette=-100),
        Adjustments(sharpen=100),
        Adjustments(grain=100),
        Adjustments(exposure=-40, saturation=30),
        ALL,
    ],
)
def test_a_picture_is_the_one_of_the_reference(size, adjust):
    found = differences(scene(*size), Recipe(adjust=adjust, seed=77))

    assert found.max() <= 1
    assert found.mean() <= 0.05


@pytest.mark.parametrize("look", [look["id"] for look in json.loads(LOOKS_FILE.read_text())["looks"]])
def test_a_look_of_a_picture_is_the_one_of_the_reference(look):
    found = differences(scene(320, 240), Recipe(look=look, strength=90))

    assert found.max() <= 1
    assert found.mean() <= 0.05


def test_the_brightness_of_a_large_picture_is_measured_closely_enough():
    found = differences(scene(2600, 300), Recipe(adjust=Adjustments(clarity=100)))

    assert found.max() <= 2
    assert found.mean() <= 0.1


def test_no_strip_shows(monkeypatch):
    image, recipe = scene(257, 190), Recipe(adjust=ALL, look="plate")
    whole = filters.Edit(recipe).develop(image)

    monkeypatch.setattr(developing, "_STRIP_PIXELS", 257 * 7)

    assert filters.Edit(recipe).develop(image) == whole
    plain = Recipe(look="linen")
    assert filters.Edit(plain).develop(image) == filters.Edit(recipes.colours_only(plain)).develop(image)


def test_many_pixels_are_looked_up_as_few_are(monkeypatch):
    image, recipe = scene(150, 100), Recipe(adjust=Adjustments(vignette=20), look="postcard")
    few = np.asarray(filters.Edit(recipe).develop(image)).astype(int)

    monkeypatch.setattr(developing, "_SMALL_PIXELS", 0)
    many = np.asarray(filters.Edit(recipe).develop(image)).astype(int)

    assert np.abs(few - many).max() <= 1
    assert (few != many).mean() < 0.001


def test_a_table_alone_is_looked_up_for_many_pixels_as_for_few(monkeypatch):
    image, recipe = scene(150, 100), Recipe(adjust=Adjustments(vibrance=60), look="linen")
    wanted = in_reference(image, recipe)

    monkeypatch.setattr(developing, "_FEW_PIXELS", 0)
    many = np.asarray(filters.Edit(recipe).develop(image)).astype(int)

    assert np.abs(many - wanted).max() <= 1
    assert (many != wanted).mean() < 0.001


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 300), (3000, 2)])
def test_a_picture_of_any_shape_can_be_edited(size):
    image = Image.new("RGB", size, (90, 120, 150))

    assert filters.Edit(Recipe(adjust=ALL, look="soot")).develop(image).size == size


def test_a_picture_is_not_changed_by_being_edited():
    image = scene(60, 40)
    before = image.tobytes()

    for adjust in (ALL, Adjustments(fade=50)):
        assert filters.Edit(Recipe(adjust=adjust)).develop(image).tobytes() != before

    assert image.tobytes() == before


@pytest.mark.parametrize("adjust", [ALL, Adjustments(fade=50)])
def test_a_picture_that_may_be_used_up_becomes_the_edited_one(adjust):
    image, edit = scene(60, 340), filters.Edit(Recipe(adjust=adjust))
    wanted = edit.develop(image)

    found = edit.develop(image, in_place=True)

    assert found is image
    assert found == wanted


def test_brightness_is_averaged_over_cells_that_are_no_whole_pixels():
    for length, cells in ((10, 4), (256, 256), (3, 2), (1, 2), (1333, 256)):
        row = np.random.default_rng(length).random((2, length)).astype(np.float32)

        wanted = np.repeat(row, cells, 1).reshape(2, cells, length).mean(-1)

        assert effects.average(row, cells) == pytest.approx(wanted, abs=1e-6)


def test_the_look_adds_to_the_tools_within_their_bounds():
    both = effects.amounts(Recipe(look="plate", strength=50, adjust=Adjustments(vignette=90, grain=10)))

    assert both == effects.Amounts(clarity=0, vignette=1.0, sharpen=0, grain=pytest.approx(0.21))
