"""Tools and looks give the colours that were designed, in a table that is smooth and shared with browsers."""

from __future__ import annotations

import functools
import json
import struct
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from media import filters
from media.editing import recipes, table
from media.editing.looks import LOOKS
from media.editing.recipes import Adjustments, Recipe
from tests.media.editing import reference

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "editing"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
PATCHES = list(EXPECTED["patches"].values())
LOOKS_AS_DICTS = {
    look["id"]: look
    for look in json.loads((Path(filters.__file__).parent / "editing" / "looks.json").read_text())["looks"]
}
COLOUR_TOOLS = [
    name for name in recipes.SIGNED_TOOLS + recipes.UNSIGNED_TOOLS
    if name not in ("clarity", "vignette", "sharpen", "grain")
]  # fmt: skip
EACH_TOOL = {
    f"{name} {amount:+d}": Recipe(adjust=Adjustments(**{name: amount}))
    for name, amount in product(COLOUR_TOOLS, (-100, -50, 50, 100))
    if amount > 0 or name in recipes.SIGNED_TOOLS
}
EACH_TOOL["levels 0.1 0.9"] = Recipe(adjust=Adjustments(levels=(0.1, 0.9)))
EACH_LOOK = {name: Recipe(look=name) for name in LOOKS}
LEVELS_LIMIT = Recipe(adjust=Adjustments(levels=(0.16, 0.72)))


@functools.cache
def nodes_of(recipe: Recipe) -> table.Table:
    return table.build(recipe)


def edited(recipe: Recipe, pixels: list[list[int]]) -> list[list[int]]:
    """Pixels as the table alone makes them."""
    shown = table.look_up(np.array(pixels) / 255, nodes_of(recipe))
    return np.floor(shown * 255 + 0.5).astype(int).tolist()


def assert_near(got: list[list[int]], wanted: list[list[int]]) -> None:
    assert np.abs(np.array(got) - np.array(wanted)).max() <= EXPECTED["tolerance"], (got, wanted)


@pytest.mark.parametrize("name", sorted(EACH_LOOK))
def test_a_look_gives_the_designed_colours(name):
    assert_near(edited(Recipe(look=name), PATCHES), EXPECTED["looks"][name])
    assert_near(edited(Recipe(look=name, strength=50), PATCHES), EXPECTED["half"][name])


@pytest.mark.parametrize("name", sorted(EACH_TOOL))
def test_a_tool_gives_the_designed_colours(name):
    assert_near(edited(EACH_TOOL[name], PATCHES), EXPECTED["tools"][name])


def test_every_look_and_tool_with_a_number_is_tested():
    assert set(EXPECTED["looks"]) == set(EXPECTED["half"]) == set(EACH_LOOK)
    assert set(EXPECTED["tools"]) == set(EACH_TOOL)


def test_tools_and_a_look_together_give_the_designed_colours():
    recipe = recipes.from_json({"version": 1} | EXPECTED["combined"]["recipe"])

    assert_near(edited(recipe, PATCHES), EXPECTED["combined"]["rgb"])


@pytest.mark.parametrize("recipe", [*EACH_LOOK.values(), *EACH_TOOL.values()], ids=[*EACH_LOOK, *EACH_TOOL])
def test_the_table_is_the_one_of_the_reference(recipe):
    told = {name: value for name, value in recipes.to_json(recipe).items() if name != "version"}

    wanted = reference.build_table(told, LOOKS_AS_DICTS)

    assert np.abs(nodes_of(recipe) - wanted).max() < 1e-6


def test_a_neutral_recipe_changes_nothing():
    nodes = table.build(recipes.NEUTRAL)
    axis = np.linspace(0, 1, table.NODES)
    image = Image.linear_gradient("L").convert("RGB")

    assert np.abs(nodes - np.stack(np.meshgrid(axis, axis, axis, indexing="ij")[::-1], -1)).max() < 1e-7
    assert filters.Edit(Recipe(seed=9, turn=90)).develop(image) is image


def test_the_least_of_a_tool_moves_mid_grey_by_one_at_most():
    for name, amount in product(COLOUR_TOOLS, (-1, 1)):
        if amount > 0 or name in recipes.SIGNED_TOOLS:
            assert_near(edited(Recipe(adjust=Adjustments(**{name: amount})), [[128] * 3]), [[128] * 3])


@pytest.mark.parametrize(
    ("name", "recipe"), [*EACH_LOOK.items(), *EACH_TOOL.items(), ("levels at their limits", LEVELS_LIMIT)]
)
def test_greys_rise_evenly_and_every_value_is_one(name, recipe):
    nodes = nodes_of(recipe)
    ramp = np.repeat(np.arange(256)[:, None] / 255, 3, 1)

    shown = table.look_up(ramp, nodes) * 255

    assert np.isfinite(nodes).all()
    assert nodes.min() >= 0
    assert nodes.max() <= 1
    falls = -0.2 if recipe.adjust.levels != (0.0, 1.0) else -1e-4
    assert np.diff(shown @ reference.LUMA).min() >= falls
    assert np.abs(np.diff(shown, 2, axis=0)).max() <= 1.6


@pytest.mark.parametrize("name", sorted(EACH_LOOK))
def test_a_look_has_no_steps(name):
    nodes = nodes_of(Recipe(look=name))

    assert max(np.abs(np.diff(nodes, 2, axis=axis)).max() for axis in range(3)) <= 0.12


def test_a_browser_gets_red_fastest_then_green_then_blue():
    recipe = Recipe(adjust=Adjustments(warmth=40), flip=True)
    data = filters.table_bytes(recipe)

    assert len(data) == 431_244
    for corner, (red, green, blue) in enumerate([(1, 0, 0), (0, 1, 0), (0, 0, 1)]):
        at = ((blue * 33 + green) * 33 + red) * 32 * 12
        assert int(np.argmax(struct.unpack_from("<3f", data, at))) == corner
    at = ((3 * 33 + 20) * 33 + 11) * 12
    assert struct.unpack_from("<3f", data, at) == tuple(table.build(recipe)[3, 20, 11])


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255)])
def test_channels_are_not_mixed_up_in_a_picture(colour):
    """With an effect and without: the two ways in which pixels are looked up."""
    # The vignette leaves the middle as it is.
    for recipe in (
        Recipe(adjust=Adjustments(contrast=10)),
        Recipe(adjust=Adjustments(contrast=10, vignette=50)),
    ):
        image = filters.Edit(recipe).develop(Image.new("RGB", (401, 401), colour))
        assert image.getpixel((200, 200)) == colour


@pytest.mark.parametrize(
    ("recipe", "loads_numpy"),
    [
        (Recipe(crop=(0.1, 0.0, 0.9, 1.0)), False),
        (Recipe(turn=90, flip=True, straighten=2.5, vertical=10), False),
        (Recipe(adjust=Adjustments(fade=10)), True),
        (Recipe(look="linen"), True),
    ],
)
def test_numpy_is_loaded_only_where_colours_are_edited(recipe, loads_numpy):
    program = (
        "import sys; from PIL import Image; from media import filters;"
        "filters.load(sys.argv[1]).develop(Image.new('RGB', (40, 30)));"
        "print('numpy' in sys.modules)"
    )

    run = subprocess.run(
        [sys.executable, "-c", program, recipes.canonical(recipe)],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip

    assert run.stdout.split() == [str(loads_numpy)]
