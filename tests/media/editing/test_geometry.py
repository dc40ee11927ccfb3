"""Turning, mirroring, cropping, straightening and perspective are one map, which never reaches outside the picture."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image

from media.editing import geometry
from media.editing.recipes import TURNS, WHOLE_FRAME, Recipe
from tests.media.editing import reference
from tests.media.test_filters import EXPECTED

UNHURRIED = settings(deadline=None)

T = Image.Transpose
CROPS = (WHOLE_FRAME, (0.1, 0.2, 0.7, 0.95))
SIDES = some.integers(2, 5000)
SLIDER = some.integers(-100, 100)


def scene() -> Image.Image:
    noise = np.random.default_rng(3).integers(0, 256, (8, 12, 3), np.uint8)
    return Image.fromarray(noise).resize((90, 60), Image.Resampling.BICUBIC)


def warped(image: Image.Image, recipe: Recipe, orientation: T | None = None) -> Image.Image:
    shape = geometry.shape(recipe, orientation)
    return shape.warp(image, (0, 0, *image.size), image.size, shape.size(image.size))


def step_by_step(image: Image.Image, orientation: T | None, recipe: Recipe) -> Image.Image:
    image = image if orientation is None else image.transpose(orientation)
    image = image.rotate(-recipe.turn, expand=True)
    image = image.transpose(T.FLIP_LEFT_RIGHT) if recipe.flip else image
    sides = (*image.size, *image.size)
    return image.crop(tuple(round(part * side) for part, side in zip(recipe.crop, sides, strict=True)))


@pytest.mark.parametrize("orientation", [None, *T])
def test_whichever_way_up_a_file_is_it_is_cut_from_the_upright_picture(orientation):
    image = scene()
    for turn, flip, crop in product(TURNS, (False, True), CROPS):
        recipe = Recipe(turn=turn, flip=flip, crop=crop)
        shape = geometry.shape(recipe, orientation)
        wanted = step_by_step(image, orientation, recipe)

        cut = shape.cut(image)
        upright = cut if shape.transpose is None else cut.transpose(shape.transpose)
        resampled = np.asarray(warped(image, recipe, orientation)).astype(int)

        assert upright == wanted
        assert shape.size(image.size) == wanted.size
        assert np.abs(resampled - np.asarray(wanted)).max() <= 1


def test_what_is_whole_is_not_copied():
    image = scene()

    assert geometry.shape(Recipe(turn=90)).cut(image) is image
    assert geometry.changes_shape(Recipe(turn=90))
    assert not geometry.changes_shape(Recipe(look="linen"))


def test_points_come_from_where_they_were_designed_to():
    for case in EXPECTED["source_point 400x300"]:
        found = geometry.source_point(
            *case["at"], 400, 300, case["degrees"], case["vertical"], case["horizontal"]
        )
        assert found == pytest.approx(case["from"], abs=1e-2)


@UNHURRIED
@given(SIDES, SIDES, some.integers(-150, 150), SLIDER, SLIDER)
def test_no_corner_reaches_outside_the_picture(width, height, tenths, vertical, horizontal):
    for x, y in product((0, width), (0, height)):
        from_x, from_y = geometry.source_point(x, y, width, height, tenths / 10, vertical, horizontal)

        assert -1e-6 * width <= from_x <= width * (1 + 1e-6)
        assert -1e-6 * height <= from_y <= height * (1 + 1e-6)


@UNHURRIED
@given(SIDES, SIDES, some.integers(-150, 150), SLIDER, SLIDER, some.floats(0, 1), some.floats(0, 1))
def test_the_map_is_the_one_of_the_reference(width, height, tenths, vertical, horizontal, x, y):
    corrections = (width, height, tenths / 10, vertical, horizontal)
    wanted = reference.source_point(np.array(x * width), np.array(y * height), *corrections)

    found = geometry.source_point(x * width, y * height, *corrections)

    assert found == pytest.approx([float(value) for value in wanted], abs=1e-6 * max(width, height))


def test_a_straightened_picture_has_no_empty_corner():
    white = Image.new("L", (301, 200), 255)
    for degrees, vertical, horizontal in product((-15, -0.1, 7), (-100, 0, 60), (-100, 0, 100)):
        recipe = Recipe(straighten=degrees, vertical=vertical, horizontal=horizontal)

        assert geometry.is_warped(recipe)
        assert warped(white, recipe, T.ROTATE_90).getextrema() == (255, 255)


def test_a_positive_angle_turns_the_picture_clockwise():
    line = Image.new("L", (200, 200), 0)
    line.paste(255, (0, 98, 200, 102))

    turned = np.asarray(warped(line, Recipe(straighten=10))).astype(int)

    rows = np.arange(200)
    assert turned[:, 10] @ rows / turned[:, 10].sum() < 90
    assert turned[:, 190] @ rows / turned[:, 190].sum() > 110


def test_a_positive_vertical_narrows_the_top_and_a_positive_horizontal_the_left():
    stripes = Image.new("L", (200, 200), 0)
    stripes.paste(255, (80, 80, 120, 120))

    vertical = np.asarray(warped(stripes, Recipe(vertical=100))) > 127
    horizontal = np.asarray(warped(stripes, Recipe(horizontal=100))) > 127

    down, across = np.nonzero(vertical.any(1))[0], np.nonzero(horizontal.any(0))[0]
    assert vertical[down[1]].sum() < vertical[down[-2]].sum()
    assert horizontal[:, across[1]].sum() < horizontal[:, across[-2]].sum()


def test_the_least_crop_of_the_smallest_picture_is_a_pixel():
    shape = geometry.shape(Recipe(crop=(0.98, 0.98, 1.0, 1.0)))

    assert shape.size((1, 1)) == (1, 1)
    assert shape.cut(Image.new("RGB", (1, 1))).size == (1, 1)


@UNHURRIED
@given(SIDES, SIDES)
def test_the_size_before_it_is_known_which_way_is_up_is_one_of_two(width, height):
    recipe = Recipe(crop=(0.1, 0.3, 0.5, 1.0), turn=270)
    sizes = list(geometry.sizes(recipe, (width, height)))

    for orientation in (None, T.ROTATE_90, T.ROTATE_180, T.TRANSVERSE):
        shape = geometry.shape(recipe, orientation)
        size = shape.size((width, height))
        is_sideways = shape.transpose in (T.ROTATE_90, T.ROTATE_270, T.TRANSPOSE, T.TRANSVERSE)
        assert (size[::-1] if is_sideways else size) in sizes


@pytest.mark.parametrize("crop", CROPS)
def test_a_part_made_smaller_first_gives_the_smaller_result(crop):
    image = scene().resize((900, 600), Image.Resampling.BICUBIC)
    recipe = Recipe(straighten=6, vertical=30, crop=crop)
    shape = geometry.shape(recipe, T.ROTATE_90)
    box = shape.source_box(image.size)
    part = image.crop(box)
    size = tuple(side // 3 for side in shape.size(image.size))

    small = shape.warp(part.resize((part.width // 3, part.height // 3)), box, image.size, size)

    wanted = warped(image, recipe, T.ROTATE_90).resize(size)
    assert np.abs(np.asarray(small).astype(int) - np.asarray(wanted)).mean() < 1


@UNHURRIED
@given(some.sampled_from(CROPS), some.sampled_from(TURNS), some.integers(-150, 150))
def test_what_is_straightened_has_as_many_pixels_as_are_shown_of_the_picture(crop, turn, tenths):
    shape = geometry.shape(Recipe(straighten=tenths / 10, turn=turn, crop=crop))
    frame, size = shape.size((4000, 3000)), shape.real_size((4000, 3000))
    origin, right, down = (
        geometry._apply(shape.point_map((4000, 3000)), *point)
        for point in ((0, 0), (frame[0], 0), (0, frame[1]))
    )

    assert size == pytest.approx((math.dist(origin, right), math.dist(origin, down)), abs=1)


@UNHURRIED
@given(some.sampled_from(CROPS), some.integers(-150, 150), SLIDER, SLIDER)
def test_perspective_loses_no_pixel_where_the_most_are_shown(crop, tenths, vertical, horizontal):
    recipe = Recipe(straighten=tenths / 10, vertical=vertical, horizontal=horizontal, crop=crop)
    shape = geometry.shape(recipe)
    frame, size = shape.size((4000, 3000)), shape.real_size((4000, 3000))
    matrix = shape.point_map((4000, 3000))

    def steps(x: float, y: float) -> list[float]:
        """How far apart in the picture two pixels of the result are."""
        at = (x * frame[0], y * frame[1])
        beside = (at[0] + frame[0] / size[0] / 100, at[1] + frame[1] / size[1] / 100)
        here = geometry._apply(matrix, *at)
        return [
            100 * math.dist(here, geometry._apply(matrix, *there))
            for there in ((beside[0], at[1]), (at[0], beside[1]))
        ]

    places = [step for x, y in product((0, 0.5, 1), repeat=2) for step in steps(x, y)]
    assert size == frame or max(places) == pytest.approx(1, abs=0.01)
    assert size[0] <= frame[0]
    assert size[1] <= frame[1]


@UNHURRIED
@given(some.sampled_from(CROPS), some.sampled_from(TURNS), some.booleans(), some.integers(-20, 20), SLIDER)
def test_a_point_that_stays_in_view_comes_back_when_an_edit_is_undone(crop, turn, flip, degrees, vertical):
    before = Recipe(turn=90, crop=(0.0, 0.1, 1.0, 1.0))
    after = Recipe(turn=turn, flip=flip, straighten=float(degrees), vertical=vertical, crop=crop)
    size = geometry.shape(before).real_size((1200, 900))
    there = geometry.follow_point(0.55, 0.45, before, after, size)
    if there is None:
        return

    back = geometry.follow_point(*there, after, before, geometry.shape(after).real_size((1200, 900)))

    assert back == pytest.approx((0.55, 0.45), abs=0.01)


def test_a_point_that_is_cut_off_is_nowhere():
    crop = Recipe(crop=(0.5, 0.0, 1.0, 1.0))

    assert geometry.follow_point(0.2, 0.5, Recipe(), crop, (400, 300)) is None
    assert geometry.follow_point(0.75, 0.5, Recipe(), crop, (400, 300)) == pytest.approx((0.5, 0.5))
    assert geometry.follow_point(0.2, 0.5, Recipe(), Recipe(turn=90), (400, 300)) == pytest.approx((0.5, 0.2))
