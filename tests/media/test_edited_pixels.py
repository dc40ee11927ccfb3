"""An edited picture is the edit of the upright original, in every variant, from every format and colour space."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from media import filters
from media.editing import geometry
from media.editing.recipes import NEUTRAL, Adjustments, Recipe
from media.images import VARIANTS, Picture, Variant
from media.pixels import render
from tests.media import samples
from tests.media.editing.test_effects import scene

LOSSLESS = (Variant("page", 4096, "webp", 100, "test"),)
ALL_FORMATS = (
    Variant("page", 200, "jpeg", 95, "test"),
    Variant("page", 200, "webp", 95, "test"),
    Variant("page", 200, "avif", 95, "test"),
)
SQUARE = Variant("thumb", 60, "jpeg", 98, "test", ratio=1)
GREY = Recipe(adjust=Adjustments(saturation=-100))


def rendered(data: bytes, recipe: Recipe, variants: tuple[Variant, ...] = ALL_FORMATS) -> Picture:
    return render(data, variants, filters.Edit(recipe))


def shown(picture: Picture, place: int = 0) -> np.ndarray:
    return np.asarray(samples.opened(picture, place).convert("RGB")).astype(int)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_crop_is_of_the_upright_picture(orientation):
    picture = rendered(samples.turned("JPEG", orientation), Recipe(crop=(0.5, 0, 1, 1)))

    assert (picture.width, picture.height) == (48, 64)
    for place, file in enumerate(picture.files):
        assert (file.width, file.height) == (48, 64) == samples.opened(picture, place).size
        corners = samples.corners(samples.opened(picture, place))
        assert samples.alike((corners[0], corners[2]), (samples.GREEN, samples.WHITE))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_and_mirroring_start_from_the_upright_picture(orientation):
    picture = rendered(samples.turned("JPEG", orientation), Recipe(turn=90, flip=True))

    assert (picture.width, picture.height) == (64, 96)
    # Clockwise: blue, red above white, green; then mirrored.
    wanted = (samples.RED, samples.BLUE, samples.GREEN, samples.WHITE)
    assert samples.alike(samples.corners(samples.opened(picture)), wanted)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_straightened_picture_is_upright_and_has_as_many_pixels_as_are_left(orientation):
    picture = rendered(samples.turned("JPEG", orientation), Recipe(straighten=5))

    assert (picture.width, picture.height) == (85, 57)
    assert samples.opened(picture).size == (85, 57)
    assert samples.alike(samples.corners(samples.opened(picture)), samples.QUARTERS)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_colours_are_edited_whatever_the_file_is(kind, mode):
    image = samples.quarters().convert(mode)
    if kind == "JPEG" and mode == "RGBA":
        image = image.convert("CMYK")

    picture = rendered(samples.encoded(image, kind), GREY)

    for place in range(len(ALL_FORMATS)):
        found = shown(picture, place)
        assert (found.max(-1) - found.min(-1)).max() <= 6
    assert picture.blurhash == rendered(samples.encoded(image, kind), GREY).blurhash


def test_wide_colours_become_srgb_before_they_are_edited():
    plain = render(samples.HEIC, ALL_FORMATS)
    picture = rendered(samples.HEIC, Recipe(adjust=Adjustments(contrast=1)))

    assert "icc_profile" not in samples.opened(picture, 1).info
    assert np.abs(shown(picture, 1) - shown(plain, 0)).mean() < 8


def test_the_blurhash_is_that_of_the_edited_picture():
    data = samples.encoded(samples.quarters(), "PNG")
    edited = rendered(data, GREY)

    again = render(samples.encoded(samples.opened(rendered(data, GREY, LOSSLESS)), "PNG"), ALL_FORMATS)

    assert edited.blurhash == again.blurhash != render(data, ALL_FORMATS).blurhash


def test_a_neutral_edit_changes_no_byte():
    data = samples.encoded(scene(300, 200), "JPEG")

    assert rendered(data, NEUTRAL, VARIANTS) == render(data, VARIANTS)


def test_a_variant_is_edited_at_its_own_size():
    image, recipe = scene(500, 300), Recipe(look="plate", adjust=Adjustments(sharpen=60))
    small = (Variant("page", 250, "webp", 100, "test"),)
    plain = samples.opened(render(samples.encoded(image, "PNG"), small))

    found = rendered(samples.encoded(image, "PNG"), recipe, small)

    # Lossy, even at its best: compared by how it differs on the whole.
    wanted = np.asarray(filters.Edit(recipe).develop(plain.convert("RGB"))).astype(int)
    assert np.abs(shown(found) - wanted).mean() < 3


def test_a_square_is_cut_out_of_the_whole_edited_picture():
    """A vignette darkens the corners of the picture and not those of its square."""
    white = samples.encoded(Image.new("RGB", (240, 120), "white"), "PNG")
    recipe = Recipe(adjust=Adjustments(vignette=100))

    square = shown(rendered(white, recipe, (SQUARE,)))
    whole = shown(rendered(white, recipe, (Variant("page", 120, "jpeg", 98, "test"),)))

    assert square.shape == (60, 60, 3)
    assert np.abs(square - whole[:, 30:90]).max() <= 6
    assert square[0, 0, 0] > whole[0, 0, 0] + 40


def test_a_small_part_of_a_large_jpeg_is_as_sharp_as_it_can_be():
    image = scene(2400, 1600)
    for orientation, crop in ((1, (0.4, 0.4, 0.6, 0.6)), (6, (0.1, 0.0, 0.2, 1.0))):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = samples.encoded(image, "JPEG", quality=95, exif=exif)
        picture = rendered(data, Recipe(crop=crop), (Variant("page", 480, "jpeg", 95, "test"),))

        assert max(picture.files[0].width, picture.files[0].height) == 480


def test_a_photo_that_is_straightened_is_not_enlarged():
    """At 2.5 degrees 94.6 % of each side are shown."""
    data = samples.encoded(scene(4000, 3000), "JPEG", quality=90)

    picture = rendered(data, Recipe(straighten=2.5), VARIANTS[:2])

    sizes = [(file.width, file.height) for file in picture.files]
    assert sizes == [samples.opened(picture, place).size for place in range(2)]
    assert sizes == [(3784, 2838), (1080, 810)]
    assert (picture.width, picture.height) == (3784, 2838)


def test_what_was_tagged_is_where_its_point_goes_from_one_edit_to_the_next():
    image, photo = Image.new("RGB", (1200, 900), "black"), NEUTRAL
    image.paste((255, 255, 255), (690, 390, 710, 410))
    point = (700 / 1200, 400 / 900)
    size = image.size
    for recipe in (
        Recipe(straighten=7),
        Recipe(straighten=-12, turn=90, crop=(0.1, 0.0, 0.9, 0.8)),
        Recipe(vertical=70, horizontal=-40),
        Recipe(straighten=3, vertical=-100, crop=(0.2, 0.2, 1.0, 1.0)),
    ):
        picture = rendered(samples.encoded(image, "PNG"), recipe, LOSSLESS)
        found = geometry.follow_point(*point, photo, recipe, size)
        assert found is not None
        bright = np.argwhere(shown(picture)[..., 1] > 128)

        there = (bright.mean(0) + 0.5)[::-1] / (picture.width, picture.height)

        assert there == pytest.approx(found, abs=0.002)
        photo, point, size = recipe, found, (picture.width, picture.height)


def test_what_is_straightened_is_never_enlarged_and_never_larger_than_a_variant():
    data = samples.encoded(scene(1000, 600), "PNG")
    variants = (Variant("page", 400, "jpeg", 90, "test"), SQUARE)

    large = rendered(data, Recipe(straighten=2), variants)
    small = rendered(data, Recipe(straighten=2, crop=(0, 0, 0.2, 0.2)), variants)

    assert [(file.width, file.height) for file in large.files] == [(400, 240), (60, 60)]
    assert [(file.width, file.height) for file in small.files] == [(189, 113), (60, 60)]
    assert (small.width, small.height) == (189, 113)


def test_auto_level_looks_at_what_the_crop_leaves():
    image = Image.new("RGB", (200, 100), (30, 30, 30))
    image.paste(scene(100, 100), (100, 0))
    data = samples.encoded(image, "PNG")

    def found(crop: tuple[float, float, float, float]) -> str:
        return render(data, ALL_FORMATS, filters.Edit(Recipe(crop=crop)), finds_levels=True).levels

    assert found((0.5, 0, 1, 1)) != found((0, 0, 1, 1))
    assert render(data, ALL_FORMATS).levels == ""
