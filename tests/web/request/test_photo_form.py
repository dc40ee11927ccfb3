"""The form of a photo's edit: a crop of a shape is one of the recipe, and the recipe comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.editing import recipes
from media.editing.recipes import SIGNED_TOOLS, UNSIGNED_TOOLS, Adjustments, Recipe
from web.request import photo_form
from web.request.photo_form import SHAPES, TOOL_GROUPS


def test_every_tool_has_a_field() -> None:
    names = [name for _group, tools in TOOL_GROUPS for name, _label in tools]

    assert sorted(names) == sorted((*SIGNED_TOOLS, *UNSIGNED_TOOLS))


@pytest.mark.parametrize("size", [(4000, 3000), (3000, 4000), (300, 300), (9000, 100)])
@pytest.mark.parametrize("turn", [0, 90])
def test_a_shape_is_cut_from_the_middle_and_known_again(size: tuple[int, int], turn: int) -> None:
    for name, (_label, ratio) in SHAPES.items():
        found = photo_form.read_recipe({"shape": name, "turn": str(turn)}, size, 1)
        width, height = photo_form.cropped_size(found, size, 10_000)
        if ratio and max(size) < 50 * min(size):
            assert width / height == pytest.approx(ratio, rel=0.02)
        elif not ratio:
            assert {width, height} == set(size)


def test_a_free_crop_leaves_something() -> None:
    form = {"shape": "free", "left": "98", "right": "98", "top": "10", "bottom": "20.5"}

    found = photo_form.read_recipe(form, (400, 300), 1)

    assert found.crop == (0.98, 0.1, 1.0, 0.795)
    assert photo_form.shape_of(found, (400, 300)) == "free"
    assert photo_form.insets(found) == {"left": 98.0, "top": 10.0, "right": 0.0, "bottom": 20.5}


@given(
    st.integers(-100, 100),
    st.integers(0, 100),
    st.sampled_from(recipes.TURNS),
    st.booleans(),
    st.floats(0, 0.4),
)
def test_a_recipe_comes_back_as_it_was(exposure: int, fade: int, turn: int, flip: bool, part: float) -> None:
    crop = (round(part, 5), 0.0, 1.0, round(1 - part, 5))
    adjust = Adjustments(exposure=exposure, fade=fade, levels=(0.02, 0.9))
    recipe = Recipe(
        turn=turn, flip=flip, straighten=-1.5, crop=crop, adjust=adjust, look="juniper", strength=70, seed=9
    )
    form = {name: str(getattr(adjust, name)) for name in (*SIGNED_TOOLS, *UNSIGNED_TOOLS)}
    form |= {side: str(value) for side, value in photo_form.insets(recipe).items()}
    form |= {
        "levels": "0.02 0.9",
        "turn": str(turn),
        "straighten": "-1.5",
        "look": "juniper",
        "strength": "70",
    }
    form |= {"shape": "free"} | ({"flip": "1"} if flip else {})

    assert photo_form.read_recipe(form, (400, 300), 9) == recipe
